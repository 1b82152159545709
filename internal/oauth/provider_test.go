package oauth

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// TestEndpoints has the endpoints and scopes of the providers' documentation.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	app := func(c Credentials) Credentials {
		c.Directory, c.ClientSecret = "acme.example", secret.New("s")
		return c
	}
	ms := func(cloud Cloud, tr Transport) Credentials {
		return Credentials{Provider: Microsoft, Cloud: cloud, Transport: tr}
	}
	for _, tt := range []struct {
		name               string
		c                  Credentials
		token, auth, scope string
	}{
		{"microsoft", ms("", ""), "https://login.microsoftonline.com/organizations/oauth2/v2.0/token", "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize", "https://outlook.office.com/SMTP.Send"},
		{"graph", ms("", Graph), "https://login.microsoftonline.com/organizations/oauth2/v2.0/token", "", "https://graph.microsoft.com/Mail.Send"},
		{"app-only", app(ms("", SMTP)), "https://login.microsoftonline.com/acme.example/oauth2/v2.0/token", "", "https://outlook.office365.com/.default"},
		{"app-only, graph", app(ms("", Graph)), "", "", "https://graph.microsoft.com/.default"},
		{"us", ms(USGov, SMTP), "https://login.microsoftonline.us/organizations/oauth2/v2.0/token", "", "https://outlook.office365.us/SMTP.Send"},
		{"us, graph", ms(USGov, Graph), "", "", "https://graph.microsoft.us/Mail.Send"},
		{"us, app-only", app(ms(USGov, SMTP)), "", "", "https://outlook.office365.us/.default"},
		{"us-dod", ms(USGovDoD, SMTP), "https://login.microsoftonline.us/organizations/oauth2/v2.0/token", "", "https://outlook-dod.office365.us/SMTP.Send"},
		{"us-dod, graph", app(ms(USGovDoD, Graph)), "", "", "https://dod-graph.microsoft.us/.default"},
		{"china", ms(China, SMTP), "https://login.chinacloudapi.cn/organizations/oauth2/v2.0/token", "https://login.chinacloudapi.cn/organizations/oauth2/v2.0/authorize", "https://partner.outlook.cn/SMTP.Send"},
		{"china, graph", ms(China, Graph), "", "", "https://microsoftgraph.chinacloudapi.cn/Mail.Send"},
		{"google", Credentials{Provider: Google}, "https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/v2/auth", "https://mail.google.com/"},
		{"gmail", Credentials{Provider: Google, Transport: GmailAPI}, "", "", "https://www.googleapis.com/auth/gmail.send"},
		{"elsewhere", Credentials{Provider: Google, TokenURL: "https://a.example/t", AuthURL: "https://a.example/a"}, "https://a.example/t", "https://a.example/a", "https://mail.google.com/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tt.c.endpoint()
			if tt.token != "" && e.TokenURL != tt.token || tt.auth != "" && e.AuthURL != tt.auth || tt.c.scope() != tt.scope {
				t.Errorf("%s %s %s", e.TokenURL, e.AuthURL, tt.c.scope())
			}
			for _, s := range []string{e.TokenURL, e.AuthURL, tt.c.scope()} {
				if !strings.HasPrefix(s, "https://") {
					t.Errorf("%s is not encrypted", s)
				}
			}
		})
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, claims, want string }{
		{"google", `{"aud":"c","email":"max@acme.example","email_verified":true}`, "max@acme.example"},
		{"not verified", `{"aud":"c","email":"max@acme.example","email_verified":false}`, ""},
		{"microsoft", `{"aud":["a","c"],"preferred_username":"max@acme.example"}`, "max@acme.example"},
		{"upn", `{"aud":"c","preferred_username":"Max","upn":"max@acme.example"}`, "max@acme.example"},
		{"another client's", `{"aud":"d","email":"max@acme.example"}`, ""},
		{"no audience", `{"email":"max@acme.example"}`, ""},
		{"no address", `{"aud":"c","email":"<b>max</b>"}`, ""},
		{"with a name", `{"aud":"c","email":"Max <max@acme.example>"}`, ""},
		{"two lines", `{"aud":"c","email":"max@acme.example\r\nBcc: x@y.example"}`, ""},
		{"audience of another kind", `{"aud":7,"email":"max@acme.example"}`, ""},
		{"no JSON", `max@acme.example`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := mailbox(unsigned(tt.claims), "c"); got != tt.want {
				t.Errorf("mailbox %q, want %q", got, tt.want)
			}
		})
	}
	for _, s := range []string{"", "a", "a.b", "a.%%.c", "..", "a.b.c.d"} {
		if got := mailbox(secret.New(s), "c"); got != "" {
			t.Errorf("%q: mailbox %q", s, got)
		}
	}
}
