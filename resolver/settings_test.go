package resolver_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// fill sets everything below v, by reflection, so that a new field cannot be
// forgotten. Nothing that exists already is replaced: a second filling changes
// whatever is shared. Secrets are left out if secrets is false.
func fill(t *testing.T, v reflect.Value, n int, secrets bool) {
	t.Helper()
	if v.Type() == reflect.TypeFor[resolver.Secret]() {
		if secrets {
			v.Set(reflect.ValueOf(resolver.NewSecret("canary-" + strconv.Itoa(n))))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(t, v.Elem(), n, secrets)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n+i, secrets)
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		}
		for i := range v.Len() {
			fill(t, v.Index(i), n+i, secrets)
		}
	case reflect.String:
		v.SetString("v" + strconv.Itoa(n))
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int:
		v.SetInt(int64(n))
	default:
		t.Fatalf("a %s, which this test does not know", v.Type())
	}
}

// filled are settings in which nothing is left out.
func filled(t *testing.T, secrets bool) *resolver.Settings {
	t.Helper()
	s := &resolver.Settings{}
	fill(t, reflect.ValueOf(s), 1, secrets)
	return s
}

func TestClone(t *testing.T) {
	t.Parallel()
	s := filled(t, true)
	c := s.Clone()
	if diff := cmp.Diff(filled(t, true), c); diff != "" {
		t.Fatalf("the copy is another: %s", diff)
	}
	fill(t, reflect.ValueOf(s), 1000, true)
	if diff := cmp.Diff(filled(t, true), c); diff != "" {
		t.Errorf("the copy shares what changed: %s", diff)
	}
	if (*resolver.Settings)(nil).Clone() != nil {
		t.Error("a copy of nothing is something")
	}
	if diff := cmp.Diff(&resolver.Settings{}, (&resolver.Settings{}).Clone()); diff != "" {
		t.Errorf("a copy of empty settings: %s", diff)
	}
}

// TestSpelling: settings are spelled alike in JSON and in YAML, and nothing is
// lost on the way through either.
func TestSpelling(t *testing.T) {
	t.Parallel()
	want := &resolver.Entry{
		AdminAddress: "it@acme.example", Account: filled(t, false), Order: &resolver.Order{Manual: []resolver.Level{resolver.Tenant}},
		Branding: &resolver.Branding{
			Enabled: true, Company: "ACME", Logo: png(t), LogoAlt: "the logo", LogoWidth: 120,
			Colors: resolver.BrandingColors{Background: "#ffffff", Card: "#fffffe", Text: "#000000", Accent: "#000001", Footer: "#000002"},
			Footer: resolver.BrandingFooter{Lines: []string{"ACME GmbH"}, Link: "https://acme.example", LinkText: "Imprint"},
		},
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got resolver.Entry
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Errorf("JSON: %s", diff)
	}
	parsed, err := resolver.ParseEntry("f.yaml", b, resolver.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, parsed); diff != "" {
		t.Errorf("YAML: %s", diff)
	}
}

// TestSettingsHideSecrets: what is printed shows none, and cannot be stored in
// place of them either.
func TestSettingsHideSecrets(t *testing.T) {
	t.Parallel()
	s := &resolver.Settings{Address: "a@acme.example", SMTP: &resolver.SMTPSettings{Password: resolver.NewSecret("canary-1")}}
	b, err := json.Marshal(s)
	if err != nil || string(b) != `{"address":"a@acme.example","smtp":{"password":"[redacted]"}}` {
		t.Errorf("%s, %v", b, err)
	}
	if err := json.Unmarshal(b, &resolver.Settings{}); err == nil {
		t.Error("[redacted] was read as a password")
	}
	_, err = resolver.ParseEntry("f.yaml", []byte(`account: `+string(b)), resolver.Tenant)
	if err == nil || err.Error() != "f.yaml:1: account.smtp.password: "+rohrpost.ErrRedacted.Error() {
		t.Errorf("[redacted] was read as a password: %v", err)
	}
	if b, err = json.Marshal(filled(t, true)); err != nil || strings.Contains(string(b), "canary") {
		t.Errorf("a secret is in %s, %v", b, err)
	}
}

// TestSecrets: there is one for every field of type Secret, and it leads there.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := filled(t, true)
	keys := slices.Sorted(maps.Keys(s.Secrets()))
	if diff := cmp.Diff([]string{"oauth2.client_secret", "oauth2.refresh_token", "oauth2.service_account", "smtp.password"}, keys); diff != "" {
		t.Error(diff)
	}
	for _, v := range s.Secrets() {
		if v.IsZero() {
			t.Error("a secret that is there is not found")
		}
		*v = resolver.Secret{}
	}
	if diff := cmp.Diff(filled(t, false), s); diff != "" {
		t.Errorf("a change through Secrets changes not them, or more: %s", diff)
	}
	if diff := cmp.Diff([]string{"smtp.password_file", "oauth2.client_secret_file", "oauth2.refresh_token_file", "oauth2.service_account_file"}, s.Files()); diff != "" {
		t.Error(diff)
	}
	s = &resolver.Settings{SMTP: &resolver.SMTPSettings{}}
	if len(s.Secrets()) != 1 || s.Files() != nil || len((&resolver.Settings{}).Secrets()) != 0 {
		t.Errorf("settings with a server alone: %v, %v", s.Secrets(), s.Files())
	}
}

// TestAccountOfSettings: what comes of a line in accounts.yaml.
func TestAccountOfSettings(t *testing.T) {
	t.Parallel()
	no := false
	s := resolver.Settings{
		Address: "info@acme.example", Name: "ACME", ForceSender: &no, ReplyToUser: true,
		CentralSender: &resolver.Mailbox{Address: "service@acme.example", Name: "Service"},
		Aliases:       []string{"sales@acme.example"}, ReversePath: "bounces@acme.example", UsePlatformDefault: true,
		SMTP: &resolver.SMTPSettings{Host: "h.example", AllowPlaintextLogin: true, MaxConnections: 3},
	}
	got := s.Account(resolver.Tenant, "acme", "")
	want := &resolver.Account{
		Level: resolver.Tenant, Tenant: "acme", Address: "info@acme.example", Name: "ACME", ReplyToUser: true,
		Aliases: []string{"sales@acme.example"}, ReversePath: "bounces@acme.example", UsePlatformDefault: true,
		SMTP: resolver.SMTP{
			Host: "h.example", Port: 587, Encryption: resolver.STARTTLS, Username: "info@acme.example", AllowPlaintextLogin: true, MaxConnections: 3,
		},
	}
	want.CentralSender.Address, want.CentralSender.Name = "service@acme.example", "Service"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// I6: with OAuth2 no SMTP data are needed, and none are made up.
	s = resolver.Settings{Provider: "google", Address: "info@acme.example", OAuth2: google()}
	if diff := cmp.Diff(resolver.SMTP{}, s.Account(resolver.Tenant, "acme", "").SMTP); diff != "" {
		t.Errorf("SMTP beside OAuth2: %s", diff)
	}
	// With nothing said at all the account is one, and says what is missing.
	empty := (&resolver.Settings{}).Account(resolver.User, "acme", "max")
	if got := problems(empty.Validate()); len(got) != 2 || !empty.ForceSender {
		t.Errorf("%q of %+v", got, empty)
	}
}

// TestServerDefaults are port, encryption and login by each other.
func TestServerDefaults(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tt := range []struct {
		name string
		s    resolver.SMTPSettings
		want resolver.SMTP
	}{
		{"nothing", resolver.SMTPSettings{}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS}},
		{"tls", resolver.SMTPSettings{Encryption: "tls"}, resolver.SMTP{Port: 465, Encryption: resolver.TLS}},
		{"starttls", resolver.SMTPSettings{Encryption: "starttls"}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS}},
		{"none", resolver.SMTPSettings{Encryption: "none"}, resolver.SMTP{Port: 25, Encryption: resolver.None}},
		{"465", resolver.SMTPSettings{Port: 465}, resolver.SMTP{Port: 465, Encryption: resolver.TLS}},
		{"587", resolver.SMTPSettings{Port: 587}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS}},
		{"25 is no reason to go without encryption", resolver.SMTPSettings{Port: 25}, resolver.SMTP{Port: 25, Encryption: resolver.STARTTLS}},
		{"any port", resolver.SMTPSettings{Port: 2525}, resolver.SMTP{Port: 2525, Encryption: resolver.STARTTLS}},
		{"any port, none", resolver.SMTPSettings{Port: 2525, Encryption: "none"}, resolver.SMTP{Port: 2525, Encryption: resolver.None}},
		{"wrong encryption stays visible", resolver.SMTPSettings{Encryption: "ssl"}, resolver.SMTP{Port: 587, Encryption: "ssl"}},
		{"user name is a login", resolver.SMTPSettings{Username: "max"}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS, Username: "max", Authentication: true}},
		{"password is a login", resolver.SMTPSettings{Password: resolver.NewSecret("pw")}, resolver.SMTP{
			Port: 587, Encryption: resolver.STARTTLS, Authentication: true, Password: resolver.NewSecret("pw"),
		}},
		{"password file is a login", resolver.SMTPSettings{PasswordFile: "pw"}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS, Authentication: true}},
		{"T2 the switch goes first", resolver.SMTPSettings{Authentication: &yes}, resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS, Authentication: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.want.Username == "" {
				tt.want.Username = "max@acme.example" // F3: often the address
			}
			s := resolver.Settings{Address: "max@acme.example", SMTP: &tt.s}
			if diff := cmp.Diff(tt.want, s.Account(resolver.User, "acme", "max").SMTP); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestValidateSettings is one mistake each in what TestValidate has no word for.
func TestValidateSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*resolver.Settings)
		want   string // beginning of the only problem; empty: none
	}{
		{"custom", func(s *resolver.Settings) { s.Provider = "custom" }, ""},
		{"preset", func(s *resolver.Settings) { s.Provider = "strato" }, ""},
		{"unknown preset", func(s *resolver.Settings) { s.Provider = "aol" }, `provider: "aol" is not known; known are microsoft365, google, ionos, strato, gmx, ` +
			"web.de, t-online, mailbox.org, all-inkl, hetzner, posteo, brevo, mailjet, custom"},
		{"limits", func(s *resolver.Settings) { s.Limits = &resolver.Limits{PerMinute: 1} }, ""},
		{"per minute", func(s *resolver.Settings) { s.Limits = &resolver.Limits{PerMinute: -1} }, "limits.per_minute: must not be negative"},
		{"per hour", func(s *resolver.Settings) { s.Limits = &resolver.Limits{PerHour: -1} }, "limits.per_hour: "},
		{"per day", func(s *resolver.Settings) { s.Limits = &resolver.Limits{PerDay: -1} }, "limits.per_day: "},
		{"recipients per day", func(s *resolver.Settings) { s.Limits = &resolver.Limits{RecipientsPerDay: -1} }, "limits.recipients_per_day: "},
		{"recipients per mail", func(s *resolver.Settings) { s.Limits = &resolver.Limits{RecipientsPerMail: -1} }, "limits.recipients_per_mail: "},
		{"reverse-path", func(s *resolver.Settings) { s.ReversePath = "bounces@acme.example" }, ""},
		{"reverse-path is none", func(s *resolver.Settings) { s.ReversePath = "bounces" }, `reverse_path: "bounces" has no @`},
		{"host too long", func(s *resolver.Settings) { s.SMTP.Host = strings.Repeat("a.", 127) }, "smtp.host: "},
		{"host with a dot at its end", func(s *resolver.Settings) { s.SMTP.Host = "h.example." }, ""},
		{"host of two dots", func(s *resolver.Settings) { s.SMTP.Host = "h..example" }, "smtp.host: "},
		{"host with a long label", func(s *resolver.Settings) { s.SMTP.Host = strings.Repeat("a", 64) + ".example" }, "smtp.host: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &resolver.Settings{Address: "info@acme.example", SMTP: &resolver.SMTPSettings{Host: "h.example"}}
			tt.change(s)
			got := problems(s.Account(resolver.Tenant, "acme", "").Validate())
			if tt.want == "" && len(got) > 0 || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)) {
				t.Errorf("problems are %q, want %q", got, tt.want)
			}
		})
	}
}
