package route_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/resolver"
)

// A pair is a worker process that has the two connections which an account may have, as
// its server counts them, and another process.
type pair struct {
	*bench
	server        *smtptest.Server
	account       *resolver.Account
	worker, other *route.Route
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{bench: newBench(t), server: smtptest.Start(t, smtptest.Options{Username: "max", Password: "hunter2", MaxSessions: 2})}
	p.account = withPassword(p.server)
	p.account.Trusted, p.account.SMTP.MaxConnections = true, 2
	p.worker, p.other = p.start(), p.start()
	p.fill()
	return p
}

// start makes a process that listens for what others want.
func (p *pair) start() *route.Route {
	p.Helper()
	r := p.openWith(route.Options{TestPatience: 10 * time.Second})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	p.Cleanup(func() { stop(); running.Wait() })
	return r
}

// fill has the worker open both connections, which are idle then.
func (p *pair) fill() {
	p.Helper()
	release := p.occupy()
	release()
	waitFor(p.T, "both connections are idle", func() bool { return p.worker.Stats() == smtp.Stats{Open: 2, Idle: 2} })
}

// occupy has mails on both connections of the worker until release.
func (p *pair) occupy() (release func()) {
	p.Helper()
	held := make(chan struct{})
	var sending sync.WaitGroup
	p.server.Once(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-held }), smtptest.Answer{}.Doing(func() { <-held }))
	before := p.server.Count(smtptest.Dot)
	for range 2 {
		sending.Go(func() {
			if f := p.send(p.worker, p.account).Failure; f != nil {
				p.Error(f)
			}
		})
	}
	waitFor(p.T, "both connections are busy", func() bool { return p.server.Count(smtptest.Dot) == before+2 })
	return sync.OnceFunc(func() { close(held); sending.Wait() })
}

// try wants a test mail and an examination of a process to find a connection.
func (p *pair) try(what string, r *route.Route) {
	p.Helper()
	out, err := r.Try(p.Context(), p.account, mail(), nil)
	if err != nil || out.Verdicts[0].Failure != nil {
		p.Errorf("%s: test mail: %v, %+v", what, err, out.Verdicts)
	}
	for _, step := range r.Check(p.Context(), p.account, smtp.CheckOptions{From: "max@acme.example"}) {
		if step.Failure != nil || step.Skipped {
			p.Errorf("%s: %s: %v", what, step.Name, step.Failure)
		}
	}
}

// TestTryTakesAnIdlePlace: a server that allows two connections, and a worker that holds
// both: a test of the worker itself, or of another process, takes the place of one.
func TestTryTakesAnIdlePlace(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.try("the worker itself", p.worker)
	p.fill()
	p.try("another process", p.other)
	p.fill() // the connections of the tests have ended
	if n := p.leasesOf(p.account); n != 2 {
		t.Errorf("%d leases", n)
	}
}

// TestTryBesideMails: connections that are never idle give one up between two mails,
// and no mail meets a server that has too many.
func TestTryBesideMails(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	for range 6 {
		sending.Go(func() {
			for ctx.Err() == nil {
				if f := p.send(p.worker, p.account).Failure; f != nil {
					t.Error(f)
				}
			}
		})
	}
	for range 3 {
		p.try("the worker itself", p.worker)
		p.try("another process", p.other)
	}
	stop()
	sending.Wait()
}

// TestTryFindsAllBusy: when no mail ends in time the result says so, in words that name
// the number, and the mails go on.
func TestTryFindsAllBusy(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	release := p.occupy()
	defer release()
	hasty := p.openWith(route.Options{TestPatience: 100 * time.Millisecond})
	busy := func(what string, f *failure.Failure) {
		t.Helper()
		if f == nil {
			t.Errorf("%s: no failure", what)
			return
		}
		if b, ok := errors.AsType[*failure.Busy](f); !ok || b.Connections != 2 || f.Code != 0 || f.Diagnostic != "all 2 connections of the account are busy with mails" {
			t.Errorf("%s: %v", what, f)
		}
	}
	out, err := hasty.Try(t.Context(), p.account, mail(), nil)
	if err != nil {
		t.Fatal(err)
	}
	busy("test mail", out.Verdicts[0].Failure)
	for _, step := range hasty.Check(t.Context(), p.account, smtp.CheckOptions{}) {
		if step.Name == smtp.StepConnect {
			busy("examination", step.Failure)
		}
	}
	if n := p.leasesOf(p.account); n != 2 || p.server.Sessions() != 2 {
		t.Errorf("%d leases, %d connections", n, p.server.Sessions())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.other.Try(ctx, p.account, mail(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	release()
	p.fill()
}
