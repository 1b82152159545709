package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
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

// A process is one that dispatches, and what it knows of accounts and servers.
type process struct {
	*dispatch.Dispatcher
	breaker *breaker.Breaker
}

// newProcess is a process; now is its clock, nil: the real one and that of Redis.
func newProcess(t *testing.T, rdb redis.UniversalClient, workers int, now func() time.Time) *process {
	t.Helper()
	waiting := backlog.New(rdb, now)
	states, err := breaker.New(breaker.Options{Redis: rdb, Backlog: waiting, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	d, err := dispatch.New(dispatch.Options{Redis: rdb, Backlog: waiting, Breaker: states, Workers: workers, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return &process{d, states}
}

type bench struct {
	*testing.T
	*clock
	rdb redis.UniversalClient
	*process
}

// setup is a process with a clock of its own.
func setup(t *testing.T, workers int) *bench {
	t.Helper()
	b := &bench{T: t, clock: newClock(), rdb: redistest.Start(t).Client(t)}
	b.process = b.another(workers)
	return b
}

// another is another process.
func (b *bench) another(workers int) *process {
	b.Helper()
	return newProcess(b.T, b.rdb, workers, b.Now)
}

func as(fingerprint string) func() string { return func() string { return fingerprint } }

func refused() *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 wrong password"}}})
}

func target() dispatch.Target {
	return dispatch.Target{
		Target:      breaker.Target{Account: "tenant/acme", Server: "mail.acme.example:465 tls", Fingerprint: as("1")},
		Connections: 2,
	}
}

func mail(n int) queue.Ref { return queue.Ref{Queue: "default", ID: fmt.Sprintf("m%d", n)} }

// enter lets mail n in, and fails the test when it has to wait.
func (b *bench) enter(d dispatch.Target, n int) *dispatch.Permit {
	b.Helper()
	p, w, err := b.Admit(b.Context(), d, mail(n), 1)
	if err != nil || p == nil {
		b.Fatalf("mail %d: %+v, %v", n, w, err)
	}
	return p
}

// waits has mail n wait for a reason.
func (b *bench) waits(d dispatch.Target, n int, reason dispatch.Reason) *dispatch.Wait {
	b.Helper()
	p, w, err := b.Admit(b.Context(), d, mail(n), 1)
	if err != nil || p != nil || w == nil || w.Reason != reason {
		b.Fatalf("mail %d: %v, %+v, %v, want to wait: %s", n, p, w, err, reason)
	}
	return w
}

func reply(stage failure.Stage, code int, text string) breaker.Result {
	f := failure.Classify(failure.Cause{Stage: stage, Reply: failure.Reply{Code: code, Lines: []string{text}}})
	f.RetryAfter = 0 // some rules demand more than the first pause
	return breaker.Result{Failure: f, Reached: true}
}

func noServer() breaker.Result {
	return breaker.Result{Failure: failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: context.DeadlineExceeded})}
}

// TestInHand: an account gets its connections, and those whose turn is soon; the
// others wait in the backlog and are received when one comes back.
func TestInHand(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	var passes []*dispatch.Permit
	for n := range 2 + 10 { // ten may hope for a place within 50 ms
		passes = append(passes, b.enter(target(), n))
	}
	b.waits(target(), 12, dispatch.Busy)
	b.advance(51 * time.Millisecond)
	for _, p := range passes[:11] { // nothing was faster than that
		if w := p.Done(t.Context(), breaker.Result{Reached: true}); w != nil {
			t.Fatalf("%+v", w)
		}
		b.advance(100 * time.Millisecond)
	}
	b.enter(target(), 20)
	b.waits(target(), 21, dispatch.Busy)
	other := target()
	other.Account = "tenant/globex"
	b.enter(other, 22)
	if w := b.waits(target(), 23, dispatch.Busy); w.Failure().Class != failure.Throttle && w.Failure().Class != failure.Transient {
		t.Errorf("the reason is %v", w.Failure())
	}
}

// TestShare: one account never has all workers.
func TestShare(t *testing.T) {
	t.Parallel()
	b := setup(t, 8)
	d := target()
	d.Connections = 100
	n := 0
	for ; n < 6; n++ {
		b.enter(d, n)
	}
	b.advance(time.Second) // and none of them ends
	b.waits(d, n, dispatch.Busy)
}

// TestClosed: what a mail has met keeps the others from it, for a time that
// doubles; then one tries.
func TestClosed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		result  breaker.Result
		times   int // until it is closed
		reason  dispatch.Reason
		pauses  []time.Duration
		subject string
	}{
		"asked for a pause":       {reply(failure.StageMail, 450, "4.7.0 rate limit, slow down"), 1, dispatch.Slow, []time.Duration{15 * time.Second, 30 * time.Second, time.Minute}, "tenant/acme"},
		"says nothing of a pause": {reply(failure.StageMail, 451, "4.3.0 local error"), 3, dispatch.Slow, []time.Duration{15 * time.Second, 30 * time.Second}, "tenant/acme"},
		"no such server":          {noServer(), 3, dispatch.Down, []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second}, "server/mail.acme.example:465 tls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 40)
			var wait *dispatch.Wait
			for n := range tt.times {
				if wait != nil {
					t.Fatalf("closed after %d", n)
				}
				wait = b.enter(target(), n).Done(t.Context(), tt.result)
			}
			for i, pause := range tt.pauses {
				if wait == nil || wait.Reason != tt.reason || !wait.Until.Equal(b.Now().Add(pause)) || wait.State.Subject != tt.subject {
					t.Fatalf("closing %d: %+v, now %v", i, wait, b.Now())
				}
				b.waits(target(), 10, tt.reason)
				b.advance(pause - time.Millisecond)
				b.waits(target(), 11, tt.reason)
				b.advance(time.Millisecond)
				p := b.enter(target(), 12) // the probe
				b.waits(target(), 13, tt.reason)
				wait = p.Done(t.Context(), tt.result)
			}
			b.advance(time.Hour)
			p := b.enter(target(), 14)
			if w := p.Done(t.Context(), reply(failure.StageRcpt, 550, "5.1.1 no such user")); w != nil {
				t.Errorf("the mail's own failure closes: %+v", w)
			}
			b.enter(target(), 15)
			b.enter(target(), 16)
			if n := b.rdb.HLen(t.Context(), "rohrpost:breaker:states").Val(); n != 0 {
				t.Errorf("%d states left", n)
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
		b.enter(target(), n).Done(t.Context(), noServer())
	}
	same, other := target(), target()
	same.Account = "tenant/globex"
	other.Account, other.Server = "tenant/initech", "mail.acme.example:465 tls (tenants)"
	b.waits(same, 10, dispatch.Down)
	b.enter(other, 11)
	there := b.another(40)
	if err := there.breaker.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, w, err := there.Admit(t.Context(), target(), mail(12), 1); err != nil || w == nil || w.Reason != dispatch.Down {
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
			r = breaker.Result{Reached: true}
		}
		if w := b.enter(target(), n).Done(t.Context(), r); w != nil {
			t.Fatalf("closed after %d: %+v", n, w)
		}
	}
}

// TestOneConnectionTooMany: a server that has enough of connections gets one less,
// while the others go on.
func TestOneConnectionTooMany(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	p := b.enter(target(), 1)
	if w := b.enter(target(), 2).Done(t.Context(), reply(failure.StageBanner, 421, "4.7.0 too many connections")); w == nil || w.Reason != dispatch.Busy {
		t.Fatalf("%+v", w)
	}
	b.advance(time.Second)
	b.waits(target(), 3, dispatch.Busy)
	p.Done(t.Context(), breaker.Result{Reached: true})
	p = b.enter(target(), 4)
	b.advance(time.Second)
	b.waits(target(), 5, dispatch.Busy)
	b.advance(10 * time.Minute)
	b.enter(target(), 6)
	// The last one that is asked to go closes the account.
	p.Done(t.Context(), breaker.Result{Reached: true})
}

// TestLateSuccess: a mail that was on its way when the pause was asked for does not
// end it.
func TestLateSuccess(t *testing.T) {
	t.Parallel()
	b := setup(t, 40)
	early := b.enter(target(), 1)
	b.enter(target(), 2).Done(t.Context(), reply(failure.StageMail, 450, "4.7.0 rate limit, slow down"))
	early.Done(t.Context(), breaker.Result{Reached: true})
	b.waits(target(), 3, dispatch.Slow)
}

// TestRefusalsAreNoCrowd: a server that refuses for good does not say that there is one
// connection too many: fewer would help nothing.
func TestRefusalsAreNoCrowd(t *testing.T) {
	t.Parallel()
	busy := &failure.Failure{Stage: failure.StageAuth, Class: failure.Throttle, Category: "too_many_connections", Code: 421}
	for want, f := range map[dispatch.Reason]*failure.Failure{dispatch.Busy: busy, dispatch.Parked: refused()} {
		g := newProcess(t, redistest.Start(t).Client(t), 0, nil)
		var passes []*dispatch.Permit
		for n := range 2 {
			p, w, err := g.Admit(t.Context(), target(), mail(n), 1)
			if err != nil || w != nil {
				t.Fatalf("%+v, %v", w, err)
			}
			passes = append(passes, p)
		}
		if w := passes[0].Done(t.Context(), breaker.Result{Failure: f}); w == nil || w.Reason != want {
			t.Errorf("%d beside another connection: %+v, want %s", f.Code, w, want)
		}
		passes[1].Done(t.Context(), breaker.Result{Reached: true})
	}
}
