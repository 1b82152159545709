package oauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// used are the refresh tokens that the provider was asked with.
func (b *bench) used() []string {
	var list []string
	for _, r := range b.srv.Requests() {
		list = append(list, r.Token)
	}
	return list
}

// A strict provider ends a refresh token at its use: the next one comes from
// Redis, in whatever process.
func TestRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c := b.delegated()
	for range 5 {
		b.good(b.process(), c, "")
		b.pass(2 * time.Hour)
	}
	seen := map[string]bool{}
	for _, r := range b.used() {
		if seen[r] {
			t.Error("a refresh token was used twice")
		}
		seen[r] = true
	}
	b.requests(5)
}

// A provider that does not rotate (Google) is asked with the same one.
func TestNoRotation(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{})
	c := b.delegated()
	c.Provider = oauth.Google
	for range 3 {
		b.good(b.process(), c, "")
		b.pass(2 * time.Hour)
	}
	for _, r := range b.used() {
		if r != c.RefreshToken.Reveal() {
			t.Error("another refresh token")
		}
	}
	b.requests(3)
}

// What is stored belongs to the refresh token that was connected: other settings
// go on with its successor, a new connection starts with its own.
func TestNewSettings(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c := b.delegated()
	first := b.good(b.process(), c, "")

	moved := c
	moved.Transport = oauth.Graph
	if b.good(b.process(), moved, "") == first {
		t.Error("a token for SMTP is given for Graph")
	}
	if b.used()[1] == c.RefreshToken.Reveal() {
		t.Error("other settings: the first refresh token is used again")
	}
	again := c
	again.RefreshToken = secret.New(b.srv.Connect("max@acme.example"))
	b.good(b.process(), again, "")
	if b.used()[2] != again.RefreshToken.Reveal() {
		t.Error("connected again: not the new refresh token is used")
	}
	b.requests(3)
}

// mortal is a process that dies when it has the provider's answer: from then on
// it does nothing, and its lock stays.
func (b *bench) mortal() (p *oauth.Tokens, died <-chan struct{}) {
	dead, release := make(chan struct{}), make(chan struct{})
	client := *b.srv.Client()
	next := client.Transport
	client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		close(dead)
		<-release
		return resp, err
	})
	p = b.process(quick, func(o *oauth.Options) { o.HTTPClient = &client })
	b.Cleanup(func() { close(release) })
	return p, dead
}

func quick(o *oauth.Options) { o.Timeout = time.Second }

// kill -9 between the refresh and its storing: the lock ends by itself. A
// provider that lets the old refresh token live (Microsoft) gives another token;
// with one that does not, the account must be connected again.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		strict bool
	}{{"the old refresh token lives", false}, {"the old refresh token is dead", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, oauthtest.Options{Rotate: true, Strict: tt.strict})
			c := b.delegated()
			dead, died := b.mortal()
			go func() { _, _ = dead.Token(t.Context(), c, secret.String{}) }()
			<-died
			begin := time.Now()
			if tt.strict {
				checkFailure(t, b.bad(b.process(quick), c, ""), failure.Config, "oauth_expired")
			} else {
				b.good(b.process(quick), c, "")
			}
			if waited := time.Since(begin); waited > 5*time.Second {
				t.Errorf("it took %s", waited)
			}
			b.requests(2)
		})
	}
}

// The provider has rotated, and its answer is lost.
func TestAnswerIsLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true})
	c := b.delegated()
	p := b.process()
	b.srv.Once(oauthtest.Cut().Issuing())
	checkFailure(t, b.bad(p, c, ""), failure.Transient, "connection_lost")
	b.pass(6 * time.Second)
	b.good(p, c, "")
	b.requests(2)
}

func TestRedisGone(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	c, p := b.delegated(), b.process()
	first := b.good(p, c, "")
	b.redis.Kill()
	if b.good(p, c, "") != first {
		t.Error("not the token at hand")
	}
	b.pass(57 * time.Minute) // stale
	if b.good(p, c, "") != first {
		t.Error("not the token at hand")
	}
	b.pass(10 * time.Minute)
	f := b.bad(p, c, "")
	checkFailure(t, f, failure.Transient, "unknown")
	if f.Rule != 106 {
		t.Errorf("rule %d tells the administrator about a server: %v", f.Rule, f)
	}
	b.requests(1)
}

// Redis goes away while the provider answers. Nobody has the new token before
// its refresh token is stored, and it is stored when Redis is back.
func TestRedisGoneBetween(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, Strict: true})
	b.redis = redistest.Start(t, redistest.AOF())
	b.rdb = b.redis.Client(t)
	c, p := b.delegated(), b.process()
	b.good(p, c, "")
	b.pass(2 * time.Hour)
	b.srv.Once(oauthtest.Answer{}.Doing(b.redis.Kill))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if s, err := p.Token(ctx, c, secret.String{}); err == nil || !s.IsZero() {
		t.Error("a token was given whose refresh token is stored nowhere")
	}
	b.redis.Start()
	second := b.good(p, c, "")
	b.requests(2)
	if b.good(b.process(), c, "") != second {
		t.Error("another token is stored")
	}
	b.pass(2 * time.Hour)
	b.good(b.process(), c, "")
	b.requests(3)
}

// The lock was lost, and somebody else stored a token: that one is used.
func TestSlowHolder(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true})
	c := b.delegated()
	slow, other := b.process(), b.process()
	var second string
	b.srv.Once(oauthtest.Answer{}.Doing(func() {
		keys, err := b.rdb.Keys(context.Background(), "*:lock").Result()
		if err != nil || len(keys) != 1 {
			t.Errorf("locks %q, %v", keys, err)
		}
		b.rdb.Del(context.Background(), keys...)
		second = b.good(other, c, "")
	}))
	if b.good(slow, c, "") != second {
		t.Error("two processes use different tokens")
	}
	b.requests(2)
}

// The keys were exchanged without a time of both: what is sealed cannot be
// opened, and the account goes on with the refresh token of its settings.
func TestKeysLost(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true})
	c := b.delegated()
	first := b.good(b.process(), c, "")
	b.box = newBox(t)
	if b.good(b.process(), c, "") == first {
		t.Error("a token that cannot be opened")
	}
	if got := b.used(); got[1] != c.RefreshToken.Reveal() {
		t.Error("not the refresh token of the settings")
	}
	b.requests(2)
}

func TestStoredIsSealed(t *testing.T) {
	t.Parallel()
	b := newBench(t, oauthtest.Options{Rotate: true, ClientSecret: "canary-client-secret"})
	c := b.delegated()
	c.ClientSecret = secret.New("canary-client-secret")
	access := b.good(b.process(), c, "")
	all := b.everything()
	if !strings.Contains(all, "rohrpost:oauth:{") {
		t.Fatalf("nothing is stored: %q", all)
	}
	for _, s := range []string{access, c.RefreshToken.Reveal(), "canary-client-secret", c.Account, "max@acme"} {
		if strings.Contains(all, s) {
			t.Errorf("Redis holds %q", s)
		}
	}
	for _, key := range b.rdb.Keys(t.Context(), "*").Val() {
		if ttl := b.rdb.TTL(t.Context(), key).Val(); ttl < 180*24*time.Hour || ttl > 201*24*time.Hour {
			t.Errorf("%s is kept for %s", key, ttl)
		}
	}
}
