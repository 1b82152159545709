package resolver_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestExplain is I5, as rohrpost account explain --json prints it.
func TestExplain(t *testing.T) {
	t.Parallel()
	f := load(t, `platform: {address: noreply@platform.example, smtp: {host: smtp.platform.example}}
tenants:
  acme:
    admin_address: it@acme.example
    account:
      address: info@acme.example
      name: ACME
      central_sender: service@acme.example
      reverse_path: bounces@acme.example
      oauth2: {provider: microsoft, refresh_token: canary}
      smtp: {host: old.acme.example, password: canary}
`)
	r, err := resolver.New(resolver.Options{Store: f})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Resolve(t.Context(), resolver.Request{Tenant: "acme", User: rohrpost.User{ID: "max"}, Origin: rohrpost.Manual})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(s.Explain(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "level": "tenant",
  "account": "tenant/acme",
  "transport": "smtp",
  "authentication": "oauth2",
  "host": "smtp.office365.com:587",
  "from": "service@acme.example",
  "from_name": "ACME",
  "reply_to": [
    "it@acme.example"
  ],
  "reverse_path": "bounces@acme.example",
  "why": "A person sends who has no account in use, so the tenant's serves; From is the tenant's central sender address.",
  "passed_over": [
    {
      "level": "user",
      "why": "the user has none"
    },
    {
      "level": "tenant",
      "transport": "smtp",
      "why": "OAuth2 goes before SMTP; the SMTP settings stay stored"
    },
    {
      "level": "platform",
      "transport": "smtp",
      "why": "the tenant's account goes first here"
    }
  ],
  "warnings": [
    "the central sender service@acme.example must be an alias of the mailbox info@acme.example at the provider",
    "Microsoft 365 needs the right \"Send As\" for service@acme.example"
  ]
}`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
	bare := resolver.Sender{Account: platform()}
	if b, err := json.Marshal(bare.Explain()); err != nil || string(b) != `{"level":"platform","account":"platform","transport":"smtp","authentication":"none","host":":0",`+
		`"from":"","from_name":"","reply_to":[],"reverse_path":"","why":"","passed_over":[]}` {
		t.Errorf("lists are never null: %s, %v", b, err)
	}
}

// TestWarningsByProvider are what a provider does with other addresses.
func TestWarningsByProvider(t *testing.T) {
	t.Parallel()
	const (
		alias   = "the central sender service@acme.example must be an alias of the mailbox info@acme.example at the provider"
		foreign = "the sender info@acme.example is not the login box@acme.example: most providers refuse a foreign sender address"
	)
	central := &resolver.Mailbox{Address: "service@acme.example"}
	login := &resolver.SMTPSettings{Host: "h.example", Password: resolver.NewSecret("pw")}
	for _, tt := range []struct {
		name string
		s    resolver.Settings
		want []string
	}{
		{"no provider", resolver.Settings{SMTP: login}, nil},
		{"I3 no provider", resolver.Settings{SMTP: login, CentralSender: central}, []string{alias}},
		{"I3 no login, no mailbox", resolver.Settings{SMTP: &resolver.SMTPSettings{Host: "h.example"}, CentralSender: central}, nil},
		{"I3 the address itself", resolver.Settings{SMTP: login, CentralSender: &resolver.Mailbox{Address: "info@ACME.example"}}, nil},
		{"mailbox", resolver.Settings{Provider: "ionos", SMTP: login, CentralSender: central, Aliases: []string{"sales@acme.example"}}, []string{alias}},
		{"rewritten", resolver.Settings{Provider: "google", OAuth2: google(), Aliases: []string{"sales@acme.example"}}, []string{
			`Google (Gmail, Workspace) replaces a From that is not confirmed there ("Send mail as") by info@acme.example, without an error`,
		}},
		{"rewritten, no preset", resolver.Settings{OAuth2: google(), Aliases: []string{"sales@acme.example"}}, []string{
			`Google (Gmail, Workspace) replaces a From that is not confirmed there ("Send mail as") by info@acme.example, without an error`,
		}},
		{"send as", resolver.Settings{Provider: "microsoft365", OAuth2: microsoft(), CentralSender: central, Aliases: []string{"sales@acme.example"}}, []string{
			alias, `Microsoft 365 needs the right "Send As" for service@acme.example, sales@acme.example`,
		}},
		{"verified", resolver.Settings{Provider: "mailjet", SMTP: login, CentralSender: central}, []string{alias, "Mailjet needs service@acme.example verified before it sends"}},
		{"verified, nothing else", resolver.Settings{Provider: "mailjet", SMTP: login}, nil},
		{"I7 password where OAuth2 is", resolver.Settings{Provider: "microsoft365", SMTP: login}, []string{
			`a password at Microsoft 365: Connect with OAuth2. A password works only while "Authenticated SMTP" is switched on for the mailbox, ` +
				"and Microsoft is switching passwords off.",
		}},
		{"I7 OAuth2", resolver.Settings{Provider: "microsoft365", OAuth2: microsoft()}, nil},
		{"I6 SMTP that is not used", resolver.Settings{OAuth2: microsoft(), SMTP: &resolver.SMTPSettings{
			Host: "h.example", Encryption: "none", Username: "box@acme.example", AllowPlaintextLogin: true,
		}}, nil},
		{"T8 password", resolver.Settings{SMTP: &resolver.SMTPSettings{Host: "h.example", Username: "box@acme.example"}}, []string{foreign}},
		{"T8 OAuth2", resolver.Settings{OAuth2: &resolver.OAuth2Settings{Provider: "google", Username: "box@acme.example"}}, []string{foreign}},
		{"T8 OAuth2, another case", resolver.Settings{OAuth2: &resolver.OAuth2Settings{Provider: "google", Username: "INFO@acme.example"}}, nil},
		{"O3 this machine", resolver.Settings{SMTP: &resolver.SMTPSettings{Host: "127.0.0.1", Encryption: "none"}}, nil},
		{"O3 this machine by name", resolver.Settings{SMTP: &resolver.SMTPSettings{Host: "localhost", Encryption: "none"}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.s.Address = "info@acme.example"
			if diff := cmp.Diff(tt.want, tt.s.Account(resolver.Tenant, "acme", "").Warnings()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestThrough is T3: the account that is tried sends, whatever the order says.
func TestThrough(t *testing.T) {
	t.Parallel()
	c := all()
	c.Branding = &resolver.Branding{Company: "ACME"}
	tried := (&resolver.Settings{Address: "new@acme.example", ReversePath: "b@acme.example", UsePlatformDefault: true}).Account(resolver.Tenant, "acme", "")
	tried.State = resolver.Locked
	s := resolver.Through(tried, c, byMax())
	want := resolver.Sender{
		Account: tried, From: rohrpost.Address{Name: "Max Muster", Address: "new@acme.example"}, ReplyTo: []rohrpost.Address{{Address: "it@acme.example"}},
		ReversePath: "b@acme.example", Why: "This account was asked for; From is the account's address.", Branding: c.Branding,
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
}

// TestCentral: only a central sender address that was used is to blame; TestRows
// has the case.
func TestCentral(t *testing.T) {
	t.Parallel()
	if s := mustResolve(t, all(), program()); s.Central() {
		t.Error("there is no central sender to blame")
	}
	c := all()
	c.User.CentralSender = rohrpost.Address{Address: "service@acme.example"} // which Validate refuses
	if s := mustResolve(t, c, person()); s.Central() {
		t.Error("a user's account has no central sender")
	}
	if (&resolver.Sender{}).Central() {
		t.Error("there is no account to blame")
	}
}
