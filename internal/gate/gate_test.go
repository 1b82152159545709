package gate_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type bench struct {
	*testing.T
	*clock
	rdb  redis.UniversalClient
	gate *gate.Gate
}

// setup is a gate with a clock of its own.
func setup(t *testing.T, workers int) *bench {
	t.Helper()
	b := &bench{T: t, clock: newClock(), rdb: redistest.Start(t).Client(t)}
	b.gate = b.another(workers)
	return b
}

// another is the gate of another process.
func (b *bench) another(workers int) *gate.Gate {
	b.Helper()
	g, err := gate.New(gate.Options{Redis: b.rdb, Now: b.Now, Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func door() gate.Door {
	return gate.Door{Account: "tenant/acme", Server: "mail.acme.example:465 tls", Fingerprint: as("1"), Connections: 2}
}

func mail(n int) gate.Mail { return gate.Mail{Queue: "default", ID: fmt.Sprintf("m%d", n)} }

// enter lets mail n in, and fails the test when it has to wait.
func (b *bench) enter(d gate.Door, n int) *gate.Pass {
	b.Helper()
	p, w, err := b.gate.Enter(b.Context(), d, mail(n), 1)
	if err != nil || p == nil {
		b.Fatalf("mail %d: %+v, %v", n, w, err)
	}
	return p
}

// waits has mail n wait for a reason.
func (b *bench) waits(d gate.Door, n int, reason gate.Reason) *gate.Wait {
	b.Helper()
	p, w, err := b.gate.Enter(b.Context(), d, mail(n), 1)
	if err != nil || p != nil || w == nil || w.Reason != reason {
		b.Fatalf("mail %d: %v, %+v, %v, want to wait: %s", n, p, w, err, reason)
	}
	return w
}

func reply(stage failure.Stage, code int, text string) gate.Result {
	f := failure.Classify(failure.Cause{Stage: stage, Reply: failure.Reply{Code: code, Lines: []string{text}}})
	f.RetryAfter = 0 // some rules demand more than the first pause
	return gate.Result{Failure: f, Reached: true}
}

func noServer() gate.Result {
	return gate.Result{Failure: failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: context.DeadlineExceeded})}
}

// TestInHand: an account gets its connections, and those whose turn is soon; the
// others wait in the room and are claimed when one comes back.
func TestInHand(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	var passes []*gate.Pass
	for n := range 2 + 10 { // ten may hope for a place within 50 ms
		passes = append(passes, b.enter(door(), n))
	}
	b.waits(door(), 12, gate.Busy)
	b.advance(51 * time.Millisecond)
	for _, p := range passes[:11] { // nothing was faster than that
		if w := p.Leave(t.Context(), gate.Result{Reached: true}); w != nil {
			t.Fatalf("%+v", w)
		}
		b.advance(100 * time.Millisecond)
	}
	b.enter(door(), 20)
	b.waits(door(), 21, gate.Busy)
	other := door()
	other.Account = "tenant/globex"
	b.enter(other, 22)
	if w := b.waits(door(), 23, gate.Busy); w.Failure().Class != failure.Throttle && w.Failure().Class != failure.Transient {
		t.Errorf("the reason is %v", w.Failure())
	}
}

// TestShare: one account never has all workers.
func TestShare(t *testing.T) {
	t.Parallel()
	b := setup(t, 8)
	d := door()
	d.Connections = 100
	n := 0
	for ; n < 6; n++ {
		b.enter(d, n)
	}
	b.advance(time.Second) // and none of them ends
	b.waits(d, n, gate.Busy)
}

// TestClosed: what a mail has met keeps the others from it, for a time that
// doubles; then one tries.
func TestClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		result  gate.Result
		times   int // until it is closed
		reason  gate.Reason
		pauses  []time.Duration
		subject string
	}{
		"asked for a pause":       {reply(failure.StageMail, 450, "4.7.0 rate limit, slow down"), 1, gate.WhenSlow, []time.Duration{15 * time.Second, 30 * time.Second, time.Minute}, "tenant/acme"},
		"says nothing of a pause": {reply(failure.StageMail, 451, "4.3.0 local error"), 3, gate.WhenSlow, []time.Duration{15 * time.Second, 30 * time.Second}, "tenant/acme"},
		"no such server":          {noServer(), 3, gate.WhenDown, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}, "server/mail.acme.example:465 tls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 40)
			var wait *gate.Wait
			for n := range tt.times {
				if wait != nil {
					t.Fatalf("closed after %d", n)
				}
				wait = b.enter(door(), n).Leave(t.Context(), tt.result)
			}
			for i, pause := range tt.pauses {
				if wait == nil || wait.Reason != tt.reason || !wait.Until.Equal(b.Now().Add(pause)) || wait.Notice.Subject != tt.subject {
					t.Fatalf("closing %d: %+v, now %v", i, wait, b.Now())
				}
				b.waits(door(), 10, tt.reason)
				b.advance(pause - time.Millisecond)
				b.waits(door(), 11, tt.reason)
				b.advance(time.Millisecond)
				p := b.enter(door(), 12) // the probe
				b.waits(door(), 13, tt.reason)
				wait = p.Leave(t.Context(), tt.result)
			}
			b.advance(time.Hour)
			p := b.enter(door(), 14)
			if w := p.Leave(t.Context(), reply(failure.StageRcpt, 550, "5.1.1 no such user")); w != nil {
				t.Errorf("the mail's own failure closes: %+v", w)
			}
			b.enter(door(), 15)
			b.enter(door(), 16)
			if n := b.rdb.HLen(t.Context(), "rohrpost:gate:notices").Val(); n != 0 {
				t.Errorf("%d notices left", n)
			}
		})
	}
}

// TestServerIsShared: a dead server closes every account that speaks to it in the
// same way, and no other.
func TestServerIsShared(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	for n := range 3 {
		b.enter(door(), n).Leave(t.Context(), noServer())
	}
	same, other := door(), door()
	same.Account = "tenant/globex"
	other.Account, other.Server = "tenant/initech", "mail.acme.example:465 tls (tenants)"
	b.waits(same, 10, gate.WhenDown)
	b.enter(other, 11)
	there := b.another(40)
	if err := there.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, w, err := there.Enter(t.Context(), door(), mail(12), 1); err != nil || w == nil || w.Reason != gate.WhenDown {
		t.Errorf("in another process: %+v, %v", w, err)
	}
}

// TestFaultsInARow: a success between them starts the count anew.
func TestFaultsInARow(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	for n := range 9 {
		r := noServer()
		if n%3 == 2 {
			r = gate.Result{Reached: true}
		}
		if w := b.enter(door(), n).Leave(t.Context(), r); w != nil {
			t.Fatalf("closed after %d: %+v", n, w)
		}
	}
}

// TestOneConnectionTooMany: a server that has enough of connections gets one less,
// while the others go on.
func TestOneConnectionTooMany(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	p := b.enter(door(), 1)
	if w := b.enter(door(), 2).Leave(t.Context(), reply(failure.StageBanner, 421, "4.7.0 too many connections")); w == nil || w.Reason != gate.Busy {
		t.Fatalf("%+v", w)
	}
	b.advance(time.Second)
	b.waits(door(), 3, gate.Busy)
	p.Leave(t.Context(), gate.Result{Reached: true})
	p = b.enter(door(), 4)
	b.advance(time.Second)
	b.waits(door(), 5, gate.Busy)
	b.advance(10 * time.Minute)
	b.enter(door(), 6)
	// The last one that is asked to go closes the account.
	p.Leave(t.Context(), gate.Result{Reached: true})
}

// TestLateSuccess: a mail that was on its way when the pause was asked for does not
// end it.
func TestLateSuccess(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	early := b.enter(door(), 1)
	b.enter(door(), 2).Leave(t.Context(), reply(failure.StageMail, 450, "4.7.0 rate limit, slow down"))
	early.Leave(t.Context(), gate.Result{Reached: true})
	b.waits(door(), 3, gate.WhenSlow)
}
