package dispatch

import (
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

const acme = "tenant/acme"

// A rig is a dispatcher whose rounds and clock a test turns, and what its workers were
// handed.
type rig struct {
	*Dispatcher
	t      *testing.T
	at     time.Time
	taken  []queue.Ref
	missed func(queue.Ref, queue.Miss)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	d := &rig{t: t, at: time.UnixMilli(1_763_785_200_500)}
	now := func() time.Time { return d.at }
	rdb := redistest.Start(t).Client(t)
	waiting := backlog.New(rdb, now)
	states, err := breaker.New(breaker.Options{Redis: rdb, Backlog: waiting, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	d.Dispatcher, err = New(Options{Redis: rdb, Backlog: waiting, Breaker: states, Workers: 8, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Claim implements Taker.
func (d *rig) Claim(mails []queue.Ref, missed func(queue.Ref, queue.Miss)) {
	d.taken, d.missed = append(d.taken, mails...), missed
}

// hands turns a round after so long, and wants workers to be handed these mails in it.
func (d *rig) hands(after time.Duration, want ...queue.Ref) {
	d.t.Helper()
	d.at = d.at.Add(after)
	d.taken = nil
	if err := d.serve(d.t.Context(), d, true); err != nil {
		d.t.Fatal(err)
	}
	if !slices.Equal(d.taken, want) {
		d.t.Fatalf("handed over %v, want %v", d.taken, want)
	}
}

// TestPuttingDown: a mail that is received while the worker that had it before is
// putting it down is not acknowledged by that. If no worker takes it, it is back after a
// minute.
func TestPuttingDown(t *testing.T) {
	t.Parallel()
	d, m := newRig(t), queue.Ref{Queue: "default", ID: "1"}
	if d.Begin(m) {
		t.Error("nobody has received it")
	}
	if err := d.Enqueue(t.Context(), acme, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	d.hands(time.Second, m)
	d.End(m) // of the worker before
	d.hands(time.Second)
	d.hands(time.Minute, m)
	if !d.Begin(m) {
		t.Error("it was received")
	}
	d.End(m)
	d.hands(time.Second)
	d.hands(2 * time.Minute)
}

// TestAnswerTooLate: what became of a receipt says nothing of a later one.
func TestAnswerTooLate(t *testing.T) {
	t.Parallel()
	d, m := newRig(t), queue.Ref{Queue: "default", ID: "1"}
	if err := d.Enqueue(t.Context(), acme, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	d.hands(time.Second, m)
	late := d.missed
	d.hands(time.Minute, m)
	late(m, queue.MissGone)
	if d.received[m] == nil {
		t.Error("the second receipt is forgotten")
	}
	d.hands(time.Second)
	d.hands(time.Minute, m)
	d.missed(m, queue.MissGone)
	d.hands(time.Second)
	d.hands(2 * time.Minute)
}

// TestReceivedTwice: a mail has one place, however often it is received.
func TestReceivedTwice(t *testing.T) {
	t.Parallel()
	d, m := newRig(t), queue.Ref{Queue: "default", ID: "1"}
	d.expectLocked(acme, "1", []queue.Ref{m})
	d.expectLocked("tenant/other", "", []queue.Ref{m})
	if a, b := d.budgetLocked(acme).received, d.budgetLocked("tenant/other").received; a != 0 || b != 1 {
		t.Errorf("%d and %d are expected", a, b)
	}
	d.Begin(m)
	d.turnedAway(&Target{Target: breaker.Target{Account: "tenant/other"}}, m)
	if n := d.budgetLocked("tenant/other").received; n != 0 || len(d.received) != 0 {
		t.Errorf("%d are expected, %v", n, d.received)
	}
}

// TestUnmet: a process that has not met an account learns from the first mail that its
// server is down, and that somebody else is trying it; it does not ask again and again.
func TestUnmet(t *testing.T) {
	t.Parallel()
	d, m := newRig(t), queue.Ref{Queue: "default", ID: "1"}
	target := Target{Target: breaker.Target{Account: acme, Server: "mail.acme.example:587", Fingerprint: func() string { return "1" }}, Connections: 3}
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	var block *breaker.Block
	for block == nil {
		block = d.breaker.Record(t.Context(), &target.Target, breaker.Result{Failure: f})
	}
	until := block.Until
	if err := d.Enqueue(t.Context(), acme, m, &Wait{Reason: Busy}); err != nil {
		t.Fatal(err)
	}
	waits := func() {
		t.Helper()
		d.Begin(m)
		pass, wait, err := d.Admit(t.Context(), target, m, 1)
		d.End(m)
		if pass != nil || wait == nil || err != nil {
			t.Fatalf("%v, %+v, %v", pass, wait, err)
		}
	}
	d.hands(time.Second, m)
	waits()
	d.hands(0)
	if !d.redis.SetNX(t.Context(), "rohrpost:breaker:probe:{server/mail.acme.example:587}", 1, time.Minute).Val() {
		t.Fatal("nobody tries yet")
	}
	d.hands(until.Sub(d.at), m)
	waits()
	d.hands(0)
	d.hands(breaker.LookAgain - 1)
	d.hands(1, m)
}

// TestPromises: what a round hands over is no more than there are workers, however many
// tenants have mails that wait.
func TestPromises(t *testing.T) {
	t.Parallel()
	d := newRig(t)
	for n := range 20 {
		account := "tenant/" + strconv.Itoa(n)
		d.mu.Lock()
		d.budgetLocked(account).target = Target{Target: breaker.Target{Account: account, Tenant: strconv.Itoa(n), Server: account, Fingerprint: func() string { return "1" }}, Connections: 4}
		d.mu.Unlock()
		for k := range 5 {
			m := queue.Ref{Queue: "default", ID: strconv.Itoa(n*10 + k)}
			if err := d.Enqueue(t.Context(), account, m, &Wait{Reason: Busy}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 3 {
		if err := d.serve(t.Context(), d, true); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.taken) > d.workers || len(d.taken) < d.workers/2 {
		t.Errorf("%d mails are handed to %d workers", len(d.taken), d.workers)
	}
}

// TestCrowded: a process that has found every connection taken by others takes no more
// mails than it has connections for a while, and none without any.
func TestCrowded(t *testing.T) {
	t.Parallel()
	d, target := newRig(t), Target{Target: breaker.Target{Account: acme}, Connections: 3}
	mails := []queue.Ref{{Queue: "default", ID: "1"}, {Queue: "default", ID: "2"}, {Queue: "default", ID: "3"}}
	var passes []*Permit
	for _, m := range mails {
		pass, wait, err := d.Admit(t.Context(), target, m, 1)
		if pass == nil || err != nil {
			t.Fatal(wait, err)
		}
		passes = append(passes, pass)
	}
	busy := func(n int) {
		t.Helper()
		if _, err := passes[n].NoConnection(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.hands(0) // the others are under way, or may fare no better
	}
	busy(0)
	busy(1)
	busy(2)
	d.hands(briefCaution - 1)
	d.hands(1, mails...)
}

// TestCaution: that others have the connections for a moment does not end the caution
// towards a server that wanted fewer.
func TestCaution(t *testing.T) {
	t.Parallel()
	d, target := newRig(t), Target{Target: breaker.Target{Account: acme, Server: "mail.acme.example:587"}, Connections: 3}
	enter := func(n int) (passes []*Permit) {
		t.Helper()
		for k := range n {
			pass, wait, err := d.Admit(t.Context(), target, queue.Ref{Queue: "default", ID: strconv.Itoa(k)}, 1)
			if pass == nil || err != nil {
				t.Fatal(wait, err)
			}
			passes = append(passes, pass)
		}
		return passes
	}
	passes := enter(3)
	tooMany := failure.Classify(failure.Cause{Stage: failure.StageBanner, Reply: failure.Reply{Code: 421, Lines: []string{"too many connections"}}})
	passes[0].Done(t.Context(), breaker.Result{Failure: tooMany})
	if _, err := passes[1].NoConnection(t.Context()); err != nil {
		t.Fatal(err)
	}
	passes[2].Abandon(t.Context())
	h := d.budgetLocked(acme)
	if n := d.limitLocked(h); n != 1 {
		t.Errorf("%d at a time while others have the connections", n)
	}
	d.at = d.at.Add(briefCaution)
	if n := d.limitLocked(h); n != 2 {
		t.Errorf("%d at a time with a server that wanted fewer", n)
	}
	d.at = d.at.Add(caution)
	if n := d.limitLocked(h); n != 3 {
		t.Errorf("%d at a time later", n)
	}
}
