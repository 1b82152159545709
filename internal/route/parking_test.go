package route_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// sendAll sends n mails at a time through each of the routes, and counts what
// became of them.
func (b *bench) sendAll(a *resolver.Account, n int, routes ...*route.Route) map[string]int {
	b.Helper()
	var (
		mu    sync.Mutex
		count = map[string]int{}
		wg    sync.WaitGroup
	)
	for _, r := range routes {
		for range n {
			wg.Go(func() {
				verdict := "250"
				if f := b.send(r, a).Failure; f != nil {
					verdict = f.Category
				}
				mu.Lock()
				defer mu.Unlock()
				count[verdict]++
			})
		}
	}
	wg.Wait()
	return count
}

// leasesOf is how many connections of an account count in Redis.
func (b *bench) leasesOf(a *resolver.Account) int64 {
	b.Helper()
	n, err := b.rdb.ZCard(b.Context(), "rohrpost:lease:{"+a.ID()+"}:connections").Result()
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// TestConnectionsOverAllWorkers: by the server's own count there are never more
// than the account may have.
func TestConnectionsOverAllWorkers(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	a := withPassword(server)
	a.Trusted, a.SMTP.MaxConnections = true, 2
	var open, most, logins atomic.Int64
	both := make(chan struct{})
	server.On(smtptest.Banner, smtptest.Answer{}.Doing(func() {
		if now := open.Add(1); now > most.Load() {
			most.Store(now)
			if now == 2 {
				close(both)
			}
		}
	}))
	// The first mail waits for the second connection: one alone might take them all.
	server.Once(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-both }))
	server.On(smtptest.QUIT, smtptest.Answer{}.Doing(func() { open.Add(-1) }))
	server.On(smtptest.AUTH, smtptest.Answer{}.Doing(func() { logins.Add(1) }))
	routes := []*route.Route{b.open(), b.open(), b.open(), b.open()}
	first, others := routes[0], routes[1:]
	if got := b.sendAll(a, 20, first); got["250"] != 20 || b.leasesOf(a) != 2 {
		t.Errorf("one worker: %v, %d leases", got, b.leasesOf(a))
	}
	start := time.Now()
	if _, err := others[0].Send(t.Context(), a, mail(), armed); !errors.Is(err, transport.ErrBusy) {
		t.Errorf("another one: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("that took %v", took)
	}
	if err := first.Close(); err != nil || b.leasesOf(a) != 0 {
		t.Errorf("after Close: %v, %d leases", err, b.leasesOf(a))
	}
	// Three that compete, each closing what it has.
	var wg sync.WaitGroup
	for _, r := range others {
		wg.Go(func() {
			if got := b.sendAll(a, 10, r); got["250"] != 10 {
				t.Errorf("%v", got)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 2 || open.Load() != 0 || server.Taken() != 50 || b.leasesOf(a) != 0 {
		t.Errorf("%d at a time, %d left, %d mails, %d leases", most.Load(), open.Load(), server.Taken(), b.leasesOf(a))
	}
}

// TestOneLogin: four workers with the same wrong password try it once, before and
// after an operator has released the account; new settings are tried at once.
func TestOneLogin(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	a := withPassword(server)
	a.Trusted, a.SMTP.Password, a.SMTP.MaxConnections = true, resolver.NewSecret("wrong"), 20
	routes := []*route.Route{b.open(), b.open(), b.open(), b.open()} // none of which listens for changes
	if got := b.sendAll(a, 5, routes...); got["auth_failed"] != 20 || server.Count(smtptest.AUTH) != 1 {
		t.Errorf("%v with %d logins", got, server.Count(smtptest.AUTH))
	}
	released, err := breaker.New(breaker.Options{Redis: b.rdb, Backlog: backlog.New(b.rdb, nil)})
	if err != nil {
		t.Fatal(err)
	}
	if err := released.Reset(t.Context(), a.ID()); err != nil {
		t.Fatal(err)
	}
	again := []*route.Route{b.open(), b.open(), b.open(), b.open()}
	if got := b.sendAll(a, 5, again...); got["auth_failed"] != 20 || server.Count(smtptest.AUTH) != 2 {
		t.Errorf("released: %v with %d logins", got, server.Count(smtptest.AUTH))
	}
	a.SMTP.Password = resolver.NewSecret("hunter2")
	if got := b.sendAll(a, 5, routes...); got["250"] != 20 {
		t.Errorf("the right password: %v", got)
	}
	for _, r := range append(routes, again...) {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	// The provider has changed it since.
	server.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 wrong password"))
	before, last := server.Count(smtptest.AUTH), b.open()
	if v := b.send(last, a); v.Failure == nil || server.Count(smtptest.AUTH) != before+1 {
		t.Errorf("%v after %d logins", v.Failure, server.Count(smtptest.AUTH)-before)
	}
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	if n, err := b.rdb.Exists(t.Context(), "rohrpost:lease:{"+a.ID()+"}:proven").Result(); n != 0 || err != nil || b.leasesOf(a) != 0 {
		t.Errorf("the refused password still counts as proven (%v), or %d connections as open", err, b.leasesOf(a))
	}
}

// commands counts what a process says to Redis, and how much of it is scripts.
type commands struct{ count, scripts atomic.Int64 }

func (*commands) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.add(cmd)
		return next(ctx, cmd)
	}
}

func (c *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			c.add(cmd)
		}
		return next(ctx, cmds)
	}
}

// add counts a command, but for those by which the client greets Redis on a connection
// of its own, which it opens when it likes.
func (c *commands) add(cmd redis.Cmder) {
	switch cmd.Name() {
	case "hello", "client", "auth", "select":
		return
	case "evalsha":
		c.scripts.Add(1)
	}
	c.count.Add(1)
}

// TestWarmCostsNothing: mails over an open connection say nothing to Redis. A
// connection ends after 100 mails: one lease given back, one taken.
func TestWarmCostsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	server := smtptest.Start(t, smtptest.Options{Username: "max", Password: "hunter2", Discard: true})
	a := withPassword(server)
	a.Trusted = true
	r := b.open()
	b.send(r, a)
	said := &commands{}
	b.rdb.AddHook(said)
	for range 98 { // after the next one the connection is closed, beside this test
		b.send(r, a)
	}
	if got := said.count.Load(); got != 0 || server.Sessions() != 1 {
		t.Errorf("98 mails over a warm connection: %d commands, %d connections", got, server.Sessions())
	}
	for range 1001 {
		b.send(r, a)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got := said.scripts.Load(); got != 21 || server.Sessions() != 11 || server.Taken() != 1100 {
		t.Errorf("%d mails over %d connections: %d scripts", server.Taken(), server.Sessions(), got)
	}
}

// TestLeasesWithoutRedis: no connection is opened that nobody could count.
func TestLeasesWithoutRedis(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	r := b.open()
	a := withPassword(server)
	a.Trusted = true
	if err := b.rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Send(t.Context(), a, mail(), armed); err == nil || errors.Is(err, transport.ErrBusy) || !strings.Contains(err.Error(), "take a connection of user/acme/max") {
		t.Errorf("sent: %v", err)
	}
	if server.Sessions() != 0 || r.Stats().Open != 0 {
		t.Errorf("%d connections, %+v", server.Sessions(), r.Stats())
	}
	out, err := r.Try(t.Context(), a, mail(), nil)
	if err != nil || out.Verdicts[0].Failure != nil {
		t.Errorf("a test mail needs no lease: %v, %v", err, out)
	}
}
