package accountpages_test

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/session"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/web/accountpages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// hunter2 is a password that no page may show.
const hunter2 = "canary-hunter2"

// people are who they are in all tests, by name.
var people = map[string]signin.Person{
	"olga": {Name: "olga", Role: configs.RoleOperator, Address: "olga@platform.example"},
	"anna": {Name: "anna", Role: configs.RoleAdmin, Tenant: "acme", Address: "anna@acme.example"},
	"bob":  {Name: "bob", Role: configs.RoleAdmin, Tenant: "globex", Address: "bob@globex.example"},
	"rita": {Name: "rita", Role: configs.RoleReader, Tenant: "acme"},
	"max":  {Name: "max", Role: configs.RoleUser, Tenant: "acme", User: "max", Address: "max@acme.example"},
	"eva":  {Name: "eva", Role: configs.RoleUser, Tenant: "acme", User: "eva", Address: "eva@acme.example"},
}

// A site is the pages in front of accounts in Redis.
type site struct {
	*testing.T
	*httptest.Server
	accounts *engine.Accounts
	store    *redisstore.Store
	rdb      redis.UniversalClient
	smtp     *smtptest.Server
	audit    *audit.Log
	cookies  []*http.Cookie // what the browser has
	session  string         // in which it is signed in; empty: in none
}

// person is the header that says who sends a request.
const person = "X-Person"

// router lets in by the header, and keeps to what a handler needs.
type router struct{ *http.ServeMux }

func (r router) Handle(pattern string, need ui.Need, h ui.Handler) {
	r.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		p := people[r.Header.Get(person)]
		if !need.Met(r, p) {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		h(w, r, p)
	})
}

func open(t *testing.T, policy redisstore.Policy) *site {
	t.Helper()
	s := newSite(t)
	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	if s.store, err = redisstore.New(redisstore.Options{Redis: s.rdb, Identities: identity, Policy: policy}); err != nil {
		t.Fatal(err)
	}
	s.serve(engine.Options{Stored: s.store, Seal: seal.Options{Identities: identity}})
	return s
}

func newSite(t *testing.T) *site {
	t.Helper()
	return &site{
		T: t, rdb: redistest.Start(t).Client(t),
		smtp: smtptest.Start(t, smtptest.Options{Username: "info@acme.example", Password: hunter2}),
	}
}

// serve starts the pages of these accounts. Tenants may reach the mail server.
func (s *site) serve(o engine.Options) {
	s.Helper()
	o.Redis, o.HELO = s.rdb, "worker.example"
	o.Guard = netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Ports: []int{s.smtp.Port()}}
	var err error
	if s.accounts, err = engine.NewAccounts(o); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = s.accounts.Close() })
	if s.audit, err = audit.New(audit.Options{Redis: s.rdb}); err != nil {
		s.Fatal(err)
	}
	shared, err := ui.New(ui.Options{})
	if err != nil {
		s.Fatal(err)
	}
	pages, err := accountpages.New(accountpages.Options{UI: shared, Accounts: s.accounts.Service, Trier: s.accounts.Service, Audit: s.audit, Keeper: keeper{session.New(s.rdb, time.Now)}, MaxConnections: 10})
	if err != nil {
		s.Fatal(err)
	}
	mux := http.NewServeMux()
	pages.Register(router{mux})
	s.Server = httptest.NewServer(mux)
	s.Cleanup(s.Server.Close)
}

// answered is a response that was read.
type answered struct {
	status int
	header http.Header
	body   string
}

// do sends a request; no page may show a password.
func (s *site) do(who, method, path, contentType string, body io.Reader) answered {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.URL+path, body)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set(person, who)
	r.Header.Set(sessionHeader, s.session)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for _, c := range s.cookies {
		r.AddCookie(c)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		if strings.HasPrefix(c.Name, "rohrpost-connect") { // not the language
			s.cookies = []*http.Cookie{c}
		}
	}
	if strings.Contains(string(text), "canary") {
		s.Errorf("%s %s shows a secret", method, path)
	}
	return answered{resp.StatusCode, resp.Header, string(text)}
}

func (s *site) get(who, path string) answered {
	s.Helper()
	return s.do(who, http.MethodGet, path, "", nil)
}

func (s *site) post(who, path string, form url.Values) answered {
	s.Helper()
	return s.do(who, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// upload posts a form with a file.
func (s *site) upload(who, path string, form url.Values, file []byte) answered {
	s.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for key, values := range form {
		_ = w.WriteField(key, values[0])
	}
	if file != nil {
		part, err := w.CreateFormFile("branding.logo", "logo.png")
		if err != nil {
			s.Fatal(err)
		}
		_, _ = part.Write(file)
	}
	_ = w.Close()
	return s.do(who, http.MethodPost, path, w.FormDataContentType(), &body)
}

// has fails unless the page has all texts.
func (a answered) has(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("the page lacks %q:\n%s", text, a.main())
		}
	}
}

// lacks fails if the page has one of the texts.
func (a answered) lacks(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// leadsTo fails unless the answer is a redirect to the path.
func (a answered) leadsTo(t *testing.T, path string) {
	t.Helper()
	if a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("%d to %q, want a redirect to %q:\n%s", a.status, a.header.Get("Location"), path, a.main())
	}
}

// main is what the page says, without its frame.
func (a answered) main() string {
	_, text, found := strings.Cut(a.body, "<main")
	if !found {
		return a.body
	}
	text, _, _ = strings.Cut(text, "</main>")
	return text
}

// version is that of the page's form.
func (a answered) version(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`name="version" value="(\d+)"`).FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("the page has no version:\n%s", a.main())
	}
	return found[1]
}

const (
	tenantPage = "/t/acme/accounts/tenant"
	maxPage    = "/t/acme/accounts/user/max"
)

// filled is the form of an account at the mail server.
func (s *site) filled(do, address string) url.Values {
	return url.Values{
		"do": {do}, "version": {"0"}, "provider": {"custom"}, "address": {address}, "name": {"ACME"}, "force_sender": {"1"},
		"smtp.host": {"127.0.0.1"}, "smtp.port": {portText(s.smtp.Port())}, "smtp.encryption": {"none"}, "smtp.authentication": {"1"},
		"smtp.username": {"info@acme.example"}, "smtp.password": {hunter2}, "smtp.allow_plaintext_login": {"1"},
	}
}

// stored is what is stored at a place.
func (s *site) stored(p resolver.Place) *redisstore.Record {
	s.Helper()
	r, err := s.store.Get(context.Background(), p)
	if err != nil {
		s.Fatal(err)
	}
	return r
}

var (
	acme = resolver.Place{Tenant: "acme"}
	maxM = resolver.Place{Tenant: "acme", User: "max"}
)
