package producer_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/producer"
)

func TestCancel(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	l, err := ledger.New(ledger.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	arm := func(t *testing.T, id string) *payload.Job {
		t.Helper()
		job := queued(t, rdb, "default", id)
		if err := l.Arm(t.Context(), job, 0, "token", []int{0}); err != nil {
			t.Fatal(err)
		}
		return job
	}
	settle := func(t *testing.T, job *payload.Job, state rohrpost.State, verdict rohrpost.RecipientState) {
		t.Helper()
		if err := l.Settle(t.Context(), job, ledger.Settlement{
			Token: "token", State: state, Verdicts: map[int]rohrpost.RecipientStatus{0: {State: verdict}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		before func(t *testing.T, id string)
		want   error
		state  rohrpost.State
		gone   bool
	}{
		{"queued", nil, nil, rohrpost.Canceled, true},
		{"deferred", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Deferred, rohrpost.RecipientDeferred)
		}, nil, rohrpost.Canceled, true},
		{"deferred for the other recipient", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Deferred, rohrpost.RecipientAccepted)
		}, nil, rohrpost.Partly, true},
		{"parked", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Parked, rohrpost.RecipientDeferred)
		}, nil, rohrpost.Canceled, true},
		{"held as uncertain", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Uncertain, rohrpost.RecipientUncertain)
		}, nil, rohrpost.Canceled, true},
		{"rescheduled", func(t *testing.T, id string) {
			if err := client.Reschedule(t.Context(), id, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, nil, rohrpost.Canceled, true},
		{"retried", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Failed, rohrpost.RecipientFailed)
			if err := client.Retry(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}, nil, rohrpost.Canceled, true},
		{"failed", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Failed, rohrpost.RecipientFailed)
		}, producer.ErrFinal, rohrpost.Failed, false},
		{"sending", func(t *testing.T, id string) { arm(t, id) }, producer.ErrSending, rohrpost.Sending, false},
		{"accepted", func(t *testing.T, id string) {
			settle(t, arm(t, id), rohrpost.Accepted, rohrpost.RecipientAccepted)
		}, producer.ErrFinal, rohrpost.Accepted, false},
		{"canceled", func(t *testing.T, id string) {
			if err := client.Cancel(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}, producer.ErrFinal, rohrpost.Canceled, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := mail()
			m.To = append(m.To, rohrpost.Address{Address: "zwei@example.org"})
			id := mustSend(t, client, m).ID
			if tt.before != nil {
				tt.before(t, id)
			}
			if err := client.Cancel(t.Context(), id); !errors.Is(err, tt.want) {
				t.Errorf("Cancel: %v, want %v", err, tt.want)
			}
			if got := status(t, client, id).State; got != tt.state {
				t.Errorf("state %s, want %s", got, tt.state)
			}
			if there := rdb.Exists(t.Context(), "asynq:{default}:t:"+key(id)).Val() == 1; there == tt.gone {
				t.Errorf("the task is there: %v", there)
			}
		})
	}
}

func TestCancelScheduled(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	m := mail()
	m.NotBefore, m.Priority = time.Now().Add(time.Hour), rohrpost.Bulk
	id := mustSend(t, client, m).ID
	if err := client.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if st := status(t, client, id); st.State != rohrpost.Canceled || st.NextAttempt != nil {
		t.Errorf("status %+v", st)
	}
	if got := tasks(t, rdb); len(got) != 0 {
		t.Errorf("tasks %q", got)
	}
}

func TestUnknownJob(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t, producer.Options{})
	if _, err := client.Status(t.Context(), "x"); !errors.Is(err, producer.ErrNotFound) || err.Error() != `job "x": no such job` {
		t.Errorf("Status: %v", err)
	}
	if err := client.Cancel(t.Context(), "x"); !errors.Is(err, producer.ErrNotFound) {
		t.Errorf("Cancel: %v", err)
	}
}
