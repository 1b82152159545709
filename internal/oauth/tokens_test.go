package oauth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func TestNewChecks(t *testing.T) {
	t.Parallel()
	if _, err := oauth.New(oauth.Options{Timeout: -1}); err == nil {
		t.Error("no Redis, no box, a negative timeout: no error")
	}
}

// Two processes, one account, 200 mails at once: one refresh.
func TestOneRefresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c := b.delegated()
	processes := []*oauth.Tokens{b.process(), b.process()}
	var got sync.Map
	var callers sync.WaitGroup
	for i := range 200 {
		callers.Go(func() {
			s, err := processes[i%2].Token(t.Context(), c, secret.String{})
			if err != nil {
				t.Error(err)
			}
			got.Store(s.Reveal(), true)
		})
	}
	callers.Wait()
	b.requests(1)
	n := 0
	for range got.Range {
		n++
	}
	if n != 1 {
		t.Errorf("%d different tokens", n)
	}
}

// 200 mails are refused with the same token: one refresh, for all processes.
func TestOneForcedRefresh(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c := b.delegated()
	processes := []*oauth.Tokens{b.process(), b.process()}
	old := b.good(processes[0], c, "")
	if other := b.good(processes[1], c, ""); other != old {
		t.Fatal("the processes have different tokens")
	}
	b.srv.Revoke(old)
	var callers sync.WaitGroup
	for i := range 200 {
		callers.Go(func() {
			s, err := processes[i%2].Token(t.Context(), c, secret.New(old))
			if err != nil || s.Reveal() == old || !b.srv.Valid(s.Reveal()) {
				t.Errorf("token not replaced: %v", err)
			}
		})
	}
	callers.Wait()
	b.requests(2)
}

func TestRejectedTwice(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	one, two := b.process(), b.process()
	first := b.good(one, c, "")
	second := b.good(one, c, first)
	if first == second {
		t.Fatal("the rejected token was given again")
	}
	for _, p := range []*oauth.Tokens{one, two, one, two} {
		f := b.bad(p, c, second)
		checkFailure(t, f, failure.Config, "oauth_expired")
	}
	b.requests(2)
	if b.good(one, c, "") != second {
		t.Error("who did not see it rejected is given another token")
	}
	b.pass(6 * time.Minute) // somebody may have mended it
	if b.good(two, c, second) == second {
		t.Error("the rejected token was given again")
	}
	b.requests(3)
}

// A provider that gives the same token whatever happens does not hold us in a
// loop.
func TestSameTokenAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	b.srv.On(oauthtest.JSON(200, `{"access_token":"the-only-one","token_type":"Bearer","expires_in":3600}`))
	c := b.delegated()
	p := b.process()
	s, err := p.Token(t.Context(), c, secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	checkFailure(t, b.bad(p, c, s.Reveal()), failure.Config, "oauth_expired")
	b.requests(2)
}

func TestWarmTokenIsFree(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	p := b.process()
	b.good(p, c, "")
	seen := &commands{}
	b.rdb.AddHook(seen)
	source := p.Source(c)
	for range 1000 {
		if _, err := source(t.Context(), secret.String{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := seen.count(); n != 0 {
		t.Errorf("%d commands to Redis", n)
	}
	b.requests(1)
}

// A token from Redis serves a process that starts.
func TestSecondProcessNeedsNoProvider(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	first := b.good(b.process(), c, "")
	if b.good(b.process(), c, "") != first {
		t.Error("another token")
	}
	b.requests(1)
}

// A stale token is given while the next one is asked for; nobody waits.
func TestAheadOfTime(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	p := b.process()
	first := b.good(p, c, "")
	b.pass(54 * time.Minute)
	if b.good(p, c, "") != first {
		t.Error("a token that is neither stale nor at its end was replaced")
	}
	b.pass(2 * time.Minute)
	asked, answer := make(chan struct{}), make(chan struct{})
	b.srv.Once(oauthtest.Answer{}.Doing(func() { close(asked); <-answer }))
	for range 10 {
		if b.good(p, c, "") != first {
			t.Error("not the token at hand")
		}
	}
	<-asked
	if b.good(p, c, "") != first || b.good(b.process(), c, "") != first {
		t.Error("not the token at hand")
	}
	close(answer)
	waitFor(t, func() bool { return b.good(p, c, "") != first })
	b.requests(2)
}

// The provider is down ahead of time: the token at hand serves, and not every
// mail asks.
func TestAheadOfTimeFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	p := b.process()
	first := b.good(p, c, "")
	b.pass(56 * time.Minute)
	b.srv.On(oauthtest.Raw(503, "down"))
	b.good(p, c, "")
	waitFor(t, func() bool { return b.srv.Count("") == 2 })
	waitFor(t, func() bool { return contains(b.log.String(), "no access token") })
	for range 50 {
		if b.good(p, c, "") != first {
			t.Error("not the token at hand")
		}
	}
	b.requests(2)
	b.pass(4 * time.Minute)
	checkFailure(t, b.bad(p, c, ""), failure.Transient, "oauth_temporary")
	b.srv.On(oauthtest.Answer{})
	b.pass(6 * time.Second)
	b.good(p, c, "")
}

func TestRefusalIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	b.srv.Revoke(c.RefreshToken.Reveal())
	p := b.process()
	for range 50 {
		checkFailure(t, b.bad(p, c, ""), failure.Config, "oauth_expired")
	}
	b.requests(1)
	b.pass(61 * time.Second)
	checkFailure(t, b.bad(p, c, ""), failure.Config, "oauth_expired")
	b.requests(2)

	// Connected again: what is remembered is of the old refresh token.
	c.RefreshToken = secret.New(b.srv.Connect("max@acme.example"))
	b.good(p, c, "")
	b.requests(3)
}

// Slow down means for all, and for as long as the provider says.
func TestThrottleIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	b.srv.Once(oauthtest.JSON(429, `{"error":"slow_down"}`).With("Retry-After", "900"))
	c, p := b.delegated(), b.process()
	f := b.bad(p, c, "")
	checkFailure(t, f, failure.Throttle, "rate_limited")
	if f.RetryAfter != 15*time.Minute {
		t.Errorf("again after %s", f.RetryAfter)
	}
	b.pass(14 * time.Minute)
	checkFailure(t, b.bad(p, c, ""), failure.Throttle, "rate_limited")
	b.requests(1)
	b.pass(2 * time.Minute)
	b.good(p, c, "")
}

// Who leaves does not take the refresh along.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c, p := b.delegated(), b.process()
	asked, answer := make(chan struct{}), make(chan struct{})
	b.srv.Once(oauthtest.Answer{}.Doing(func() { close(asked); <-answer }))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := p.Token(ctx, c, secret.String{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(answer)
	b.good(p, c, "")
	b.requests(1)
}

func TestClose(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c, p := b.delegated(), b.process()
	asked, answer := make(chan struct{}), make(chan struct{})
	b.srv.Once(oauthtest.Answer{}.Doing(func() { close(asked); <-answer }))
	got := make(chan error, 1)
	go func() {
		_, err := p.Token(t.Context(), c, secret.String{})
		got <- err
	}()
	<-asked
	closed := make(chan struct{})
	go func() { _ = p.Close(); close(closed) }()
	close(answer)
	if err := <-got; err != nil {
		t.Errorf("a request that is under way is let end: %v", err)
	}
	<-closed
	other := c
	other.Transport = oauth.Graph
	checkFailure(t, b.bad(p, other, ""), failure.Transient, "connection_lost")
	b.good(b.process(), c, "")
	b.requests(1)
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("it does not happen")
		}
	}
}
