package resolver_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/resolver"
)

// A providerFact is what a provider says of itself, written down apart from
// presets.yaml.
type providerFact struct {
	id, host    string // host empty: each customer has another
	ports       []int  // on which it takes mail from customers
	oauth2      string
	connections int
	from        resolver.FromRule
	limits      resolver.Limits
}

func providerFacts() []providerFact {
	usual := []int{465, 587}
	return []providerFact{
		{
			"microsoft365", "smtp.office365.com",
			[]int{587, 25},
			resolver.Microsoft, 2, resolver.FromSendAs,
			resolver.Limits{PerMinute: 25, RecipientsPerDay: 8000, RecipientsPerMail: 500},
		},
		{
			"google", "smtp.gmail.com", usual, resolver.Google, 4, resolver.FromRewritten,
			resolver.Limits{PerDay: 2000, RecipientsPerDay: 10_000, RecipientsPerMail: 100},
		},
		{"ionos", "smtp.ionos.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{PerHour: 500}},
		{"strato", "smtp.strato.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{RecipientsPerMail: 1000}},
		{"gmx", "mail.gmx.net", usual, "", 0, resolver.FromMailbox, resolver.Limits{RecipientsPerMail: 100}},
		{"web.de", "smtp.web.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{RecipientsPerMail: 100}},
		{"t-online", "securesmtp.t-online.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{}},
		{"mailbox.org", "smtp.mailbox.org", usual, "", 0, resolver.FromMailbox, resolver.Limits{}},
		{"all-inkl", "", []int{465, 587, 25}, "", 0, resolver.FromMailbox, resolver.Limits{}},
		{"hetzner", "mail.your-server.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{PerHour: 500}},
		{"posteo", "posteo.de", usual, "", 0, resolver.FromMailbox, resolver.Limits{}},
		{"brevo", "smtp-relay.brevo.com", []int{587, 465, 2525}, "", 0, resolver.FromVerified, resolver.Limits{PerDay: 300}},
		{"mailjet", "in-v3.mailjet.com", []int{25, 587, 588, 465, 80, 2525}, "", 0, resolver.FromVerified, resolver.Limits{}},
	}
}

// TestPresets compares every row of presets.yaml with the facts, and sees that a
// row can be used: an address and a password make an account of it.
func TestPresets(t *testing.T) {
	t.Parallel()
	facts := providerFacts()
	var want, got []string
	for _, f := range facts {
		want = append(want, f.id)
	}
	for _, p := range resolver.Presets() {
		got = append(got, p.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	for _, fact := range facts {
		t.Run(fact.id, func(t *testing.T) {
			t.Parallel()
			p, ok := resolver.PresetByID(fact.id)
			if !ok || p.Name == "" || p.Host != fact.host || p.OAuth2 != fact.oauth2 || p.From != fact.from || p.Limits != fact.limits || p.Connections != fact.connections {
				t.Errorf("the preset %+v is not what is known: %+v", p, fact)
			}
			usual := map[int]resolver.Encryption{465: resolver.TLS, 587: resolver.STARTTLS}
			if !slices.Contains(fact.ports, p.Port) || p.Encryption != usual[p.Port] {
				t.Errorf("port %d with %q; the provider has %v", p.Port, p.Encryption, fact.ports)
			}
			for _, note := range []string{p.Note.English, p.Note.German} {
				if !strings.HasSuffix(note, ".") || strings.ContainsAny(note, "\r\n") {
					t.Errorf("the note is no sentence: %q", note)
				}
			}
			if p.Note.English == p.Note.German {
				t.Error("the note is not translated")
			}
			checkFilled(t, p)
		})
	}
	first := resolver.Presets()
	first[0].ID = "changed"
	if resolver.Presets()[0].ID == "changed" {
		t.Error("who gets the presets can change them for all")
	}
	for _, id := range []string{"", "custom", "unknown"} {
		if p, ok := resolver.PresetByID(id); ok || p != (resolver.Preset{}) {
			t.Errorf("%q is a preset: %+v", id, p)
		}
	}
}

// checkFilled makes an account of a preset with what only the customer knows.
func checkFilled(t *testing.T, p resolver.Preset) {
	t.Helper()
	s := resolver.Settings{
		Provider: p.ID, Address: "max@acme.example",
		SMTP: &resolver.SMTPSettings{Password: resolver.NewSecret("canary-hunter2")},
	}
	host := p.Host
	if host == "" {
		host, s.SMTP.Host = "own.provider.example", "own.provider.example"
	}
	a := s.Account(resolver.User, "acme", "max")
	if err := a.Validate(); err != nil {
		t.Errorf("cannot send: %v", err)
	}
	want := resolver.SMTP{
		Host: host, Port: p.Port, Encryption: p.Encryption, MaxConnections: p.Connections,
		Authentication: true, Username: "max@acme.example", Password: resolver.NewSecret("canary-hunter2"),
	}
	if diff := cmp.Diff(want, a.SMTP); diff != "" {
		t.Errorf("the server is not filled in: %s", diff)
	}
	if a.Limits != p.Limits || a.Provider != p.ID {
		t.Errorf("account is %+v", a)
	}
}

// TestPresetYields: what settings say goes before the preset.
func TestPresetYields(t *testing.T) {
	t.Parallel()
	no := false
	type server struct {
		host        string
		port        int
		encryption  resolver.Encryption
		connections int
	}
	for _, tt := range []struct {
		name, provider string
		smtp           resolver.SMTPSettings
		want           server
	}{
		{"nothing said", "microsoft365", resolver.SMTPSettings{}, server{"smtp.office365.com", 587, resolver.STARTTLS, 2}},
		{"host", "microsoft365", resolver.SMTPSettings{Host: "h.example"}, server{"h.example", 587, resolver.STARTTLS, 2}},
		{"port of the other encryption", "microsoft365", resolver.SMTPSettings{Port: 465}, server{"smtp.office365.com", 465, resolver.TLS, 2}},
		{"port of the other encryption, reversed", "ionos", resolver.SMTPSettings{Port: 587}, server{"smtp.ionos.de", 587, resolver.STARTTLS, 0}},
		{"its own port", "ionos", resolver.SMTPSettings{Port: 465}, server{"smtp.ionos.de", 465, resolver.TLS, 0}},
		{"any port", "ionos", resolver.SMTPSettings{Port: 2525}, server{"smtp.ionos.de", 2525, resolver.STARTTLS, 0}},
		{"encryption", "ionos", resolver.SMTPSettings{Encryption: "starttls"}, server{"smtp.ionos.de", 587, resolver.STARTTLS, 0}},
		{"its own encryption", "ionos", resolver.SMTPSettings{Encryption: "tls"}, server{"smtp.ionos.de", 465, resolver.TLS, 0}},
		{"no encryption", "ionos", resolver.SMTPSettings{Encryption: "none"}, server{"smtp.ionos.de", 25, resolver.None, 0}},
		{"encryption and port", "ionos", resolver.SMTPSettings{Encryption: "tls", Port: 587}, server{"smtp.ionos.de", 587, resolver.TLS, 0}},
		{"connections", "microsoft365", resolver.SMTPSettings{MaxConnections: 3}, server{"smtp.office365.com", 587, resolver.STARTTLS, 3}},
		{"custom", "custom", resolver.SMTPSettings{Host: "h.example"}, server{"h.example", 587, resolver.STARTTLS, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := resolver.Settings{Provider: tt.provider, Address: "max@acme.example", SMTP: &tt.smtp}
			got := s.Account(resolver.User, "acme", "max").SMTP
			if got := (server{got.Host, got.Port, got.Encryption, got.MaxConnections}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	s := resolver.Settings{
		Provider: "google", Address: "max@acme.example", Limits: &resolver.Limits{PerMinute: 3, PerDay: 7},
		SMTP: &resolver.SMTPSettings{Username: "m0123", Password: resolver.NewSecret("pw"), Authentication: &no},
	}
	a := s.Account(resolver.User, "acme", "max")
	if want := (resolver.Limits{PerMinute: 3, PerDay: 7, RecipientsPerDay: 10_000, RecipientsPerMail: 100}); a.Limits != want {
		t.Errorf("limits are %+v", a.Limits)
	}
	if a.SMTP.Username != "m0123" || a.SMTP.Authentication {
		t.Errorf("the login is %+v", a.SMTP)
	}
}

// TestPresetByOAuth2: who logs in at Google with OAuth2 has Google's limits,
// without naming the preset.
func TestPresetByOAuth2(t *testing.T) {
	t.Parallel()
	want := resolver.Limits{PerHour: 9, PerDay: 2000, RecipientsPerDay: 10_000, RecipientsPerMail: 100}
	for _, provider := range []string{"", "google", "custom", "gmx"} {
		s := resolver.Settings{Provider: provider, OAuth2: &resolver.OAuth2Settings{Provider: resolver.Google}, Limits: &resolver.Limits{PerHour: 9}}
		if got := s.Account(resolver.Tenant, "acme", "").Limits; got != want {
			t.Errorf("provider %q: limits are %+v", provider, got)
		}
	}
	for _, provider := range []string{"", "yahoo"} {
		s := resolver.Settings{Provider: "gmx", OAuth2: &resolver.OAuth2Settings{Provider: provider}}
		if a := s.Account(resolver.Tenant, "acme", ""); a.Limits != (resolver.Limits{}) {
			t.Errorf("OAuth2 at %q: limits are %+v", provider, a.Limits)
		}
	}
}

// TestPresetConnections: Microsoft counts connections per mailbox, however they
// log in, and whatever stands in SMTP settings that are not used.
func TestPresetConnections(t *testing.T) {
	t.Parallel()
	microsoft := &resolver.OAuth2Settings{Provider: resolver.Microsoft}
	for _, tt := range []struct {
		name string
		s    resolver.Settings
		want int
	}{
		{"by preset", resolver.Settings{Provider: "microsoft365", OAuth2: &resolver.OAuth2Settings{}}, 2},
		{"by OAuth2 alone", resolver.Settings{OAuth2: microsoft}, 2},
		{"SMTP stored", resolver.Settings{OAuth2: microsoft, SMTP: &resolver.SMTPSettings{Host: "h.example", MaxConnections: 9}}, 2},
		{"other endpoint", resolver.Settings{OAuth2: &resolver.OAuth2Settings{
			Provider: resolver.Microsoft, Endpoints: &resolver.Endpoints{SMTP: "h.example:587"},
		}}, 2},
		{"Google", resolver.Settings{OAuth2: &resolver.OAuth2Settings{Provider: resolver.Google}}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.s.Account(resolver.Tenant, "acme", "").Server(); got.MaxConnections != tt.want {
				t.Errorf("server is %+v, want %d connections", got, tt.want)
			}
		})
	}
}
