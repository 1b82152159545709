package producertest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/producer/producertest"
)

// ended is a recorder with a mail to as many recipients as there are states.
func ended(t *testing.T, state rohrpost.State, recipients ...rohrpost.RecipientState) *producertest.Recorder {
	t.Helper()
	rec := producertest.New(t)
	m := mail("a")
	m.To = nil
	for i := range recipients {
		m.To = append(m.To, rohrpost.Address{Address: string(rune('a'+i)) + "@example.org"})
	}
	if _, err := rec.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	rec.Amend("a", func(s *rohrpost.Status) {
		s.State, s.Account = state, "tenant:acme"
		s.History = []rohrpost.Event{{State: state, Attempt: 1, Category: "mailbox_full"}}
		for i, r := range recipients {
			s.Recipients[i].State, s.Recipients[i].Code = r, 552
		}
	})
	return rec
}

func TestRetry(t *testing.T) {
	t.Parallel()
	const (
		accepted, failed     = rohrpost.RecipientAccepted, rohrpost.RecipientFailed
		waiting, uncertain   = rohrpost.RecipientWaiting, rohrpost.RecipientUncertain
		suppressed, deferred = rohrpost.RecipientSuppressed, rohrpost.RecipientDeferred
	)
	tests := []struct {
		state         rohrpost.State
		before, after []rohrpost.RecipientState
		want          error
		twice         bool
	}{
		{rohrpost.Failed, []rohrpost.RecipientState{failed, failed}, []rohrpost.RecipientState{waiting, waiting}, nil, false},
		{rohrpost.Partly, []rohrpost.RecipientState{accepted, failed}, []rohrpost.RecipientState{accepted, waiting}, nil, false},
		{rohrpost.Uncertain, []rohrpost.RecipientState{accepted, uncertain}, []rohrpost.RecipientState{accepted, waiting}, nil, true},
		{rohrpost.Deferred, []rohrpost.RecipientState{failed, deferred}, []rohrpost.RecipientState{failed, deferred}, nil, false},
		{rohrpost.Partly, []rohrpost.RecipientState{accepted, suppressed}, nil, producer.ErrNothingToRetry, false},
		{rohrpost.Accepted, []rohrpost.RecipientState{accepted}, nil, producer.ErrNothingToRetry, false},
		{rohrpost.Sending, []rohrpost.RecipientState{waiting}, nil, producer.ErrSending, false},
	}
	for _, tt := range tests {
		rec := ended(t, tt.state, tt.before...)
		before, _ := rec.Status(t.Context(), "a")
		err := rec.Retry(t.Context(), "a")
		after, _ := rec.Status(t.Context(), "a")
		if !errors.Is(err, tt.want) {
			t.Errorf("%s %v: %v, want %v", tt.state, tt.before, err, tt.want)
		}
		if err != nil {
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("%s %v: refused, and changed %s", tt.state, tt.before, diff)
			}
			continue
		}
		var states []rohrpost.RecipientState
		for _, r := range after.Recipients {
			states = append(states, r.State)
		}
		if diff := cmp.Diff(tt.after, states); diff != "" || after.State != rohrpost.Queued || after.MaybeTwice != tt.twice || len(after.History) != 2 {
			t.Errorf("%s %v: %+v %s", tt.state, tt.before, after, diff)
		}
	}
}

func TestRetryAll(t *testing.T) {
	t.Parallel()
	rec := ended(t, rohrpost.Failed, rohrpost.RecipientFailed)
	for range 2 {
		ids, err := rec.RetryAll(t.Context(), producer.RetryFilter{Category: "mailbox_full", DryRun: true})
		if err != nil || !slices.Equal(ids, []string{"a"}) {
			t.Errorf("dry run: %q, %v", ids, err)
		}
	}
	if ids, err := rec.RetryAll(t.Context(), producer.RetryFilter{Account: "other"}); err != nil || len(ids) > 0 {
		t.Errorf("another account: %q, %v", ids, err)
	}
	if ids, err := rec.RetryAll(t.Context(), producer.RetryFilter{Account: "tenant:acme"}); err != nil || len(ids) != 1 {
		t.Errorf("its account: %q, %v", ids, err)
	}
	if s, _ := rec.Status(t.Context(), "a"); s.State != rohrpost.Queued {
		t.Errorf("%+v", s)
	}
}

func TestGiveUpAnUncertainMail(t *testing.T) {
	t.Parallel()
	rec := ended(t, rohrpost.Uncertain, rohrpost.RecipientUncertain)
	if err := rec.Reschedule(t.Context(), "a", time.Now().Add(time.Hour)); !errors.Is(err, producer.ErrFinal) {
		t.Errorf("Reschedule: %v", err)
	}
	if err := rec.Cancel(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if s, _ := rec.Status(t.Context(), "a"); s.State != rohrpost.Canceled || s.Recipients[0].State != rohrpost.RecipientUncertain {
		t.Errorf("%+v", s)
	}
}
