package gate_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// claims is a Claimer that remembers.
type claims chan gate.Mail

func (c claims) Claim(mails []gate.Mail, _ func(gate.Mail, bool)) {
	for _, m := range mails {
		c <- m
	}
}

// serve runs the gate's loops until the test ends.
func serve(t *testing.T, g *gate.Gate, c gate.Claimer) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.Run(ctx) })
	wg.Go(func() { g.Serve(ctx, c) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

// TestRoom: mails of a busy account are claimed one for one as others end, by
// priority, and whoever is claimed gets in.
func TestRoom(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g, err := gate.New(gate.Options{Redis: rdb, Workers: 40})
	if err != nil {
		t.Fatal(err)
	}
	d := door()
	var passes []*gate.Pass
	var waiting []gate.Mail
	for n := 0; len(waiting) < 3; n++ {
		m := mail(n)
		if len(waiting) == 2 {
			m.Queue = "critical"
		}
		p, w, err := g.Enter(t.Context(), d, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		if w != nil {
			waiting = append(waiting, m)
		} else {
			passes = append(passes, p)
		}
	}
	c := make(claims, 100)
	serve(t, g, c)
	for _, p := range passes {
		p.Leave(t.Context(), gate.Result{Reached: true})
	}
	var got []gate.Mail
	for range waiting {
		m := <-c
		got = append(got, m)
		if !g.Came(m) {
			t.Errorf("%v is not expected", m)
		}
		p, w, err := g.Enter(t.Context(), d, m, 1)
		if err != nil || w != nil {
			t.Fatalf("a claimed mail must wait: %+v, %v", w, err)
		}
		p.Leave(t.Context(), gate.Result{Reached: true})
	}
	if want := []gate.Mail{waiting[2], waiting[0], waiting[1]}; !slices.Equal(got, want) {
		t.Errorf("claimed %v, want %v", got, want)
	}
}

// TestReleaseWakes: mails of a parked account go at once when it is released, in
// whichever process.
func TestReleaseWakes(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	here, there := open(t, rdb), open(t, rdb)
	if err := here.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		if _, w, err := here.Enter(t.Context(), door(), mail(n), 1); err != nil || w == nil || w.Reason != gate.WhenParked {
			t.Fatalf("%+v, %v", w, err)
		}
	}
	c := make(claims, 100)
	serve(t, here, c)
	if err := there.Release(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-c
	}
}

// TestParkedAreTold: who waits for a connection when its account is parked is claimed,
// to be told; also a mail that was turned away before and joins the room after.
func TestParkedAreTold(t *testing.T) {
	t.Parallel()
	g := open(t, redistest.Start(t).Client(t))
	busy := &gate.Wait{Reason: gate.Busy}
	const before, after = 40, 3
	for n := range before {
		if err := g.Join(t.Context(), door(), mail(n), busy); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	c := make(claims, 100)
	serve(t, g, c)
	told := map[gate.Mail]int{}
	hear := func(n int) {
		for range n {
			m := <-c
			told[m]++
			g.Came(m)
			if _, w, err := g.Enter(t.Context(), door(), m, 1); err != nil || w == nil || w.Reason != gate.WhenParked {
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
		if err := g.Join(t.Context(), door(), m, busy); err != nil {
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
	gone := open(t, rdb)
	if err := gone.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, w, err := gone.Enter(t.Context(), door(), mail(n), 1); err != nil || w == nil || w.Reason != gate.WhenParked {
			t.Fatalf("%+v, %v", w, err)
		}
	}
	here, there := open(t, rdb), open(t, rdb)
	c := make(claims, 3)
	serve(t, here, c)
	if err := there.Release(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-c
	}
}

// TestRoomOfOthers: a process that comes later finds the rooms that others have
// left behind.
func TestRoomOfOthers(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	gone := open(t, rdb)
	if err := gone.Join(t.Context(), door(), mail(1), &gate.Wait{Reason: gate.Busy}); err != nil {
		t.Fatal(err)
	}
	c := make(claims, 1)
	serve(t, open(t, rdb), c)
	if m := <-c; m != mail(1) {
		t.Errorf("claimed %v", m)
	}
}

// missing is a Claimer whose tasks are in other hands for a while.
type missing struct {
	claims
	mu   sync.Mutex
	left int
}

func (c *missing) Claim(mails []gate.Mail, missed func(gate.Mail, bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range mails {
		if c.left--; c.left >= 0 {
			missed(m, false)
			continue
		}
		c.claims <- m
	}
}

// TestMissed: a mail that another worker is just putting down is claimed a moment
// later.
func TestMissed(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := open(t, rdb)
	if err := g.Join(t.Context(), door(), mail(1), &gate.Wait{Reason: gate.Busy}); err != nil {
		t.Fatal(err)
	}
	c := &missing{claims: make(claims, 1), left: 3}
	serve(t, g, c)
	if m := <-c.claims; m != mail(1) {
		t.Errorf("claimed %v", m)
	}
}
