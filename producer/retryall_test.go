package producer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestRetryAll(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	s.settled("failed", rohrpost.Failed, "archived", failed, failed, failed)
	s.settled("partly", rohrpost.Partly, "archived", accepted, failed, accepted)
	s.settled("expired", rohrpost.Expired, "archived", failed, failed, failed)
	s.settled("held", rohrpost.Uncertain, "retry", uncertain, accepted, accepted)
	s.settled("waits", rohrpost.Deferred, "retry", deferred, deferred, deferred)
	s.settled("accepted", rohrpost.Accepted, "archived", accepted, accepted, accepted) // by hand
	for id, place := range map[string]string{"left-archived": "archived", "left-held": "retry"} {
		job := s.settled(id, rohrpost.Uncertain, place, uncertain, accepted, accepted)
		if err := s.ledger.Reopen(t.Context(), job); err != nil { // and died
			t.Fatal(err)
		}
	}
	other := mail()
	other.ID, other.Tenant = "other", "other"
	mustSend(t, s.Client, other)
	s.place("other,other", "archived")
	s.sent("forgotten")
	s.place("forgotten", "archived")
	s.rdb.Del(t.Context(), record("forgotten"))

	if _, err := s.RetryAll(t.Context(), producer.RetryFilter{DryRun: true}); err == nil {
		t.Error("everything would be sent again")
	}
	all := []string{"expired", "failed", "held", "left-archived", "left-held", "partly"}
	tests := []struct {
		filter producer.RetryFilter
		want   []string
	}{
		{producer.RetryFilter{Tenant: "acme"}, all},
		{producer.RetryFilter{Tenant: "other"}, []string{"other"}},
		{producer.RetryFilter{Tenant: "nobody"}, nil},
		{producer.RetryFilter{Account: "tenant:acme"}, all},
		{producer.RetryFilter{Account: "tenant:acme", Tenant: "other"}, nil},
		{producer.RetryFilter{Category: "mailbox_full"}, all},
		{producer.RetryFilter{Category: "expired"}, []string{"expired"}},
		{producer.RetryFilter{Category: "auth_failed"}, nil},
	}
	before := tasks(t, s.rdb)
	for _, tt := range tests {
		tt.filter.DryRun = true
		got, err := s.RetryAll(t.Context(), tt.filter)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%+v: %v %s", tt.filter, err, diff)
		}
	}
	if diff := cmp.Diff(before, tasks(t, s.rdb)); diff != "" {
		t.Errorf("a dry run has moved tasks: %s", diff)
	}

	got, err := s.RetryAll(t.Context(), producer.RetryFilter{Tenant: "acme"})
	if diff := cmp.Diff(all, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, id := range all {
		if st := status(t, s.Client, id); st.State != rohrpost.Queued || s.pending(id) != 1 {
			t.Errorf("%s is %s, %d times pending", id, st.State, s.pending(id))
		}
	}
	if got, err := s.RetryAll(t.Context(), producer.RetryFilter{Tenant: "acme"}); err != nil || len(got) > 0 {
		t.Errorf("again: %q, %v", got, err)
	}
}

func TestRetryAllWithoutContent(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	for _, id := range []string{"a", "b", "c"} {
		s.settled(id, rohrpost.Failed, "archived", failed, failed, failed)
	}
	s.rdb.Del(t.Context(), "asynq:{default}:t:"+key("b"))
	got, err := s.RetryAll(t.Context(), producer.RetryFilter{Tenant: "acme"})
	if !errors.Is(err, producer.ErrContentGone) || !strings.HasPrefix(err.Error(), "1 of 3 mails") || !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// Every script's keys are in one slot of a Cluster.
func TestCommandsOnACluster(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.StartCluster(t, 0).Client(t))
	s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
	s.sent("b")
	s.settled("c", rohrpost.Failed, "archived", failed, failed, failed)
	for what, err := range map[string]error{
		"retry":      s.Retry(t.Context(), "a"),
		"reschedule": s.Reschedule(t.Context(), "b", time.Now().Add(time.Hour)),
		"cancel":     s.Cancel(t.Context(), "b"),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got, err := s.RetryAll(t.Context(), producer.RetryFilter{Tenant: "acme"}); err != nil || !slices.Equal(got, []string{"c"}) {
		t.Errorf("retry all: %q, %v", got, err)
	}
}
