package gate

import (
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// TestWrongClock: a process whose clock is wrong closes a server for the others no
// longer than its pause, however often they read that.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	subject := serverSubject("mail.acme.example:587")
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	for name, skew := range map[string]time.Duration{"ahead": 3 * time.Hour, "behind": -3 * time.Hour, "right": 0} {
		d := newDesk(t)
		begin := d.at
		wrong, err := New(Options{Redis: d.redis, Now: func() time.Time { return d.at.Add(skew) }})
		if err != nil {
			t.Fatal(err)
		}
		until := func(want time.Time) {
			t.Helper()
			if err := d.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := d.notice(subject).Until; !got.Equal(want) {
				t.Errorf("%s: until %v, want %v", name, got.Sub(begin), want.Sub(begin))
			}
		}
		wrong.shut(t.Context(), Down, subject, f)
		end := begin.Add(downFirst + min(skew, 0))
		until(end)
		d.at = d.at.Add(downFirst - 1)
		until(end)
		d.at = d.at.Add(1)
		wrong.shut(t.Context(), Down, subject, f) // again, for twice as long
		until(d.at.Add(2*downFirst + min(skew, 0)))
	}
}

// TestParkedHasNoEnd: what waits for a person waits for him.
func TestParkedHasNoEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.Park(t.Context(), acme, "1", failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535}})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d.at = d.at.Add(time.Hour)
		if err := d.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := d.notice(acme); !n.Until.IsZero() {
			t.Errorf("until %v", n.Until)
		}
	}
}
