package oauth_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	os.Exit(m.Run())
}

// A bench is a scripted provider, a Redis, and a clock that only a test moves.
type bench struct {
	*testing.T
	srv   *oauthtest.Server
	redis *redistest.Server
	rdb   redis.UniversalClient
	box   *seal.Box
	log   *safeBuffer

	mu    sync.Mutex
	clock time.Time
}

func newBench(t *testing.T, o oauthtest.Options) *bench {
	t.Helper()
	b := &bench{
		T: t, srv: oauthtest.Start(t, o), redis: redistest.Start(t), log: &safeBuffer{},
		box: newBox(t), clock: time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC),
	}
	b.rdb = b.redis.Client(t)
	return b
}

func newBox(t *testing.T) *seal.Box {
	t.Helper()
	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.New(seal.Options{Identities: identity})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.clock
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clock = b.clock.Add(d)
}

// process is a worker process of its own, but for Redis.
func (b *bench) process(edit ...func(*oauth.Options)) *oauth.Tokens {
	b.Helper()
	o := oauth.Options{Redis: b.rdb, Box: b.box, HTTPClient: b.srv.Client(), Now: b.now, Logger: zerolog.New(b.log)}
	for _, e := range edit {
		e(&o)
	}
	tokens, err := oauth.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = tokens.Close() })
	return tokens
}

// delegated are the credentials of a mailbox that was just connected.
func (b *bench) delegated() oauth.Credentials {
	return oauth.Credentials{
		Account: "acme/max", Provider: oauth.Microsoft, ClientID: "client-1",
		RefreshToken: secret.New(b.srv.Connect("max@acme.example")), TokenURL: b.srv.TokenURL(), AuthURL: b.srv.AuthURL(),
	}
}

// good asks for a token and checks that the provider knows it.
func (b *bench) good(tokens *oauth.Tokens, c oauth.Credentials, rejected string) string {
	b.Helper()
	s, err := tokens.Token(b.Context(), c, secret.New(rejected))
	if err != nil {
		b.Fatalf("no token: %v", err)
	}
	if !b.srv.Valid(s.Reveal()) {
		b.Fatal("the provider does not know the token")
	}
	return s.Reveal()
}

// bad asks for a token and gives the failure.
func (b *bench) bad(tokens *oauth.Tokens, c oauth.Credentials, rejected string) *failure.Failure {
	b.Helper()
	s, err := tokens.Token(b.Context(), c, secret.New(rejected))
	if err == nil || !s.IsZero() {
		b.Fatalf("a token, and error %v", err)
	}
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || f.Stage != failure.StageToken {
		b.Fatalf("error %v is no failure of stage token", err)
	}
	return f
}

func (b *bench) requests(want int) {
	b.Helper()
	if n := b.srv.Count(""); n != want {
		b.Errorf("%d requests to the provider, want %d", n, want)
	}
}

func checkFailure(t *testing.T, f *failure.Failure, class failure.Class, category string) {
	t.Helper()
	if f.Class != class || f.Category != category {
		t.Errorf("%s %s, want %s %s: %v", f.Class, f.Category, class, category, f)
	}
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// everything is all that Redis holds.
func (b *bench) everything() string {
	b.Helper()
	keys, err := b.rdb.Keys(b.Context(), "*").Result()
	if err != nil {
		b.Fatal(err)
	}
	var all strings.Builder
	for _, k := range keys {
		all.WriteString(k + "\n")
		dump, err := b.rdb.Dump(b.Context(), k).Result()
		if err != nil {
			b.Fatal(err)
		}
		all.WriteString(dump)
		if fields, err := b.rdb.HGetAll(b.Context(), k).Result(); err == nil {
			for f, v := range fields {
				all.WriteString(f + "=" + v + "\n")
			}
		}
	}
	return all.String()
}

// commands counts what goes to Redis.
type commands struct {
	mu sync.Mutex
	n  int
}

func (c *commands) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *commands) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.mu.Lock()
		c.n++
		c.mu.Unlock()
		return next(ctx, cmd)
	}
}

func (c *commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// roundTrip is a transport in a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func contains(s, part string) bool { return strings.Contains(s, part) }
