package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web"
	producer "github.com/rohrpost/rohrpost/producer/adminlink"
)

const linkSecret = "the secret of the crm, long enough"

func issuers() []configs.Link {
	return []configs.Link{{Issuer: "crm", Secret: secret.New(linkSecret), Operators: true}}
}

func links(o *web.Options) { o.Links = issuers() }

var (
	adminLink = producer.Link{
		Subject: "4711", Name: "Max Müller", Email: "max@acme.example", Tenant: "acme", Role: producer.Admin, Language: "de", Zone: "Europe/Berlin",
		ReturnURL: "https://crm.example/settings", Place: producer.PlaceTenant, Action: producer.Test,
	}
	operatorLink = producer.Link{Subject: "1", Role: producer.Operator}
)

func linkFor(t *testing.T, l producer.Link) string {
	t.Helper()
	signer, err := producer.NewSecret("crm", rohrpost.NewSecret(linkSecret))
	if err != nil {
		t.Fatal(err)
	}
	token, err := signer.Token(l)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bring is an application that posts a token from its own site.
func (b *browser) bring(token string) answered {
	b.t.Helper()
	return b.send(http.MethodPost, "/sso", url.Values{"token": {token}}.Encode(),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site", "Origin", "https://crm.example")
}

// TestLinkSignsIn: an application brings its person, by POST or GET, with no users here.
func TestLinkSignsIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { links(o); noUsers(o) })
	for name, come := range map[string]func(*browser, string) answered{
		"POST": func(b *browser, token string) answered { return b.bring(token) },
		"GET":  func(b *browser, token string) answered { return b.get("/sso?token=" + token) },
	} {
		b, token := s.browser(t), linkFor(t, adminLink)
		got := come(b, token)
		c := got.cookie("rohrpost-session")
		if got.status != http.StatusSeeOther || got.header.Get("Location") != "/t/acme/accounts/tenant#test" || got.header.Get("Referrer-Policy") != "no-referrer" ||
			c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
			t.Fatalf("%s: %d %v", name, got.status, got.header)
		}
		page := b.get("/me", "Sec-Fetch-Site", "cross-site") // as the redirect is followed
		for _, want := range []string{`lang="de"`, "Max Müller", `href="https://crm.example/settings" rel="noreferrer"`, "Zurück zu crm.example"} {
			if page.status != http.StatusOK || !strings.Contains(page.body, want) {
				t.Errorf("%s: %s is missing: %d %s", name, want, page.status, page.body)
			}
		}
		if got := b.get("/t/beta/problems"); got.status != http.StatusForbidden {
			t.Errorf("%s: another tenant: %d", name, got.status)
		}
		again := come(s.browser(t), token)
		if again.status != http.StatusGone || !strings.Contains(again.body, "was used before") || len(again.cookies()) > 0 || strings.Contains(again.body, token) {
			t.Errorf("%s: twice: %d %s", name, again.status, again.body)
		}
		out := b.post("/logout")
		if !strings.Contains(out.body, `href="https://crm.example/settings"`) || b.get("/me").status != http.StatusUnauthorized {
			t.Errorf("%s: signed out: %s", name, out.body)
		}
		if log := s.lines.String(); strings.Contains(log, token) || strings.Contains(log, c.Value) || !strings.Contains(log, `"user":"crm:4711"`) {
			t.Errorf("%s: log: %s", name, log)
		}
	}
	stranger := s.browser(t).get("/me")
	if stranger.status != http.StatusUnauthorized || !strings.Contains(stranger.body, "from the application") {
		t.Errorf("a stranger: %d %s", stranger.status, stranger.body)
	}
	if opened := s.browser(t).get(strings.TrimPrefix(s.pages.Link("/"), s.URL)); opened.status != http.StatusSeeOther {
		t.Errorf("the operator's own link: %d", opened.status)
	}
}

// TestLinkRights: the page that a link opens, and what its person may.
func TestLinkRights(t *testing.T) {
	t.Parallel()
	s := newSite(t, links)
	tests := map[string]struct {
		link     producer.Link
		location string
		queues   int
		problems int // of acme
	}{
		"operator":               {operatorLink, "/", 200, 200},
		"operator, with tenant":  {producer.Link{Subject: "1", Role: producer.Operator, Tenant: "acme"}, "/t/acme/", 200, 200},
		"admin":                  {producer.Link{Subject: "1", Role: producer.Admin, Tenant: "acme"}, "/t/acme/", 403, 200},
		"admin, at a user's":     {producer.Link{Subject: "1", Role: producer.Admin, Tenant: "acme", Place: "user/max m/x"}, "/t/acme/accounts/user/max%20m%2Fx", 403, 200},
		"admin, a test":          {producer.Link{Subject: "1", Role: producer.Admin, Tenant: "acme", Action: producer.Test}, "/t/acme/accounts/tenant#test", 403, 200},
		"admin, unknown action":  {producer.Link{Subject: "1", Role: producer.Admin, Tenant: "acme", Action: "dance"}, "/t/acme/", 403, 200},
		"reader":                 {producer.Link{Subject: "1", Role: producer.Reader, Tenant: "acme"}, "/t/acme/", 403, 200},
		"reader, another tenant": {producer.Link{Subject: "1", Role: producer.Reader, Tenant: "beta"}, "/t/beta/", 403, 403},
		"a strange tenant":       {producer.Link{Subject: "1", Role: producer.Reader, Tenant: "@a/b c"}, "/t/@@a%2Fb%20c/", 403, 403},
		"user":                   {producer.Link{Subject: "1", Role: producer.User, Tenant: "acme", Place: "user/max"}, "/t/acme/accounts/user/max", 403, 403},
	}
	for name, tt := range tests {
		b := s.browser(t)
		got := b.bring(linkFor(t, tt.link))
		if got.status != http.StatusSeeOther || got.header.Get("Location") != tt.location {
			t.Errorf("%s: %d %q", name, got.status, got.header.Get("Location"))
		}
		if got := b.get("/queues/"); got.status != tt.queues {
			t.Errorf("%s: queues: %d", name, got.status)
		}
		if got := b.get("/t/acme/problems"); got.status != tt.problems {
			t.Errorf("%s: problems: %d", name, got.status)
		}
	}
}

// TestLinkRefusals: each tells the person what to do, and the log the cause.
func TestLinkRefusals(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // the clock here
	s := newSite(t, func(o *web.Options) {
		o.Links = []configs.Link{{Issuer: "crm", Secret: secret.New(linkSecret), Tenants: configs.List{"acme"}}}
		o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	expired := linkFor(t, adminLink)
	foreign := adminLink
	foreign.Tenant = "beta"
	for name, tt := range map[string]struct {
		token  string
		after  time.Duration
		status int
		page   string
		log    string
	}{
		"nothing":        {"", 0, http.StatusBadRequest, "not valid", "signed by EdDSA or HS256"},
		"forged":         {linkFor(t, adminLink) + "x", 0, http.StatusBadRequest, "not valid", "signature is not that of"},
		"expired":        {expired, 70 * time.Second, http.StatusGone, "has expired", "has expired: issuer"},
		"another tenant": {linkFor(t, foreign), 0, http.StatusForbidden, "may not give", `in the tenant \"beta\"`},
		"an operator":    {linkFor(t, operatorLink), 0, http.StatusForbidden, "may not give", "the role operator"},
	} {
		ahead.Store(int64(tt.after))
		b := s.browser(t)
		got := b.bring(tt.token)
		if got.status != tt.status || !strings.Contains(got.body, tt.page) || len(got.cookies()) > 0 || got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if !strings.Contains(s.lines.String(), tt.log) {
			t.Errorf("%s: the log does not tell: %s", name, s.lines.String())
		}
	}
}

// TestChangedIssuers: who came by a link is out when its issuer may not send them any more.
func TestChangedIssuers(t *testing.T) {
	t.Parallel()
	s := newSite(t, links)
	b := s.browser(t)
	b.bring(linkFor(t, adminLink))
	for name, tt := range map[string]struct {
		change func(*configs.Link)
		want   int
	}{
		"the same":       {func(*configs.Link) {}, http.StatusOK},
		"another name":   {func(i *configs.Link) { i.Issuer = "shop" }, http.StatusSeeOther},
		"another key":    {func(i *configs.Link) { i.Secret = secret.New(linkSecret + "!") }, http.StatusSeeOther},
		"another tenant": {func(i *configs.Link) { i.Tenants = configs.List{"beta"} }, http.StatusSeeOther},
		"another role":   {func(i *configs.Link) { i.Roles = configs.List{configs.RoleUser} }, http.StatusSeeOther},
	} {
		changed := newSiteAt(t, s.redis, func(o *web.Options) { links(o); tt.change(&o.Links[0]) })
		visitor := changed.browser(t)
		_, port, _ := strings.Cut(strings.TrimPrefix(changed.URL, "http://"), ":")
		visitor.jar["rohrpost-session-"+port] = b.session()
		if got := visitor.get("/me"); got.status != tt.want {
			t.Errorf("%s: %d, want %d", name, got.status, tt.want)
		}
	}
}
