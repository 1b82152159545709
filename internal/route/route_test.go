package route_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/resolver"
)

// withPassword is an account at a server that wants a login.
func withPassword(server *smtptest.Server) *resolver.Account {
	return &resolver.Account{
		Level: resolver.User, Tenant: "acme", User: "max", Address: "max@acme.example",
		SMTP: resolver.SMTP{
			Host: "127.0.0.1", Port: server.Port(), Encryption: resolver.None, Authentication: true, AllowPlaintextLogin: true,
			Username: "max", Password: resolver.NewSecret("hunter2"),
		},
	}
}

func needsLogin(t *testing.T) *smtptest.Server {
	t.Helper()
	return smtptest.Start(t, smtptest.Options{Username: "max", Password: "hunter2"})
}

// TestLanes: the operator's accounts reach this machine, those of tenants do not.
func TestLanes(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	r := b.open()
	a := withPassword(server)
	for name, do := range map[string]func() *failure.Failure{
		"send": func() *failure.Failure { return b.send(r, a).Failure },
		"try": func() *failure.Failure {
			out, err := r.Try(t.Context(), a, mail(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return out.Verdicts[0].Failure
		},
		"check": func() *failure.Failure {
			for _, step := range r.Check(t.Context(), a, smtp.CheckOptions{}) {
				if step.Failure != nil {
					return step.Failure
				}
			}
			return nil
		},
	} {
		a.Trusted = false
		if f := do(); f == nil || f.Category != "config_invalid" || f.Stage != failure.StageConnect {
			t.Errorf("%s of a tenant's: %v", name, f)
		}
		if server.Sessions() != 0 {
			t.Fatalf("%s of a tenant's has connected", name)
		}
	}
	a.Trusted = true
	if v := b.send(r, a); v.Failure != nil || server.Taken() != 1 {
		t.Errorf("the operator's: %v", v.Failure)
	}
	// The places of the attempts that were refused are given back beside them.
	waitFor(t, "one connection is open, and idle", func() bool {
		stats := r.Stats()
		return stats.Open == 1 && stats.Idle == 1
	})
}

// TestLanesAreApart: a connection that the operator's account has left open does
// not serve a tenant's.
func TestLanesAreApart(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	r := b.open()
	a := withPassword(server)
	a.Trusted = true
	b.send(r, a)
	a.Trusted = false
	if v := b.send(r, a); v.Failure == nil {
		t.Error("sent over the operator's connection")
	}
	inside := b.open(server.Port())
	if v := b.send(inside, a); v.Failure != nil || server.Sessions() != 2 {
		t.Errorf("where the network is allowed: %v, %d connections", v.Failure, server.Sessions())
	}
}

// TestTry logs in anew each time, and leaves the account's own connection alone.
func TestTry(t *testing.T) {
	t.Parallel()
	b, server := newBench(t), needsLogin(t)
	r := b.open()
	a := withPassword(server)
	a.Trusted = true
	for range 3 {
		b.send(r, a)
	}
	if server.Sessions() != 1 || server.Count(smtptest.AUTH) != 1 {
		t.Fatalf("%d connections, %d logins", server.Sessions(), server.Count(smtptest.AUTH))
	}
	for n := 2; n <= 4; n++ {
		out, err := r.Try(t.Context(), a, mail(), nil)
		if err != nil || out.Verdicts[0].Failure != nil {
			t.Fatal(err, out)
		}
		if server.Sessions() != n || server.Count(smtptest.AUTH) != n {
			t.Errorf("%d connections, %d logins, not %d", server.Sessions(), server.Count(smtptest.AUTH), n)
		}
	}
	b.send(r, a)
	if mails := server.Mails(); len(mails) != 7 || mails[6].Session != 1 {
		t.Errorf("the account's own connection is gone: %+v", mails)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	r := newBench(t).open()
	settings := &resolver.Settings{
		Provider: "ionos", Address: "max@acme.example",
		SMTP: &resolver.SMTPSettings{Password: resolver.NewSecret("hunter2"), MaxConnections: 3},
	}
	a := settings.Account(resolver.User, "acme", "max")
	got := r.Server(a)
	want := smtp.Server{
		Account: "user/acme/max", Version: a.Version(), Host: "smtp.ionos.de", Port: 465, Encryption: smtp.TLS,
		Authentication: true, Username: "max@acme.example", MaxConnections: 3,
	}
	if got.Password.Reveal() != "hunter2" || got.Token != nil {
		t.Error("the password is not there, or a token is")
	}
	if got.Guard == nil {
		t.Error("nobody is told of a refused password")
	}
	got.Password, got.Guard = resolver.Secret{}, nil
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(smtp.Server{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	settings.OAuth2 = &resolver.OAuth2Settings{Provider: resolver.Google, RefreshToken: resolver.NewSecret("r")}
	if got := r.Server(settings.Account(resolver.User, "acme", "max")); got.Token == nil || got.Host != "smtp.gmail.com" || !got.Password.IsZero() {
		t.Errorf("with OAuth2: %+v", got)
	}
}

// TestCredentials: an account that names no application has the platform's.
func TestCredentials(t *testing.T) {
	t.Parallel()
	r := newBench(t).open()
	for name, test := range map[string]struct {
		settings   resolver.OAuth2Settings
		id, secret string
		subject    string
	}{
		"Microsoft":               {resolver.OAuth2Settings{Provider: resolver.Microsoft}, "ms-app", "ms-secret", "max@acme.example"},
		"Google":                  {resolver.OAuth2Settings{Provider: resolver.Google}, "g-app", "g-secret", "max@acme.example"},
		"own":                     {resolver.OAuth2Settings{Provider: resolver.Google, ClientID: "own", ClientSecret: resolver.NewSecret("s")}, "own", "s", "max@acme.example"},
		"own, public":             {resolver.OAuth2Settings{Provider: resolver.Microsoft, ClientID: "own"}, "own", "", "max@acme.example"},
		"another mailbox":         {resolver.OAuth2Settings{Provider: resolver.Microsoft, Username: "m@acme.example"}, "ms-app", "ms-secret", "m@acme.example"},
		"secret without an id":    {resolver.OAuth2Settings{Provider: resolver.Microsoft, ClientSecret: resolver.NewSecret("s")}, "ms-app", "ms-secret", "max@acme.example"},
		"a service account's own": {resolver.OAuth2Settings{Provider: resolver.Google, ServiceAccount: resolver.NewSecret("{}")}, "g-app", "g-secret", "max@acme.example"},
	} {
		a := (&resolver.Settings{Address: "max@acme.example", OAuth2: &test.settings}).Account(resolver.User, "acme", "max")
		c := r.Credentials(a)
		if c.ClientID != test.id || c.ClientSecret.Reveal() != test.secret || c.Subject != test.subject || c.Account != "user/acme/max" ||
			c.Provider != oauth.Provider(test.settings.Provider) || c.Transport != oauth.SMTP {
			t.Errorf("%s: %+v", name, c)
		}
	}
	elsewhere := (&resolver.Settings{Address: "max@acme.example", OAuth2: &resolver.OAuth2Settings{
		Provider: resolver.Microsoft, RefreshToken: resolver.NewSecret("r"), Endpoints: &resolver.Endpoints{Token: "https://evil.example/"},
	}}).Account(resolver.Tenant, "acme", "")
	if c := r.Credentials(elsewhere); c.ClientID != "" || !c.ClientSecret.IsZero() {
		t.Error("the platform's secret goes to an endpoint that a tenant has named")
	}
	elsewhere.Trusted = true
	if c := r.Credentials(elsewhere); c.ClientID != "ms-app" {
		t.Errorf("an operator's own endpoint: %+v", c)
	}
	full := resolver.OAuth2Settings{
		Provider: resolver.Microsoft, Transport: "graph", Tenant: "acme.example", Cloud: "china",
		RefreshToken: resolver.NewSecret("refresh"), Endpoints: &resolver.Endpoints{Authorize: "https://a.example/", Token: "https://t.example/"},
	}
	c := r.Credentials((&resolver.Settings{Address: "max@acme.example", OAuth2: &full}).Account(resolver.Tenant, "acme", ""))
	if c.Directory != "acme.example" || c.Cloud != oauth.China || c.RefreshToken.Reveal() != "refresh" || c.AuthURL != "https://a.example/" ||
		c.TokenURL != "https://t.example/" || c.Transport != oauth.Graph {
		t.Errorf("%+v", c)
	}
}

// TestNationalClouds: tokens of one cloud are worth nothing in another.
func TestNationalClouds(t *testing.T) {
	t.Parallel()
	r := newBench(t).open()
	for cloud, want := range map[string]string{
		"": "", "us": "https://graph.microsoft.us/v1.0", "us-dod": "https://dod-graph.microsoft.us/v1.0", "china": "https://microsoftgraph.chinacloudapi.cn/v1.0",
	} {
		s := &resolver.Settings{Address: "max@acme.example", OAuth2: &resolver.OAuth2Settings{Provider: resolver.Microsoft, Transport: "graph", Cloud: cloud, Username: "m@acme.example"}}
		m := r.Mailbox(s.Account(resolver.Tenant, "acme", ""))
		if m.BaseURL != want || m.Address != "m@acme.example" || m.Account != "tenant/acme" {
			t.Errorf("%q: %+v", cloud, m)
		}
		s.OAuth2.Endpoints = &resolver.Endpoints{API: "https://graph.example/v1.0"}
		if m := r.Mailbox(s.Account(resolver.Tenant, "acme", "")); m.BaseURL != "https://graph.example/v1.0" {
			t.Errorf("%q with an endpoint of its own: %+v", cloud, m)
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	guard, err := netguard.New(netguard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	none := func(*http.Client) (*oauth.Tokens, error) { return nil, http.ErrAbortHandler }
	for word, o := range map[string]route.Options{
		"are required": {Guard: guard},
		"required":     {Tokens: none},
		"and leases":   {Tokens: none, Guard: guard, Breaker: &breaker.Breaker{}},
		"abort":        {Tokens: none, Guard: guard, Breaker: &breaker.Breaker{}, Leases: &lease.Leases{}},
	} {
		if _, err := route.New(o); err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v", err)
		}
	}
}
