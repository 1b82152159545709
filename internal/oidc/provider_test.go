package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/oidc"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	os.Exit(m.Run())
}

const back = "https://mail.example/oidc/callback"

// A stage is a provider, and two processes that send people there.
type stage struct {
	t          *testing.T
	provider   *oauthtest.Server
	redis      *redistest.Server
	one, other *oidc.Provider
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, provider: oauthtest.Start(t, oauthtest.Options{ClientSecret: "hunter2"}), redis: redistest.Start(t)}
	s.provider.SignIn("olga@platform.example")
	process := func() *oidc.Provider {
		return oidc.New(oidc.Options{
			Issuer: s.provider.Issuer(), ClientID: "client-1", ClientSecret: secret.New("hunter2"), RedirectURL: back, Redis: s.redis.Client(t),
			Client: &http.Client{Timeout: time.Minute}, // a busy machine takes long to make the provider's key
		})
	}
	s.one, s.other = process(), process()
	return s
}

// visit is a person at the provider: what they come back with.
func (s *stage) visit(address string) url.Values {
	s.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(address)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	location, err := resp.Location()
	if err != nil || !strings.HasPrefix(location.String(), back+"?") {
		s.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return location.Query()
}

func (s *stage) begin(next string) (address, state string) {
	s.t.Helper()
	address, state, err := s.one.Begin(s.t.Context(), next)
	if err != nil {
		s.t.Fatal(err)
	}
	return address, state
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	address, state := s.begin("/tenants?page=2")
	answer := s.visit(address)
	if answer.Get("state") != state || len(state) < 26 {
		t.Errorf("state %s, sent %s", answer.Get("state"), state)
	}
	got, err := s.other.Complete(t.Context(), state, answer.Get("code"))
	if want := (oidc.Identity{Email: "olga@platform.example", Next: "/tenants?page=2"}); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for _, again := range []string{state, "", "x"} {
		if _, err := s.one.Complete(t.Context(), again, answer.Get("code")); !errors.Is(err, oidc.ErrState) {
			t.Errorf("%q: %v", again, err)
		}
	}
	if keys := s.redis.Client(t).Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("%v stay", keys)
	}
}

// TestState: what lies in Redis is named by a hash of the state, and ends by itself.
func TestState(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, state := s.begin("/")
	client := s.redis.Client(t)
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "rohrpost:oidc:") || strings.Contains(keys[0], state) {
		t.Fatalf("%v", keys)
	}
	if ttl := client.TTL(t.Context(), keys[0]).Val(); ttl <= 0 || ttl > 10*time.Minute {
		t.Errorf("it ends in %v", ttl)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		claims map[string]any
		err    error
	}{
		"not verified":       {map[string]any{"email_verified": false}, oidc.ErrUnverified},
		"nothing of it":      {map[string]any{"email_verified": nil}, oidc.ErrUnverified},
		"no address":         {map[string]any{"email": nil}, oidc.ErrUnverified},
		"verified as text":   {map[string]any{"email_verified": "true"}, oidc.ErrRefused},
		"another nonce":      {map[string]any{"nonce": "x"}, oidc.ErrRefused},
		"no nonce":           {map[string]any{"nonce": nil}, oidc.ErrRefused},
		"another client's":   {map[string]any{"aud": "client-2"}, oidc.ErrRefused},
		"another provider's": {map[string]any{"iss": "https://login.evil.example"}, oidc.ErrRefused},
		"too late":           {map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}, oidc.ErrRefused},
	}
	s := newStage(t)
	for name, tt := range tests {
		s.provider.Claim(tt.claims)
		address, state := s.begin("/")
		who, err := s.one.Complete(t.Context(), state, s.visit(address).Get("code"))
		if !errors.Is(err, tt.err) || who != (oidc.Identity{}) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
}

// TestStolenCode: a code is worth nothing with the state of another sign-in (PKCE).
func TestStolenCode(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, _ := s.begin("/")
	_, second := s.begin("/")
	if who, err := s.one.Complete(t.Context(), second, s.visit(first).Get("code")); !errors.Is(err, oidc.ErrRefused) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	address, state := s.begin("/")
	answer := s.visit(address)
	s.provider.On(oauthtest.Cut())
	if _, err := s.one.Complete(t.Context(), state, answer.Get("code")); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("the provider cuts the connection: %v", err)
	}
	none := oidc.New(oidc.Options{Issuer: "http://127.0.0.1:1", ClientID: "c", RedirectURL: back, Redis: s.redis.Client(t)})
	if _, _, err := none.Begin(t.Context(), "/"); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("no provider: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.one.Begin(ctx, "/"); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("no Redis: %v", err)
	}
	if _, err := s.one.Complete(ctx, state, "x"); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("no Redis, afterwards: %v", err)
	}
}
