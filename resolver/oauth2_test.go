package resolver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// microsoft is a mailbox that somebody has connected.
func microsoft() *resolver.OAuth2Settings {
	return &resolver.OAuth2Settings{Provider: resolver.Microsoft, RefreshToken: resolver.NewSecret("canary-refresh")}
}

// google is one of a whole domain that has delegated the right.
func google() *resolver.OAuth2Settings {
	return &resolver.OAuth2Settings{Provider: resolver.Google, ServiceAccount: resolver.NewSecret("canary-service")}
}

// daemon is a program that sends without a person.
func daemon() *resolver.OAuth2Settings {
	return &resolver.OAuth2Settings{
		Provider: resolver.Microsoft, Tenant: "acme.example", ClientID: "app", ClientSecret: resolver.NewSecret("canary-client"),
	}
}

// problems are the fields and problems of an error of Validate.
func problems(err error) (out []string) {
	if err == nil {
		return nil
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		if f, ok := errors.AsType[*rohrpost.FieldError](e); ok {
			out = append(out, f.Field+": "+f.Problem)
		}
	}
	return out
}

// TestValidateOAuth2 is one mistake each, and what is right (want empty).
func TestValidateOAuth2(t *testing.T) {
	t.Parallel()
	const noRefresh = "oauth2.refresh_token: is missing: run rohrpost account connect "
	for _, tt := range []struct {
		name   string
		oauth2 *resolver.OAuth2Settings
		change func(*resolver.Settings)
		want   string // beginning of the only problem
	}{
		{"I7 Microsoft, connected", microsoft(), nil, ""},
		{"I7 Microsoft, a program", daemon(), nil, ""},
		{"I7 Microsoft, Graph", microsoft(), func(s *resolver.Settings) { s.OAuth2.Transport = "graph" }, ""},
		{"I7 Google, a domain", google(), nil, ""},
		{"I7 Google, connected", &resolver.OAuth2Settings{Provider: resolver.Google, RefreshToken: resolver.NewSecret("r")}, nil, ""},
		{"I7 Google, Gmail", google(), func(s *resolver.Settings) { s.OAuth2.Transport = "gmail" }, ""},
		{"I7 provider by the preset", microsoft(), func(s *resolver.Settings) { s.Provider, s.OAuth2.Provider = "microsoft365", "" }, ""},
		{"no provider", microsoft(), func(s *resolver.Settings) { s.OAuth2.Provider = "" }, `oauth2.provider: "" is not one of microsoft, google`},
		{"preset without OAuth2", microsoft(), func(s *resolver.Settings) { s.Provider, s.OAuth2.Provider = "gmx", "" }, `oauth2.provider: "" is not`},
		{"unknown provider", microsoft(), func(s *resolver.Settings) { s.OAuth2.Provider = "yahoo" }, `oauth2.provider: "yahoo" is not`},
		{"unknown transport", microsoft(), func(s *resolver.Settings) { s.OAuth2.Transport = "imap" }, `oauth2.transport: "imap" is not one of smtp, graph`},
		{"Gmail at Microsoft", microsoft(), func(s *resolver.Settings) { s.OAuth2.Transport = "gmail" }, `oauth2.transport: "gmail" is not one of smtp, graph`},
		{"Graph at Google", google(), func(s *resolver.Settings) { s.OAuth2.Transport = "graph" }, `oauth2.transport: "graph" is not one of smtp, gmail`},
		{"line break in the user name", microsoft(), func(s *resolver.Settings) { s.OAuth2.Username = "a\r\nb" }, "oauth2.username: must be one line"},
		{"separator in the user name", microsoft(), func(s *resolver.Settings) { s.OAuth2.Username = "a\x01b" }, "oauth2.username: must be one line"},
		{"directory at Google", google(), func(s *resolver.Settings) { s.OAuth2.Tenant = "acme.example" }, "oauth2.tenant: tenant and cloud are Microsoft's"},
		{"cloud at Google", google(), func(s *resolver.Settings) { s.OAuth2.Cloud = "us" }, "oauth2.tenant: tenant and cloud are Microsoft's"},
		{"unknown cloud", microsoft(), func(s *resolver.Settings) { s.OAuth2.Cloud = "germany" }, `oauth2.cloud: "germany" is not one of us, us-dod, china`},
		{"cloud", microsoft(), func(s *resolver.Settings) { s.OAuth2.Cloud = "us-dod" }, ""},
		{"service account at Microsoft", microsoft(), func(s *resolver.Settings) { s.OAuth2.ServiceAccount = resolver.NewSecret("canary-key") }, "oauth2.service_account: is Google's"},
		{"token endpoint in clear", daemon(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{Token: "http://login.example/token"}
		}, "oauth2.endpoints.token: must be a URL that begins with https://"},
		{"sign-in page in clear", daemon(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{Authorize: "http://login.example/"}
		}, "oauth2.endpoints.authorize: must be a URL that begins with https://"},
		{"API endpoint with a login", microsoft(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{API: "https://a:canary@h.example"}
		}, "oauth2.endpoints.api: must be a URL"},
		{"API endpoint without a host", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{API: "https:///v1.0"} }, "oauth2.endpoints.api: must be a URL"},
		{"API endpoint is no URL", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{API: "https://a b"} }, "oauth2.endpoints.api: must be a URL"},
		{"SMTP endpoint without a port", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{SMTP: "h.example"} }, `oauth2.endpoints.smtp: "h.example" is not host:port`},
		{"SMTP endpoint at port 0", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{SMTP: "h.example:0"} }, "oauth2.endpoints.smtp: "},
		{"SMTP endpoint at a named port", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{SMTP: "h.example:smtp"} }, "oauth2.endpoints.smtp: "},
		{"SMTP endpoint at no host", microsoft(), func(s *resolver.Settings) { s.OAuth2.Endpoints = &resolver.Endpoints{SMTP: ":587"} }, "oauth2.endpoints.smtp: "},
		{"endpoints", daemon(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{
				Authorize: "https://login.example/authorize", Token: "https://login.example/token",
				API: "https://api.example:8443/v1.0", SMTP: "[2001:db8::7]:587",
			}
		}, ""},
		{"other API, the platform's application", microsoft(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{API: "https://api.example/v1.0", SMTP: "h.example:587"}
		}, ""},
		{"token endpoint, service account", google(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{Token: "https://login.example/token"}
		}, ""},
		{"token endpoint that would get the platform's secret", microsoft(), func(s *resolver.Settings) {
			s.OAuth2.Endpoints = &resolver.Endpoints{Token: "https://login.example/token"}
		}, "oauth2.client_id: is missing: the platform's application is shown to the provider alone"},
		{"sign-in page that would get the platform's application, switched off", microsoft(), func(s *resolver.Settings) {
			s.UsePlatformDefault, s.OAuth2.Endpoints = true, &resolver.Endpoints{Authorize: "https://login.example/authorize"}
		}, "oauth2.client_id: is missing: the platform's application is shown to the provider alone"},
		{"Google, no grant", &resolver.OAuth2Settings{Provider: resolver.Google, ClientSecret: resolver.NewSecret("s")}, nil, noRefresh + "google"},
		{"Microsoft, no grant", &resolver.OAuth2Settings{Provider: resolver.Microsoft}, nil, noRefresh + "microsoft"},
		{"program without an id", daemon(), func(s *resolver.Settings) { s.OAuth2.ClientID = "" }, "oauth2.client_id: is missing"},
		{"program without a directory", daemon(), func(s *resolver.Settings) { s.OAuth2.Tenant = "" }, "oauth2.tenant: is missing"},
		{"program in every directory", daemon(), func(s *resolver.Settings) { s.OAuth2.Tenant = "common" }, "oauth2.tenant: is missing"},
		{"program in every company", daemon(), func(s *resolver.Settings) { s.OAuth2.Tenant = "organizations" }, "oauth2.tenant: is missing"},
		{"program at private mailboxes", daemon(), func(s *resolver.Settings) { s.OAuth2.Tenant = "consumers" }, "oauth2.tenant: is missing"},
		{"O2 switched off, no grant", &resolver.OAuth2Settings{Provider: resolver.Google}, func(s *resolver.Settings) { s.UsePlatformDefault = true }, ""},
		{"I6 no SMTP data are needed", microsoft(), func(s *resolver.Settings) { s.SMTP = nil }, ""},
		{"I6 stored SMTP data may be incomplete", microsoft(), func(s *resolver.Settings) { s.SMTP = &resolver.SMTPSettings{Username: "max"} }, ""},
		{"I6 but not wrong", microsoft(), func(s *resolver.Settings) { s.SMTP = &resolver.SMTPSettings{Host: "h.example:25"} }, "smtp.host: "},
		{"address missing", microsoft(), func(s *resolver.Settings) { s.Address = "" }, "address: is missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := resolver.Settings{Address: "max@acme.example", OAuth2: tt.oauth2}
			if tt.change != nil {
				tt.change(&s)
			}
			err := s.Account(resolver.User, "acme", "max").Validate()
			got := problems(err)
			if tt.want == "" && err != nil || tt.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tt.want)) {
				t.Errorf("problems are %q, want %q", got, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
	own := resolver.Settings{Address: "max@acme.example", OAuth2: microsoft()}
	own.OAuth2.Endpoints = &resolver.Endpoints{Token: "https://login.example/token"}
	operators := own.Account(resolver.Tenant, "acme", "")
	operators.Trusted = true
	if err := errors.Join(operators.Validate(), own.Account(resolver.Platform, "", "").Validate()); err != nil {
		t.Errorf("an operator may show the platform's application to whom they want: %v", err)
	}
	unread := (&resolver.Settings{Address: "max@acme.example", OAuth2: &resolver.OAuth2Settings{Provider: resolver.Google}}).Account(resolver.User, "acme", "max")
	unread.Unusable = "its refresh token cannot be read"
	if err := unread.Validate(); err != nil {
		t.Errorf("a grant that cannot be read is not missing: %v", err)
	}
}

// TestServer is where mails go with XOAUTH2.
func TestServer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		oauth2     resolver.OAuth2Settings
		host       string
		port       int
		encryption resolver.Encryption
	}{
		{"Microsoft", resolver.OAuth2Settings{Provider: "microsoft"}, "smtp.office365.com", 587, resolver.STARTTLS},
		{"Microsoft, GCC High", resolver.OAuth2Settings{Provider: "microsoft", Cloud: "us"}, "smtp.office365.us", 587, resolver.STARTTLS},
		{"Microsoft, DoD", resolver.OAuth2Settings{Provider: "microsoft", Cloud: "us-dod"}, "smtp.office365.us", 587, resolver.STARTTLS},
		{"Microsoft, 21Vianet", resolver.OAuth2Settings{Provider: "microsoft", Cloud: "china"}, "smtp.partner.outlook.cn", 587, resolver.STARTTLS},
		{"Google", resolver.OAuth2Settings{Provider: "google"}, "smtp.gmail.com", 465, resolver.TLS},
		{"endpoint", resolver.OAuth2Settings{Provider: "google", Endpoints: &resolver.Endpoints{SMTP: "h.example:2525"}}, "h.example", 2525, resolver.STARTTLS},
		{"endpoint with TLS", resolver.OAuth2Settings{Provider: "microsoft", Cloud: "us", Endpoints: &resolver.Endpoints{SMTP: "[2001:db8::7]:465"}}, "2001:db8::7", 465, resolver.TLS},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := resolver.Settings{Address: "max@acme.example", OAuth2: &tt.oauth2, SMTP: &resolver.SMTPSettings{
				Host: "old.example", Username: "old", Password: resolver.NewSecret("canary-old"),
			}}
			got := s.Account(resolver.User, "acme", "max").Server()
			want := resolver.SMTP{
				Host: tt.host, Port: tt.port, Encryption: tt.encryption, MaxConnections: got.MaxConnections,
				Authentication: true, Username: "max@acme.example",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHost is what is spoken to, for people.
func TestHost(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]resolver.Settings{
		"h.example:587":          {SMTP: &resolver.SMTPSettings{Host: "h.example"}},
		"[2001:db8::7]:465":      {SMTP: &resolver.SMTPSettings{Host: "2001:db8::7", Encryption: "tls"}},
		"smtp.office365.com:587": {OAuth2: microsoft(), SMTP: &resolver.SMTPSettings{Host: "h.example"}},
		"Microsoft Graph":        {OAuth2: &resolver.OAuth2Settings{Provider: "microsoft", Transport: "graph"}},
		"Gmail API":              {OAuth2: &resolver.OAuth2Settings{Provider: "google", Transport: "gmail"}},
	} {
		if got := s.Account(resolver.Tenant, "acme", "").Host(); got != want {
			t.Errorf("host is %q, want %q", got, want)
		}
	}
}

// TestMailbox: whose mailbox it is, and everything else that settings hand on.
func TestMailbox(t *testing.T) {
	t.Parallel()
	s := resolver.Settings{Address: "info@acme.example", OAuth2: &resolver.OAuth2Settings{
		Provider: "microsoft", Transport: "graph", Username: "box@acme.example", Tenant: "acme.example", Cloud: "us", ClientID: "app",
		ClientSecret: resolver.NewSecret("a"), RefreshToken: resolver.NewSecret("b"), ServiceAccount: resolver.NewSecret("c"),
		Endpoints: &resolver.Endpoints{Token: "t", API: "a", SMTP: "s:1"},
	}}
	want := resolver.OAuth2{
		Provider: resolver.Microsoft, Transport: resolver.ViaGraph, Username: "box@acme.example", Tenant: "acme.example", Cloud: "us", ClientID: "app",
		ClientSecret: resolver.NewSecret("a"), RefreshToken: resolver.NewSecret("b"), ServiceAccount: resolver.NewSecret("c"),
		Endpoints: resolver.Endpoints{Token: "t", API: "a", SMTP: "s:1"},
	}
	if diff := cmp.Diff(want, s.Account(resolver.Tenant, "acme", "").OAuth2); diff != "" {
		t.Error(diff)
	}
	s.OAuth2 = &resolver.OAuth2Settings{Provider: "google"}
	if diff := cmp.Diff(resolver.OAuth2{Provider: resolver.Google, Transport: resolver.ViaSMTP, Username: "info@acme.example"}, s.Account(resolver.Tenant, "acme", "").OAuth2); diff != "" {
		t.Errorf("defaults: %s", diff)
	}
}
