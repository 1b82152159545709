package oidc_test

import (
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

// begin is a sign-in that begins: where the browser goes, what it keeps, and the state in
// the address.
func (s *stage) begin(next string) (address, ticket, state string) {
	s.t.Helper()
	address, ticket, err := s.one.Begin(s.t.Context(), next)
	if err != nil {
		s.t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		s.t.Fatal(err)
	}
	return address, ticket, u.Query().Get("state")
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	address, ticket, state := s.begin("/tenants?page=2")
	answer := s.visit(address)
	if answer.Get("state") != state || len(state) < 26 {
		t.Errorf("state %s, sent %s", answer.Get("state"), state)
	}
	got, err := s.other.Complete(t.Context(), ticket, state, answer.Get("code"))
	if want := (oidc.Identity{Email: "olga@platform.example", Next: "/tenants?page=2"}); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	// The provider gives another code for what was completed.
	if _, err := s.one.Complete(t.Context(), ticket, state, s.visit(address).Get("code")); !errors.Is(err, oidc.ErrState) {
		t.Errorf("twice: %v", err)
	}
	_, another, _ := s.begin("/")
	for _, wrong := range [][2]string{{another, state}, {"", state}, {"x", state}, {".", state}, {ticket, ""}, {ticket, "x"}, {ticket, ticket}, {"!" + ticket, state}} {
		if _, err := s.one.Complete(t.Context(), wrong[0], wrong[1], answer.Get("code")); !errors.Is(err, oidc.ErrState) {
			t.Errorf("ticket %q, state %q: %v", wrong[0], wrong[1], err)
		}
	}
	client := s.redis.Client(t)
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || !strings.HasPrefix(keys[0], "rohrpost:oidc:") || strings.Contains(keys[0], state) {
		t.Fatalf("%v", keys)
	}
	if ttl := client.TTL(t.Context(), keys[0]).Val(); ttl <= 0 || ttl > 10*time.Minute {
		t.Errorf("it ends in %v", ttl)
	}
}

// TestBeginKeepsNothing: whoever only begins, or brings back what is no sign-in, fills no
// memory of Redis.
func TestBeginKeepsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 200 {
		address, ticket, state := s.begin(strings.Repeat("/", i*20))
		if secret, _, _ := strings.Cut(ticket, "."); strings.Contains(address, secret) || len(ticket) > 3000 || strings.ContainsAny(ticket, " ;,\"") {
			t.Fatalf("the browser keeps %q, and the address is %s", ticket, address)
		}
		if i%20 == 0 {
			if _, err := s.one.Complete(t.Context(), ticket, state, "made up"); !errors.Is(err, oidc.ErrRefused) {
				t.Errorf("a code that is none: %v", err)
			}
		}
	}
	if keys := s.redis.Client(t).Keys(t.Context(), "*").Val(); len(keys) > 0 {
		t.Errorf("%q stay", keys)
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
		address, ticket, state := s.begin("/")
		who, err := s.one.Complete(t.Context(), ticket, state, s.visit(address).Get("code"))
		if !errors.Is(err, tt.err) || who != (oidc.Identity{}) {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
}

// TestStolenCode: a code is worth nothing with the ticket of another sign-in (PKCE).
func TestStolenCode(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first, _, _ := s.begin("/")
	_, second, state := s.begin("/")
	if who, err := s.one.Complete(t.Context(), second, state, s.visit(first).Get("code")); !errors.Is(err, oidc.ErrRefused) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	address, ticket, state := s.begin("/")
	answer := s.visit(address)
	s.provider.On(oauthtest.Cut())
	if _, err := s.one.Complete(t.Context(), ticket, state, answer.Get("code")); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("the provider cuts the connection: %v", err)
	}
	none := oidc.New(oidc.Options{Issuer: "http://127.0.0.1:1", ClientID: "c", RedirectURL: back, Redis: s.redis.Client(t)})
	if _, _, err := none.Begin(t.Context(), "/"); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("no provider: %v", err)
	}
	s.redis.Kill()
	address, ticket, state = s.begin("/")
	if _, err := s.one.Complete(t.Context(), ticket, state, s.visit(address).Get("code")); !errors.Is(err, oidc.ErrUnreachable) {
		t.Errorf("no Redis: %v", err)
	}
}
