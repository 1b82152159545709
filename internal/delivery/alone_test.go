package delivery

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// TestNetAlone: who waits in no room comes when he may, and later when he is as old
// again.
func TestNetAlone(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration][2]time.Duration{
		0:               {15 * time.Second, 22500 * time.Millisecond},
		2 * time.Minute: {2 * time.Minute, 3 * time.Minute},
	} {
		a := aged(age, nil)
		a.wait = &dispatch.Wait{Reason: dispatch.Slow, Alone: true, Until: a.w.now().Add(10 * time.Second)}
		if early, late := a.netAt(0), a.netAt(1); early != want[0] || late != want[1] {
			t.Errorf("%v old: %v to %v, want %v", age, early, late, want)
		}
	}
	a := aged(0, nil)
	a.wait = &dispatch.Wait{Reason: dispatch.Slow, Alone: true, Until: a.w.now().Add(5 * time.Minute)}
	if got := a.netAt(0); got != 5*time.Minute {
		t.Errorf("before it may: %v", got)
	}
}

// TestTimely: no pause that a server names takes a mail's last attempts from it.
func TestTimely(t *testing.T) {
	t.Parallel()
	a := aged(22*time.Hour, nil) // of 24
	for asked, want := range map[time.Duration]time.Duration{time.Hour: time.Hour, 4 * time.Hour: 0} {
		f := &failure.Failure{Class: failure.Transient, RetryAfter: asked}
		if got := a.timely(f).RetryAfter; got != want || f.RetryAfter != asked {
			t.Errorf("%v: %v", asked, got)
		}
	}
}

// TestPortionsOfATenant: what one tenant's mails have met holds for that tenant.
func TestPortionsOfATenant(t *testing.T) {
	t.Parallel()
	var p portions
	mallory, globex := way{"platform", "mallory"}, way{"platform", "globex"}
	p.learn(mallory, 2, 1)
	if a, b := p.of(mallory, 50), p.of(globex, 50); a != 1 || b != 50 {
		t.Errorf("%d and %d", a, b)
	}
	for n := range 2 * mostWays {
		p.learn(way{"platform", string(rune(n))}, 2, 1)
	}
	if len(p.most) > mostWays {
		t.Errorf("%d are remembered", len(p.most))
	}
}
