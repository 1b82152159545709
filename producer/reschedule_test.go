package producer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func TestReschedule(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(2 * time.Hour).Truncate(time.Second).Add(time.Millisecond)
	due := at.Truncate(time.Second).Add(time.Second).UTC()
	tests := []struct {
		name   string
		before func(*stage)
		want   error
	}{
		{"queued", func(s *stage) { s.sent("a") }, nil},
		{"scheduled", func(s *stage) {
			m := mail()
			m.ID, m.NotBefore = "a", time.Now().Add(time.Hour)
			mustSend(s.t, s.Client, m)
		}, nil},
		{"deferred", func(s *stage) { s.settled("a", rohrpost.Deferred, "retry", deferred, accepted, failed) }, nil},
		{"parked", func(s *stage) { s.settled("a", rohrpost.Parked, "retry", deferred, deferred, deferred) }, nil},
		{"retried", func(s *stage) {
			s.settled("a", rohrpost.Failed, "archived", failed, failed, failed)
			if err := s.Retry(s.t.Context(), "a"); err != nil {
				s.t.Fatal(err)
			}
		}, nil},
		{"failed", func(s *stage) { s.settled("a", rohrpost.Failed, "archived", failed, failed, failed) }, producer.ErrFinal},
		{"held as uncertain", func(s *stage) { s.settled("a", rohrpost.Uncertain, "retry", uncertain) }, producer.ErrFinal},
		{"accepted", func(s *stage) { s.settled("a", rohrpost.Accepted, "gone", accepted, accepted, accepted) }, producer.ErrFinal},
		{"in hand", func(s *stage) { s.sent("a"); s.place("a", "active") }, producer.ErrSending},
		{"sending", func(s *stage) {
			if err := s.ledger.Arm(s.t.Context(), s.sent("a"), 0, "T1", []int{0}); err != nil {
				s.t.Fatal(err)
			}
		}, producer.ErrSending},
		{"without its mail", func(s *stage) { s.sent("a"); s.place("a", "gone") }, producer.ErrContentGone},
		{"unknown", func(*stage) {}, producer.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, redistest.Start(t).Client(t))
			tt.before(s)
			before, places := s.record("a"), tasks(t, s.rdb)
			for _, time := range []string{"first", "again"} {
				if err := s.Reschedule(t.Context(), "a", at); !errors.Is(err, tt.want) {
					t.Fatalf("%s: %v, want %v", time, err, tt.want)
				}
			}
			if tt.want != nil {
				if diff := cmp.Diff(before, s.record("a")) + cmp.Diff(places, tasks(t, s.rdb)); diff != "" {
					t.Errorf("it was refused, and something has changed: %s", diff)
				}
				return
			}
			st := status(t, s.Client, "a")
			last := st.History[len(st.History)-1]
			if st.State != rohrpost.Scheduled || st.NextAttempt == nil || !st.NextAttempt.Equal(due) || last.By != rohrpost.ByOperator || !last.NextAttempt.Equal(due) {
				t.Errorf("%+v", st)
			}
			if diff := cmp.Diff([]string{"default/scheduled/a,acme"}, tasks(t, s.rdb)); diff != "" {
				t.Error(diff)
			}
			if score := s.rdb.ZScore(t.Context(), "asynq:{default}:scheduled", key("a")).Val(); int64(score) != due.Unix() {
				t.Errorf("due at %v, want %v", int64(score), due.Unix())
			}
		})
	}
}

func TestRescheduleField(t *testing.T) {
	t.Parallel()
	s := newStage(t, redistest.Start(t).Client(t))
	m := mail()
	m.ID, m.Expires = "a", time.Now().Add(time.Hour)
	mustSend(t, s.Client, m)
	before := s.record("a")
	for problem, at := range map[string]time.Time{
		"the past": time.Now().Add(-time.Second), "no time": {}, "after it expires": m.Expires.Add(time.Second),
		"when it expires": m.Expires, "never": time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		err := s.Reschedule(t.Context(), "a", at)
		if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "not_before" {
			t.Errorf("%s: %v", problem, err)
		}
	}
	if diff := cmp.Diff(before, s.record("a")); diff != "" {
		t.Error(diff)
	}
	if err := s.Reschedule(t.Context(), "a", m.Expires.Add(-time.Minute)); err != nil {
		t.Error(err)
	}
}

// A mail that a person has sent on its way after it had expired can be put off.
func TestRescheduleAfterExpires(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	m := mail()
	m.ID, m.Expires = "a", time.Now().Add(time.Hour)
	mustSend(t, newStage(t, rdb).Client, m)
	archive(t, rdb, "default", "a")
	later, err := producer.New(rdb, producer.Options{Now: func() time.Time { return time.Now().Add(2 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := later.Retry(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := later.Reschedule(t.Context(), "a", time.Now().Add(3*time.Hour)); err != nil {
		t.Error(err)
	}
}
