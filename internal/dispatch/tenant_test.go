package dispatch_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A crowd is tenants that send through accounts of their own, over 16 workers.
type crowd struct {
	*process
	t     *testing.T
	at    time.Time
	mails int
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{t: t, at: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}
	c.process = newProcess(t, redistest.Start(t).Client(t), 16, func() time.Time { return c.at })
	return c
}

// enter lets a mail of the n-th account of a tenant through; nil: it waits.
func (c *crowd) enter(tenant string, n int) *dispatch.Permit {
	c.t.Helper()
	c.mails++
	d := dispatch.Target{
		Target: breaker.Target{
			Account: fmt.Sprintf("user/%s/%d", tenant, n), Tenant: tenant, Server: fmt.Sprintf("%s-%d.example:25", tenant, n),
			Fingerprint: as("1"),
		},
		Connections: 4,
	}
	p, w, err := c.Admit(c.t.Context(), d, mail(c.mails), 1)
	if err != nil || p == nil && w.Reason != dispatch.Busy {
		c.t.Fatalf("%+v, %v", w, err)
	}
	return p
}

// fill lets a tenant have as many as it may through accounts of its own.
func (c *crowd) fill(tenant string) (passes []*dispatch.Permit) {
	c.t.Helper()
	for n := range 30 {
		if p := c.enter(tenant, n); p != nil {
			passes = append(passes, p)
		}
	}
	return passes
}

// TestTenantsShareTheWorkers: however many accounts a tenant has, others find workers,
// and get their part while they send.
func TestTenantsShareTheWorkers(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	evil := c.fill("evil")
	if len(evil) != 12 {
		t.Errorf("alone a tenant has %d of 16 workers, want three quarters", len(evil))
	}
	other := c.enter("other", 0)
	if other == nil {
		t.Fatal("another tenant finds no worker")
	}
	for n, p := range evil[:8] {
		p.Done(t.Context(), breaker.Result{Reached: true})
		if c.enter("evil", 20+n) != nil {
			t.Errorf("with %d in hand it gets one more, while another sends", 11-n)
		}
	}
	evil[8].Done(t.Context(), breaker.Result{Reached: true})
	if c.enter("evil", 40) == nil {
		t.Error("a quarter is its own")
	}
	other.Done(t.Context(), breaker.Result{Reached: true})
	c.at = c.at.Add(time.Minute)
	if more := c.fill("evil"); len(more) != 8 {
		t.Errorf("alone again it gets %d more", len(more))
	}
}

// TestTheLastWorkers are for tenants that have none.
func TestTheLastWorkers(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	c.enter("x", 0).Done(t.Context(), breaker.Result{Reached: true})
	for tenant, want := range map[string]int{"a": 4} {
		if got := len(c.fill(tenant)); got != want {
			t.Errorf("%s has %d", tenant, got)
		}
	}
	for _, tenant := range []string{"b", "c", "d"} {
		c.fill(tenant)
	}
	for n := range 2 {
		tenant := fmt.Sprint("late", n)
		if c.enter(tenant, 0) == nil {
			t.Errorf("%s finds no worker", tenant)
		}
		if c.enter(tenant, 1) != nil {
			t.Errorf("%s has two of the last", tenant)
		}
	}
}

// TestSilentServer: a server that has said nothing about several mails for a minute gets
// one at a time.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	d := target()
	d.Connections = 10
	enter := func(server string) *dispatch.Permit {
		c.mails++
		d.Server = server
		p, _, err := c.Admit(t.Context(), d, mail(c.mails), 1)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := enter("slow.example:25")
	for range 2 {
		enter("slow.example:25")
	}
	c.at = c.at.Add(time.Minute)
	probe := enter("slow.example:25")
	if probe == nil || enter("slow.example:25") != nil {
		t.Error("one may try, and no more")
	}
	d.Account = "tenant/globex"
	if enter("fast.example:25") == nil {
		t.Error("another server has nothing to do with it")
	}
	d.Account = "tenant/acme"
	first.Done(t.Context(), breaker.Result{Reached: true})
	if enter("slow.example:25") == nil {
		t.Error("two silent mails are not several")
	}
	probe.Abandon(t.Context())
}
