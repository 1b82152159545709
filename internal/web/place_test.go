package web_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/web"
)

// TestBelowAPath: the pages stand below a path, and so do their addresses and cookies.
func TestBelowAPath(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { links(o); o.BasePath = "/mail" })
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 401, "/mail/healthz": 200, "/": 404, "/login": 404, "/mailx/login": 404, "/mail": 301, "/mail/login": 200, "/mail/assets/style.css": 200,
	} {
		if got := s.get(t, "", path); got.status != want {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	b := s.browser(t)
	if got := b.get("/mail/me"); got.header.Get("Location") != "/mail/login?next=%2Fme" {
		t.Errorf("%v", got.header)
	}
	if page := b.get("/mail/login"); !strings.Contains(page.body, `action="/mail/login"`) || !strings.Contains(page.body, `href="/mail/assets/style.css"`) {
		t.Errorf("%s", page.body)
	}
	in := b.post("/mail/login", "name", "olga", "password", "pw", "next", "/me")
	if c := in.cookie("rohrpost-session-mail"); in.header.Get("Location") != "/mail/me" || c == nil || c.Path != "/mail/" {
		t.Fatalf("%v", in.header)
	}
	if got := b.get("/mail/me"); got.status != http.StatusOK || strings.Contains(got.body, `href="/me`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	came := s.browser(t).send(http.MethodPost, "/mail/sso", "token="+linkFor(t, adminLink),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if came.status != http.StatusSeeOther || came.header.Get("Location") != "/mail/t/acme/accounts/tenant#test" {
		t.Errorf("%d %v", came.status, came.header)
	}
}

// TestOverTLS: the cookie belongs to this host alone, whatever path the pages have.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*web.Options)
		header []string
		cookie string
	}{
		"a proxy says so":        {nil, []string{"X-Forwarded-Proto", "https"}, "__Host-rohrpost-session"},
		"the public address":     {func(o *web.Options) { o.PublicURL = "https://mail.example" }, nil, "__Host-rohrpost-session"},
		"below a path":           {func(o *web.Options) { o.PublicURL, o.BasePath = "https://crm.example/mail", "/mail" }, nil, "__Host-rohrpost-session-mail"},
		"in a frame":             {func(o *web.Options) { o.EmbedOrigins = []string{"https://crm.example"} }, []string{"X-Forwarded-Proto", "https"}, "__Host-rohrpost-session"},
		"in a frame, but no TLS": {func(o *web.Options) { o.EmbedOrigins = []string{"https://crm.example"} }, nil, "rohrpost-session"},
	} {
		s := newSite(t, tt.change)
		path := ""
		if strings.Contains(name, "path") {
			path = "/mail"
		}
		b := s.browser(t, tt.header...)
		got := b.post(path+"/login", "name", "olga", "password", "pw")
		c := got.cookie("rohrpost-session")
		if c == nil || !strings.HasPrefix(c.Name, tt.cookie) || c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.Secure != strings.HasPrefix(c.Name, "__Host-") {
			t.Fatalf("%s: %v", name, got.header)
		}
		framed := name == "in a frame"
		if c.Partitioned != framed || (c.SameSite == http.SameSiteNoneMode) != framed {
			t.Errorf("%s: %+v", name, c)
		}
		page := b.get(path + "/me")
		policy, frame := page.header.Get("Content-Security-Policy"), page.header.Get("X-Frame-Options")
		if page.status != http.StatusOK {
			t.Errorf("%s: %d", name, page.status)
		}
		if strings.Contains(name, "frame") {
			if !strings.HasSuffix(policy, "frame-ancestors 'self' https://crm.example") || frame != "" {
				t.Errorf("%s: %s %s", name, policy, frame)
			}
		} else if !strings.HasSuffix(policy, "frame-ancestors 'none'") || frame != "DENY" {
			t.Errorf("%s: %s %s", name, policy, frame)
		}
	}
}

// TestForwardAuth: a proxy is believed from its address and with its secret.
func TestForwardAuth(t *testing.T) {
	t.Parallel()
	const key = "0123456789abcdef"
	auth := func(proxy string) func(*web.Options) {
		return func(o *web.Options) {
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(proxy)}
			o.ForwardAuth = configs.ForwardAuth{Header: "X-Forwarded-User", SecretHeader: "X-Forwarded-Secret", Secret: secret.New(key)}
			o.Users = append(o.Users, configs.User{Name: "eva", Role: configs.RoleUser, Tenant: "acme", User: "eva"})
		}
	}
	s, foreign := newSite(t, auth("127.0.0.1/32")), newSite(t, auth("192.0.2.0/24"))
	for name, tt := range map[string]struct {
		site   *site
		header []string
		path   string
		want   int
	}{
		"the proxy":            {s, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", key}, "/queues/", 200},
		"and its own password": {s, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", key, "Authorization", "Basic cHJveHk6cHJveHk="}, "/queues/", 200},
		"a role of its own":    {s, []string{"X-Forwarded-User", "rita", "X-Forwarded-Secret", key}, "/queues/", 403},
		"without a password":   {s, []string{"X-Forwarded-User", "eva", "X-Forwarded-Secret", key}, "/me", 200},
		"nobody known":         {s, []string{"X-Forwarded-User", "mallory", "X-Forwarded-Secret", key}, "/me", 403},
		"no secret":            {s, []string{"X-Forwarded-User", "olga"}, "/me", 303},
		"another secret":       {s, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", key + "x"}, "/me", 303},
		"an empty secret":      {s, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", ""}, "/me", 303},
		"no name":              {s, []string{"X-Forwarded-User", "", "X-Forwarded-Secret", key}, "/me", 403},
		"a foreign address":    {foreign, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", key}, "/me", 303},
		"that says it is near": {foreign, []string{"X-Forwarded-User", "olga", "X-Forwarded-Secret", key, "X-Forwarded-For", "192.0.2.1"}, "/me", 303},
	} {
		got := tt.site.browser(t, tt.header...).get(tt.path)
		if got.status != tt.want || len(got.cookies()) > 0 {
			t.Errorf("%s: %d %v", name, got.status, got.header)
		}
		if name == "nobody known" && !strings.Contains(got.body, "nobody has given you access") {
			t.Errorf("%s: %s", name, got.body)
		}
	}
	// Who has no password cannot sign in without the proxy.
	for _, password := range []string{"", "pw"} {
		if got := s.browser(t).post("/login", "name", "eva", "password", password); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", password, got.status)
		}
	}
	if log := foreign.lines.String(); strings.Contains(log, key) || !strings.Contains(log, `"trusted_proxy":false`) {
		t.Errorf("log: %s", log)
	}
}

// TestOIDC: an operator comes by the provider, and nobody else does.
func TestOIDC(t *testing.T) {
	t.Parallel()
	provider := oauthtest.Start(t, oauthtest.Options{ClientSecret: "hunter2"})
	if resp, err := http.Get(provider.Issuer() + "/jwks"); err != nil { // which makes its key, for seconds on a busy machine
		t.Fatal(err)
	} else if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *web.Options) {
		noUsers(o)
		o.PublicURL = "http://mail.example"
		o.OIDC = configs.OIDC{Issuer: provider.Issuer(), ClientID: "client-1", ClientSecret: secret.New("hunter2"), Operators: configs.List{"Olga@platform.example"}}
	})
	// visit is the way to the provider and back, which it leaves to the caller.
	visit := func(b *browser) (back string) {
		t.Helper()
		page := b.get("/login?next=/me")
		if !strings.Contains(page.body, `href="/oidc/login?next=%2Fme"`) || strings.Contains(page.body, `type="password"`) {
			t.Fatalf("%s", page.body)
		}
		begun := b.get("/oidc/login?next=/me")
		if begun.status != http.StatusSeeOther || !strings.HasPrefix(begun.header.Get("Location"), provider.AuthURL()+"?") {
			t.Fatalf("%d %v", begun.status, begun.header)
		}
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(begun.header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return strings.TrimPrefix(resp.Header.Get("Location"), "http://mail.example")
	}
	if s.pages.Link("/") != "" {
		t.Error("there is a link beside the provider")
	}
	provider.SignIn("olga@PLATFORM.example")
	b := s.browser(t)
	back := visit(b)
	got := b.get(back, "Sec-Fetch-Site", "cross-site")
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/me" || got.header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %v %s", got.status, got.header, got.body)
	}
	if page := b.get("/queues/"); page.status != http.StatusOK {
		t.Errorf("the operator: %d", page.status)
	}
	if again := b.get(back); again.status != http.StatusBadRequest {
		t.Errorf("twice: %d", again.status)
	}
	// Somebody sends a victim the end of their own sign-in.
	thief, victim := s.browser(t), s.browser(t)
	if got := victim.get(visit(thief)); got.status != http.StatusBadRequest || victim.session() != "" {
		t.Errorf("the end of another's sign-in: %d", got.status)
	}
	keys := s.redis.Client(t).DBSize(t.Context()).Val()
	for range 50 {
		s.browser(t).get("/oidc/login")
	}
	if now := s.redis.Client(t).DBSize(t.Context()).Val(); now != keys {
		t.Errorf("strangers who begin have left %d keys", now-keys)
	}
	provider.SignIn("max@acme.example")
	other := s.browser(t)
	if got := other.get(visit(other)); got.status != http.StatusForbidden || other.session() != "" || !strings.Contains(got.body, "no operator here") {
		t.Errorf("no operator: %d %s", got.status, got.body)
	}
	provider.Deny("access_denied")
	if got := other.get(visit(other)); got.status != http.StatusForbidden || strings.Contains(got.body, "<script>alert") {
		t.Errorf("denied: %d %s", got.status, got.body)
	}
	code, _, _ := strings.Cut(strings.TrimPrefix(back, "/oidc/callback?code="), "&")
	if log := s.lines.String(); strings.Contains(log, code) || !strings.Contains(log, `"user":"oidc:olga@PLATFORM.example"`) {
		t.Errorf("log: %s", log)
	}
	removed := newSiteAt(t, s.redis, func(o *web.Options) {
		noUsers(o)
		o.OIDC = configs.OIDC{Issuer: provider.Issuer(), ClientID: "client-1", Operators: configs.List{"otto@platform.example"}}
	})
	visitor := removed.browser(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(removed.URL, "http://"), ":")
	visitor.jar["rohrpost-session-"+port] = b.session()
	if got := visitor.get("/me"); got.status != http.StatusSeeOther {
		t.Errorf("an operator who was removed: %d", got.status)
	}
}
