package oauth_test

import (
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// A stage is where one sign-in comes back to, and a browser.
type stage struct {
	*bench
	signIn   *oauth.SignIn
	redirect string
	ended    chan oauth.Connection
	browser  *http.Client
	stored   error // how storing the connection ends
}

func newStage(t *testing.T, o oauthtest.Options) *stage {
	t.Helper()
	s := &stage{bench: &bench{T: t, srv: oauthtest.Start(t, o)}, ended: make(chan oauth.Connection, 10), browser: &http.Client{}}
	web := httptest.NewServer(oauth.Complete(s.complete))
	t.Cleanup(web.Close)
	s.redirect = web.URL + "/oauth/callback"
	return s
}

const state = "state-1"

func (s *stage) complete(ctx context.Context, r oauth.Redirect) (string, error) {
	if r.State != state {
		return "", oauth.ErrNoSignIn
	}
	c := s.signIn.Finish(ctx, r)
	s.ended <- c
	if c.Failure != nil {
		return "", c.Failure
	}
	return c.Mailbox, s.stored
}

func (s *stage) credentials(p oauth.Provider) oauth.Credentials {
	return oauth.Credentials{Account: "acme/max", Provider: p, ClientID: "client-1", AuthURL: s.srv.AuthURL(), TokenURL: s.srv.TokenURL()}
}

func (s *stage) begin(c oauth.Credentials) string {
	s.Helper()
	var err error
	s.signIn, err = oauth.NewSignIn(oauth.SignInOptions{Credentials: c, RedirectURL: s.redirect, HTTPClient: s.srv.Client()})
	if err != nil {
		s.Fatal(err)
	}
	return s.signIn.URL(state)
}

// visit is the browser; it gives status and page.
func (s *stage) visit(u string) (status int, page string) {
	s.Helper()
	resp, err := s.browser.Get(u)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	if h := resp.Header; !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" {
		s.Errorf("headers %v", h)
	}
	if strings.Contains(string(b), "://") || strings.Contains(string(b), "<script") {
		s.Errorf("the page is not of one piece: %s", b)
	}
	return resp.StatusCode, string(b)
}

// back is the address the provider would send the browser to, without going there.
func (s *stage) back(u string) *url.URL {
	s.Helper()
	browser := *s.browser
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(u)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	l, err := resp.Location()
	if err != nil {
		s.Fatal(err)
	}
	return l
}

func TestConnect(t *testing.T) {
	t.Parallel()
	for _, p := range []oauth.Provider{oauth.Microsoft, oauth.Google} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, oauthtest.Options{ClientSecret: "shh"})
			s.srv.SignIn("eva@acme.example")
			c := s.credentials(p)
			c.ClientSecret, c.Subject = secret.New("shh"), "eva@acme.example"
			u := s.begin(c)
			q := must(url.Parse(u)).Query()
			for key, want := range map[oauth.Provider]map[string]string{
				oauth.Microsoft: {"prompt": "select_account", "scope": "https://outlook.office.com/SMTP.Send offline_access openid email profile", "access_type": ""},
				oauth.Google:    {"prompt": "consent", "scope": "https://mail.google.com/ openid email", "access_type": "offline"},
			}[p] {
				if q.Get(key) != want {
					t.Errorf("%s is %q, want %q", key, q.Get(key), want)
				}
			}
			if q.Get("login_hint") != "eva@acme.example" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != s.redirect {
				t.Errorf("address %s", u)
			}
			status, page := s.visit(u)
			if status != 200 || !strings.Contains(page, "Connected") || !strings.Contains(page, "eva@acme.example") {
				t.Errorf("%d %s", status, page)
			}
			got := <-s.ended
			if got.Failure != nil || got.Mailbox != "eva@acme.example" || got.RefreshToken.IsZero() {
				t.Errorf("connection %+v", got)
			}
			// What it brought is good.
			b := newBench(t, oauthtest.Options{})
			b.srv = s.srv
			c.RefreshToken = got.RefreshToken
			b.good(b.process(), c, "")
		})
	}
}

func TestConnectFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		script   func(*oauthtest.Server)
		category string
	}{
		{"denied", func(s *oauthtest.Server) { s.Deny("access_denied") }, "oauth_consent"},
		{"denied with a script", func(s *oauthtest.Server) { s.Deny("<script>alert(1)</script>") }, "unknown"},
		{"denied for a reason", func(s *oauthtest.Server) { s.Deny("access_denied&error_description=AADSTS53003") }, "oauth_interaction"},
		{"code used", func(s *oauthtest.Server) { s.Once(oauthtest.Microsoft(400, "invalid_grant", "Code redeemed.", 54005)) }, "oauth_interaction"},
		{"client secret wrong", func(s *oauthtest.Server) { s.Once(oauthtest.Microsoft(401, "invalid_client", "Wrong.", 7000215)) }, "oauth_client"},
		{"server down", func(s *oauthtest.Server) { s.Once(oauthtest.Raw(503, "<script>")) }, "oauth_temporary"},
		{"no refresh token", func(s *oauthtest.Server) { s.Untick("", false) }, "oauth_consent"},
		{"permission unticked", func(s *oauthtest.Server) { s.Untick("openid email", true) }, "oauth_consent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, oauthtest.Options{})
			tt.script(s.srv)
			status, page := s.visit(s.begin(s.credentials(oauth.Google)))
			end := <-s.ended
			if end.Failure == nil || end.Failure.Category != tt.category || !end.RefreshToken.IsZero() {
				t.Fatalf("connection %+v, want %s", end, tt.category)
			}
			if status != 400 || !strings.Contains(page, "Not connected") {
				t.Errorf("%d %s", status, page)
			}
			if !strings.Contains(page, template.HTMLEscapeString(end.Failure.HintAt(failure.Test(), "en"))) {
				t.Errorf("nobody is told what to do: %s", page)
			}
		})
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{})
	s.stored = errors.New("canary: disk full")
	back := s.back(s.begin(s.credentials(oauth.Google)))
	if status, page := s.visit(s.redirect + "?state=another&code=x"); status != 400 || !strings.Contains(page, "unknown") || len(s.ended) != 0 {
		t.Errorf("another state: %d %s", status, page)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, back.String(), nil)
	r.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.5")
	oauth.Complete(s.complete).ServeHTTP(w, r)
	if page := w.Body.String(); w.Code != 500 || !strings.Contains(page, `lang="de"`) || !strings.Contains(page, "nicht gespeichert") || strings.Contains(page, "canary") {
		t.Errorf("%d %s", w.Code, page)
	}
	w = httptest.NewRecorder()
	oauth.Complete(s.complete).ServeHTTP(w, httptest.NewRequest(http.MethodPost, s.redirect, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	if _, err := oauth.NewSignIn(oauth.SignInOptions{Credentials: oauth.Credentials{Provider: oauth.Google}}); !errors.Is(err, failure.ErrSettings) {
		t.Errorf("error %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
