package trial

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
)

// TestSteps: the client has a step before the worker goes on, and the answer after them
// all. Who does not look gets the answer alone.
func TestSteps(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	seen := make(chan string) // the worker goes on when the client has it
	var asked atomic.Int32
	s.serve(func(_ context.Context, try accounts.Try) (accounts.Result, error) {
		if asked.Add(1); try.Seen == nil {
			return accounts.Result{Accepted: true}, nil
		}
		for _, title := range []string{"Verbindung", "Anmeldung"} {
			try.Seen(doctor.Step{Title: title, Verdict: doctor.Passed})
			if got := <-seen; got != title {
				t.Errorf("%q in place of %q", got, title)
			}
		}
		return accounts.Result{Accepted: true}, nil
	})
	s.ping()
	want := try("acme")
	var titles []string
	want.Seen = func(step doctor.Step) {
		titles = append(titles, step.Title)
		seen <- step.Title
	}
	if got, err := s.client.TestMail(t.Context(), want); err != nil || !got.Accepted {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"Verbindung", "Anmeldung"}, titles); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, err := s.client.TestMail(t.Context(), try("acme")); err != nil || !got.Accepted || asked.Load() != 2 {
		t.Errorf("%+v, %v after %d", got, err, asked.Load())
	}
	keys, err := s.rdb.Keys(t.Context(), "*trial*").Result()
	for _, key := range keys {
		if key != workersKey && key != runningKey {
			t.Errorf("%s is left, %v", key, err)
		}
	}
}
