package dispatch_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// handed is a Taker that remembers.
type handed chan queue.Ref

func (c handed) Claim(mails []queue.Ref, _ func(queue.Ref, queue.Miss)) {
	for _, m := range mails {
		c <- m
	}
}

// serve runs the process's loops until the test ends.
func serve(t *testing.T, g *process, c dispatch.Taker) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.breaker.Run(ctx) })
	wg.Go(func() { g.Run(ctx) })
	wg.Go(func() { g.Serve(ctx, c) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// TestServe: mails of a busy account are handed over one for one as others end, by
// priority, and each gets in.
func TestServe(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := newProcess(t, rdb, 40, nil)
	d := target()
	var passes []*dispatch.Permit
	var waiting []queue.Ref
	for n := 0; len(waiting) < 3; n++ {
		m := mail(n)
		if len(waiting) == 2 {
			m.Queue = "critical"
		}
		p, w, err := g.Admit(t.Context(), d, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		if w != nil {
			waiting = append(waiting, m)
		} else {
			passes = append(passes, p)
		}
	}
	c := make(handed, 100)
	serve(t, g, c)
	for _, p := range passes {
		p.Done(t.Context(), breaker.Result{Reached: true})
	}
	var got []queue.Ref
	for range waiting {
		m := <-c
		got = append(got, m)
		if !g.Begin(m) {
			t.Errorf("%v is not expected", m)
		}
		p, w, err := g.Admit(t.Context(), d, m, 1)
		if err != nil || w != nil {
			t.Fatalf("a received mail must wait: %+v, %v", w, err)
		}
		p.Done(t.Context(), breaker.Result{Reached: true})
	}
	if want := []queue.Ref{waiting[2], waiting[0], waiting[1]}; !slices.Equal(got, want) {
		t.Errorf("handed over %v, want %v", got, want)
	}
}

// TestReleaseWakes: mails of a parked account go at once when it is released, in
// whichever process.
func TestReleaseWakes(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	here, there := newProcess(t, rdb, 0, nil), newProcess(t, rdb, 0, nil)
	if err := here.breaker.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if _, w, err := here.Admit(t.Context(), target(), mail(n), 1); err != nil || w == nil || w.Reason != dispatch.Parked {
			t.Fatalf("%+v, %v", w, err)
		}
	}
	c := make(handed, 100)
	serve(t, here, c)
	if err := there.breaker.Reset(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-c
	}
}

// TestParkedAreTold: a mail that waits for a connection when its account is parked is handed over,
// to be told; also a mail that was turned away before and enqueued after.
func TestParkedAreTold(t *testing.T) {
	t.Parallel()
	g := newProcess(t, redistest.Start(t).Client(t), 0, nil)
	busy := &dispatch.Wait{Reason: dispatch.Busy}
	const before, after = 40, 3
	for n := range before {
		if err := g.Enqueue(t.Context(), target().Account, mail(n), busy); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.breaker.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	c := make(handed, 100)
	serve(t, g, c)
	told := map[queue.Ref]int{}
	hear := func(n int) {
		for range n {
			m := <-c
			told[m]++
			g.Begin(m)
			if _, w, err := g.Admit(t.Context(), target(), m, 1); err != nil || w == nil || w.Reason != dispatch.Parked {
				t.Fatalf("%v: %+v, %v", m, w, err)
			}
		}
	}
	hear(before)
	for n := range after {
		m := mail(before + n)
		if n == 0 {
			m.Queue = "critical" // it stands before all others
		}
		if err := g.Enqueue(t.Context(), target().Account, m, busy); err != nil {
			t.Fatal(err)
		}
	}
	for len(told) < before+after {
		hear(1)
	}
}

// TestReleaseAfterRestart: mails that were parked before this process began go at once
// too when their account is released.
func TestReleaseAfterRestart(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	gone := newProcess(t, rdb, 0, nil)
	if err := gone.breaker.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, w, err := gone.Admit(t.Context(), target(), mail(n), 1); err != nil || w == nil || w.Reason != dispatch.Parked {
			t.Fatalf("%+v, %v", w, err)
		}
	}
	here, there := newProcess(t, rdb, 0, nil), newProcess(t, rdb, 0, nil)
	c := make(handed, 3)
	serve(t, here, c)
	if err := there.breaker.Reset(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-c
	}
}

// TestBacklogOfOthers: a process that comes later finds the backlogs that others have
// left behind.
func TestBacklogOfOthers(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	gone := newProcess(t, rdb, 0, nil)
	if err := gone.Enqueue(t.Context(), target().Account, mail(1), &dispatch.Wait{Reason: dispatch.Busy}); err != nil {
		t.Fatal(err)
	}
	c := make(handed, 1)
	serve(t, newProcess(t, rdb, 0, nil), c)
	if m := <-c; m != mail(1) {
		t.Errorf("handed over %v", m)
	}
}

// missing is a Claimer whose tasks are in other hands for a while.
type missing struct {
	handed
	mu   sync.Mutex
	left int
}

func (c *missing) Claim(mails []queue.Ref, missed func(queue.Ref, queue.Miss)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range mails {
		if c.left--; c.left >= 0 {
			missed(m, queue.MissActive)
			continue
		}
		c.handed <- m
	}
}

// TestMissed: a mail that another worker is just putting down is handed over a moment
// later.
func TestMissed(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := newProcess(t, rdb, 0, nil)
	if err := g.Enqueue(t.Context(), target().Account, mail(1), &dispatch.Wait{Reason: dispatch.Busy}); err != nil {
		t.Fatal(err)
	}
	c := &missing{handed: make(handed, 1), left: 3}
	serve(t, g, c)
	if m := <-c.handed; m != mail(1) {
		t.Errorf("handed over %v", m)
	}
}
