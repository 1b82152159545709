package oauth_test

import (
	"context"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// A stage is a connector that is mounted somewhere, and a browser.
type stage struct {
	*bench
	connector *oauth.Connector
	redirect  string
	ended     chan oauth.Connection
	browser   *http.Client
}

func newStage(t *testing.T, o oauthtest.Options, edit ...func(*oauth.ConnectorOptions)) *stage {
	t.Helper()
	s := &stage{bench: &bench{T: t, srv: oauthtest.Start(t, o), log: &safeBuffer{}, clock: time.Now()}, ended: make(chan oauth.Connection, 10)}
	options := oauth.ConnectorOptions{
		HTTPClient: s.srv.Client(), Now: s.now, Logger: zerolog.New(s.log),
		Done: func(_ context.Context, c oauth.Connection) error { s.ended <- c; return nil },
	}
	for _, e := range edit {
		e(&options)
	}
	var err error
	if s.connector, err = oauth.NewConnector(options); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.connector)
	t.Cleanup(web.Close)
	s.redirect = web.URL + "/oauth/callback"
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.browser = &http.Client{Jar: jar}
	return s
}

func (s *stage) credentials(p oauth.Provider) oauth.Credentials {
	return oauth.Credentials{Account: "acme/max", Provider: p, ClientID: "client-1", AuthURL: s.srv.AuthURL(), TokenURL: s.srv.TokenURL()}
}

func (s *stage) begin(c oauth.Credentials) string {
	s.Helper()
	u, err := s.connector.Begin(c, s.redirect, "")
	if err != nil {
		s.Fatal(err)
	}
	return u
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

func (s *stage) nothingEnded() {
	s.Helper()
	if len(s.ended) != 0 {
		s.Errorf("it ended: %v", (<-s.ended).Failure)
	}
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
			if got.Failure != nil || got.Mailbox != "eva@acme.example" || got.Credentials.RefreshToken.IsZero() || got.Credentials.Account != "acme/max" {
				t.Errorf("connection %+v", got)
			}
			// What it brought is good.
			b := newBench(t, oauthtest.Options{})
			b.srv = s.srv
			b.good(b.process(), got.Credentials, "")
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
			if end.Failure == nil || end.Failure.Category != tt.category || !end.Credentials.RefreshToken.IsZero() {
				t.Fatalf("connection %+v, want %s", end, tt.category)
			}
			if status != 400 || !strings.Contains(page, "Not connected") {
				t.Errorf("%d %s", status, page)
			}
			if !strings.Contains(page, template.HTMLEscapeString(end.Failure.Hint("en"))) {
				t.Errorf("nobody is told what to do: %s", page)
			}
		})
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{})
	back := s.back(s.begin(s.credentials(oauth.Google)))
	other := func(edit func(url.Values)) string {
		u, q := *back, back.Query()
		edit(q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	state := back.Query().Get("state")
	for name, bad := range map[string]string{
		"none": "", "another": "x." + state, "its first half": strings.Split(state, ".")[0], "with another proof": strings.Split(state, ".")[0] + ".AAAA",
	} {
		status, page := s.visit(other(func(q url.Values) { q.Set("state", bad) }))
		if status != 400 || !strings.Contains(page, "unknown") {
			t.Errorf("state %s: %d %s", name, status, page)
		}
	}
	s.nothingEnded()
	if status, _ := s.visit(back.String()); status != 200 {
		t.Fatalf("after wrong ones the right one: %d", status)
	}
	<-s.ended
	if status, _ := s.visit(back.String()); status != 400 {
		t.Errorf("a second time: %d", status)
	}
	late := s.back(s.begin(s.credentials(oauth.Google)))
	s.pass(10*time.Minute + time.Second)
	if status, _ := s.visit(late.String()); status != 400 {
		t.Errorf("after ten minutes: %d", status)
	}
	s.nothingEnded()
	if n := s.srv.Count(""); n != 1 {
		t.Errorf("%d codes were redeemed", n)
	}
}

// Somebody else's browser brings the redirect.
func TestSession(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{}, func(o *oauth.ConnectorOptions) {
		o.Session = func(r *http.Request) string { return r.Header.Get("Accept") }
	})
	u, err := s.connector.Begin(s.credentials(oauth.Google), s.redirect, "session-1")
	if err != nil {
		t.Fatal(err)
	}
	back := s.back(u)
	for _, tt := range []struct {
		session string
		status  int
	}{{"session-2", 400}, {"session-1", 200}} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, back.String(), nil)
		r.Header.Set("Accept", tt.session)
		s.connector.ServeHTTP(w, r)
		if w.Code != tt.status {
			t.Errorf("%s: %d", tt.session, w.Code)
		}
	}
}

func TestPageSpeaksGerman(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{}, func(o *oauth.ConnectorOptions) {
		o.Done = func(context.Context, oauth.Connection) error { return errors.New("canary: disk full") }
	})
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, s.back(s.begin(s.credentials(oauth.Google))).String(), nil)
	r.Header.Set("Accept-Language", "de-AT,de;q=0.9,en;q=0.5")
	s.connector.ServeHTTP(w, r)
	if page := w.Body.String(); w.Code != 500 || !strings.Contains(page, `lang="de"`) || !strings.Contains(page, "nicht gespeichert") || strings.Contains(page, "canary") {
		t.Errorf("%d %s", w.Code, page)
	}
	w = httptest.NewRecorder()
	s.connector.ServeHTTP(w, httptest.NewRequest(http.MethodPost, s.redirect, nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestBeginRefuses(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{})
	if _, err := s.connector.Begin(oauth.Credentials{Provider: oauth.Google}, s.redirect, ""); !errors.Is(err, failure.ErrSettings) {
		t.Errorf("error %v", err)
	}
	c := s.credentials(oauth.Google)
	for range 1000 {
		s.begin(c)
	}
	if _, err := s.connector.Begin(c, s.redirect, ""); !errors.Is(err, oauth.ErrTooMany) {
		t.Errorf("error %v", err)
	}
	s.pass(11 * time.Minute)
	s.begin(c)
	if _, err := oauth.NewConnector(oauth.ConnectorOptions{}); err == nil {
		t.Error("nobody takes the connection: no error")
	}
}

// Codes, tokens and secrets are in no log.
func TestConnectKeepsSecrets(t *testing.T) {
	t.Parallel()
	s := newStage(t, oauthtest.Options{ClientSecret: "canary-secret"})
	c := s.credentials(oauth.Google)
	c.ClientSecret = secret.New("canary-secret")
	var secrets []string
	for i := range 2 {
		back := s.back(s.begin(c))
		secrets = append(secrets, back.Query().Get("code"), back.Query().Get("state"))
		if i == 0 {
			s.srv.Once(oauthtest.Google(400, "invalid_grant", "no code "+back.Query().Get("code")+" canary-secret", ""))
		}
		s.visit(back.String())
		secrets = append(secrets, (<-s.ended).Credentials.RefreshToken.Reveal())
	}
	log := s.log.String()
	for _, x := range append(secrets, "canary-secret") {
		if x != "" && strings.Contains(log, x) {
			t.Errorf("%q in the log: %s", x, log)
		}
	}
	if !strings.Contains(log, "account connected") || !strings.Contains(log, "account not connected") {
		t.Errorf("log: %s", log)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
