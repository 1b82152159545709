package accounts_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const session = "session-1"

// A site is a web page at which people connect their mailboxes, as the pages do it: the
// session is a header here.
type site struct {
	*office
	provider *oauthtest.Server
	redirect string
	done     []accounts.Connected
}

func openSite(t *testing.T, file string) *site {
	t.Helper()
	s := &site{office: open(t, file), provider: oauthtest.Start(t, oauthtest.Options{ClientSecret: hunter2})}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		oauth.Complete(func(ctx context.Context, redirect oauth.Redirect) (string, error) {
			done, err := s.CompleteConnect(ctx, r.Header.Get("Session"), redirect)
			if err == nil {
				s.done = append(s.done, done)
			}
			return done.Mailbox, err
		}).ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s.redirect = web.URL + "/accounts/connected"
	return s
}

// ask is what a page asks for: the mailbox of the platform, which is the only one whose
// provider may be this machine without TLS.
func (s *site) ask() accounts.Connect {
	return accounts.Connect{
		Who: olga(), RedirectURL: s.redirect, Session: session,
		Settings: resolver.OAuth2Settings{
			Provider: resolver.Google, Transport: "gmail", ClientID: "client-1", ClientSecret: resolver.NewSecret(hunter2),
			Endpoints: &resolver.Endpoints{Authorize: s.provider.AuthURL(), Token: s.provider.TokenURL()},
		},
	}
}

// signIn begins, and gives the address to which the provider sends the browser back.
func (s *site) signIn(c accounts.Connect) *url.URL {
	s.Helper()
	address, err := s.BeginConnect(s.Context(), c)
	if err != nil {
		s.Fatal(err)
	}
	return s.follow(address)
}

// follow has somebody sign in at the provider's page.
func (s *site) follow(address string) *url.URL {
	s.Helper()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.Get(address)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	back, err := resp.Location()
	if err != nil {
		s.Fatal(err)
	}
	return back
}

// visit comes back with a browser of a session.
func (s *site) visit(session string, back *url.URL) int {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodGet, back.String(), nil)
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Session", session)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestConnect: a page begins, the browser comes back: the token is stored, the history
// says who did it, and the account is no longer parked.
func TestConnect(t *testing.T) {
	t.Parallel()
	s := openSite(t, "")
	platform := resolver.Place{}
	s.put(platform, &resolver.Entry{Account: s.settings("noreply@platform.example")})
	a, _, err := s.Find(t.Context(), platform)
	if err != nil {
		t.Fatal(err)
	}
	refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
	if err := s.options.Breaker.Park(t.Context(), a.ID(), a.Fingerprint(), refused); err != nil {
		t.Fatal(err)
	}
	if status := s.visit(session, s.signIn(s.ask())); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	want := []accounts.Connected{{Place: platform, Mailbox: "max@acme.example", Expected: "noreply@platform.example"}}
	if diff := cmp.Diff(want, s.done); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r, err := s.Record(t.Context(), platform)
	if err != nil || r.Entry.Account.Address != "noreply@platform.example" || r.Entry.Account.OAuth2.Username != "max@acme.example" || r.Account.OAuth2.RefreshToken.IsZero() {
		t.Errorf("%+v, %v", r, err)
	}
	if n := s.options.Breaker.States(); len(n) != 0 {
		t.Errorf("still parked: %v", n)
	}
	history, err := s.options.Store.History(t.Context(), olga(), "", 1)
	if err != nil || len(history) != 1 || history[0].Actor.Name != "olga" || history[0].Action != "set" {
		t.Errorf("history %v, %v", history, err)
	}
	// Once more, with what is stored: nothing but the provider is named.
	again := accounts.Connect{Who: olga(), Settings: resolver.OAuth2Settings{Provider: resolver.Google}, RedirectURL: s.redirect, Session: session}
	if status := s.visit(session, s.signIn(again)); status != http.StatusOK || len(s.done) != 2 || s.done[1].Expected != "" {
		t.Errorf("status %d, %+v", status, s.done)
	}
	if n, err := s.KeepTokens(t.Context()); err != nil || n != 1 {
		t.Errorf("the token is not good: %d used, %v", n, err)
	}
}

// TestConnectState: a redirect is good for one session, once, for ten minutes.
func TestConnectState(t *testing.T) {
	t.Parallel()
	s := openSite(t, "")
	back := s.signIn(s.ask())
	state := back.Query().Get("state")
	half, _, _ := strings.Cut(state, ".")
	for name, bad := range map[string]string{"none": "", "another": "x." + state, "its first half": half, "with another proof": half + ".AAAA"} {
		u, q := *back, back.Query()
		q.Set("state", bad)
		u.RawQuery = q.Encode()
		if status := s.visit(session, &u); status != http.StatusBadRequest {
			t.Errorf("state %s: %d", name, status)
		}
	}
	if status := s.visit("session-2", back); status != http.StatusBadRequest || len(s.done) != 0 || s.provider.Count("") != 0 {
		t.Errorf("somebody else's browser: %d, %v, %d codes redeemed", status, s.done, s.provider.Count(""))
	}
	if status := s.visit(session, back); status != http.StatusOK {
		t.Errorf("after wrong ones the right one: %d", status)
	}
	if status := s.visit(session, back); status != http.StatusBadRequest {
		t.Errorf("a second time: %d", status)
	}
	late := s.signIn(s.ask())
	name, _, _ := strings.Cut(late.Query().Get("state"), ".")
	if left := s.rdb.PTTL(t.Context(), "rohrpost:connect:{"+name+"}").Val(); left <= 9*time.Minute || left > 10*time.Minute {
		t.Errorf("a sign-in may take %v", left)
	}
	s.rdb.PExpire(t.Context(), "rohrpost:connect:{"+name+"}", 0)
	if status := s.visit(session, late); status != http.StatusBadRequest || len(s.done) != 1 || s.provider.Count("") != 1 {
		t.Errorf("after ten minutes: %d, %v, %d codes redeemed", status, s.done, s.provider.Count(""))
	}
}

// TestConnectTooMany bounds what is kept of people who never come back.
func TestConnectTooMany(t *testing.T) {
	t.Parallel()
	s := openSite(t, "")
	for range 100 {
		if _, err := s.BeginConnect(t.Context(), s.ask()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.BeginConnect(t.Context(), s.ask()); !errors.Is(err, accounts.ErrTooMany) {
		t.Errorf("error %v", err)
	}
	other := s.ask()
	other.Place = acme
	other.Settings.Endpoints, other.Settings.ClientID = nil, "client-1"
	if _, err := s.BeginConnect(t.Context(), other); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	const count = "rohrpost:connect:tenant:"
	if left := s.rdb.PTTL(t.Context(), count).Val(); left <= 0 || left > 10*time.Minute {
		t.Errorf("they are counted for %v", left)
	}
	s.rdb.PExpire(t.Context(), count, 0)
	if _, err := s.BeginConnect(t.Context(), s.ask()); err != nil {
		t.Error(err)
	}
}

// TestConnectRefused: nobody signs in for nothing, and nothing is stored.
func TestConnectRefused(t *testing.T) {
	t.Parallel()
	s, inFile := openSite(t, ""), openSite(t, file)
	begin := func(s *site, edit func(*accounts.Connect)) error {
		c := s.ask()
		edit(&c)
		_, err := s.BeginConnect(t.Context(), c)
		return err
	}
	for name, test := range map[string]struct {
		site *site
		edit func(*accounts.Connect)
		want error
	}{
		"another tenant": {s, func(c *accounts.Connect) { c.Who, c.Place = bob(), acme }, redisstore.ErrForbidden},
		"the platform's": {s, func(c *accounts.Connect) { c.Who = anna() }, redisstore.ErrForbidden},
		"in a file":      {inFile, func(*accounts.Connect) {}, accounts.ErrFile},
		"no application": {s, func(c *accounts.Connect) { c.Settings.ClientID = "" }, failure.ErrSettings},
		"no such cloud":  {s, func(c *accounts.Connect) { c.Settings.Cloud = "us" }, failure.ErrSettings},
		"a tenant's http": {s, func(c *accounts.Connect) {
			c.Who, c.Place, c.Settings.Endpoints.Token = anna(), acme, "http://login.example/"
		}, failure.ErrSettings},
	} {
		if err := begin(test.site, test.edit); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	options := s.options
	options.Store = must(t, redisstore.New, redisstore.Options{Redis: s.rdb}) // no key
	keyless := *s.office
	keyless.renew(options)
	if err := begin(&site{office: &keyless, provider: s.provider, redirect: s.redirect}, func(*accounts.Connect) {}); err == nil || !strings.Contains(err.Error(), "keygen") {
		t.Errorf("nothing can be sealed: %v", err)
	}
	s.provider.Deny("access_denied")
	back := s.signIn(s.ask())
	_, err := s.CompleteConnect(t.Context(), session, oauth.ParseRedirect(back.Query()))
	if f, ok := errors.AsType[*failure.Failure](err); !ok || f.Category != "oauth_consent" {
		t.Errorf("denied: %v", err)
	}
	if _, err := s.Record(t.Context(), resolver.Place{}); !errors.Is(err, redisstore.ErrUnknown) {
		t.Errorf("something is stored: %v", err)
	}
}

// TestConnectSecret: an application's secret goes to no other server than it was entered
// for; one that this process cannot read must be given.
func TestConnectSecret(t *testing.T) {
	t.Parallel()
	s := openSite(t, "")
	if status := s.visit(session, s.signIn(s.ask())); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	c := s.ask()
	c.Settings.ClientSecret, c.Settings.Endpoints = resolver.Secret{}, &resolver.Endpoints{Authorize: s.provider.AuthURL(), Token: "https://thief.example/"}
	_, err := s.BeginConnect(t.Context(), c)
	if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "oauth2.client_secret" {
		t.Errorf("to another server: %v", err)
	}
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	options := s.options
	options.Store = must(t, redisstore.New, redisstore.Options{Redis: s.rdb, Recipients: []string{recipient}})
	options.Elsewhere = true
	s.renew(options)
	c = s.ask()
	c.Settings.ClientSecret = resolver.Secret{}
	_, err = s.BeginConnect(t.Context(), c)
	if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "oauth2.client_secret" {
		t.Errorf("error %v", err)
	}
	if status := s.visit(session, s.signIn(s.ask())); status != http.StatusOK {
		t.Errorf("with the secret: %d", status)
	}
}

// TestConnectTake gives the token to somebody else than the store. Codes, tokens and
// secrets are in no log.
func TestConnectTake(t *testing.T) {
	t.Parallel()
	s := openSite(t, file)
	var log bytes.Buffer
	options := s.options
	options.Logger = zerolog.New(&log)
	s.renew(options)
	var secrets []string
	for i, stored := range []error{nil, errors.New("disk full"), nil} {
		c, token := s.ask(), ""
		c.Take = func(o resolver.OAuth2Settings) error {
			token = o.RefreshToken.Reveal()
			return stored
		}
		begun, err := s.Connect(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		back := s.follow(begun.URL())
		secrets = append(secrets, back.Query().Get("code"), back.Query().Get("state"))
		if i == 2 {
			s.provider.Once(oauthtest.Google(400, "invalid_grant", "no code "+back.Query().Get("code")+" "+hunter2, ""))
		}
		redirect := oauth.ParseRedirect(back.Query())
		if _, err := begun.Complete(t.Context(), oauth.Redirect{State: "x", Code: redirect.Code}); !errors.Is(err, oauth.ErrNoSignIn) {
			t.Errorf("%d: another state: %v", i, err)
		}
		done, err := begun.Complete(t.Context(), redirect)
		if _, refused := errors.AsType[*failure.Failure](err); refused != (i == 2) || !refused && (!errors.Is(err, stored) || token == "" || (done.Mailbox != "") != (stored == nil)) {
			t.Errorf("%d: %+v, %v", i, done, err)
		}
		if _, err := begun.Complete(t.Context(), redirect); !errors.Is(err, oauth.ErrNoSignIn) {
			t.Errorf("%d: twice: %v", i, err)
		}
		secrets = append(secrets, token)
	}
	for _, x := range append(secrets, hunter2) {
		if x != "" && strings.Contains(log.String(), x) {
			t.Errorf("%q in the log: %s", x, log.String())
		}
	}
	for _, line := range []string{"account connected", "account not connected", "the connection is not stored"} {
		if !strings.Contains(log.String(), line) {
			t.Errorf("%q is not in the log: %s", line, log.String())
		}
	}
}
