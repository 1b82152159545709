package oauth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/secret"
)

const keyFile = `{"type":"service_account","client_email":"robot@x.example","private_key_id":"1","private_key":"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n"}`

func TestValidate(t *testing.T) {
	t.Parallel()
	s := secret.New
	for _, tt := range []struct {
		name string
		c    oauth.Credentials
		want string // "": valid
	}{
		{"delegated", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", RefreshToken: s("r")}, ""},
		{"delegated, Google", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), Transport: oauth.GmailAPI}, ""},
		{"app-only", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", ClientSecret: s("s"), Directory: "acme.example", Transport: oauth.Graph}, ""},
		{"service account", oauth.Credentials{Provider: oauth.Google, ServiceAccountKey: s(keyFile), Subject: "max@acme.example"}, ""},
		{"endpoint on this machine", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), TokenURL: "http://127.0.0.1:1/token", AuthURL: "http://localhost:1/"}, ""},

		{"nothing", oauth.Credentials{}, "provider is neither"},
		{"not connected", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c"}, "refresh_token is missing: connect"},
		{"not connected, with a secret", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", ClientSecret: s("s"), Directory: "organizations"}, "refresh_token is missing"},
		{"explicitly delegated", oauth.Credentials{Provider: oauth.Microsoft, Grant: oauth.Delegated, ClientID: "c", ClientSecret: s("s"), Directory: "acme.example"}, "refresh_token is missing"},
		{"no client", oauth.Credentials{Provider: oauth.Microsoft, RefreshToken: s("r")}, "client_id is missing"},
		{"app-only without organisation", oauth.Credentials{Provider: oauth.Microsoft, Grant: oauth.ClientCredentials, ClientID: "c", ClientSecret: s("s"), Directory: "common"}, "tenant must name"},
		{"app-only without secret", oauth.Credentials{Provider: oauth.Microsoft, Grant: oauth.ClientCredentials, ClientID: "c", Directory: "acme.example"}, "client_secret is missing"},
		{"app-only at Google", oauth.Credentials{Provider: oauth.Google, Grant: oauth.ClientCredentials, ClientID: "c", ClientSecret: s("s")}, "service accounts"},
		{"service account at Microsoft", oauth.Credentials{Provider: oauth.Microsoft, ServiceAccountKey: s(keyFile), Subject: "m"}, "is Google's"},
		{"service account without mailbox", oauth.Credentials{Provider: oauth.Google, ServiceAccountKey: s(keyFile)}, "subject"},
		{"service account, no key", oauth.Credentials{Provider: oauth.Google, ServiceAccountKey: s("canary"), Subject: "m"}, "not Google's JSON key file"},
		{"cloud", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", RefreshToken: s("r"), Cloud: "de"}, "cloud is not"},
		{"cloud of Google", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), Cloud: oauth.China}, "cloud is Microsoft's"},
		{"Graph at Google", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), Transport: oauth.Graph}, "graph is Microsoft's"},
		{"Gmail at Microsoft", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", RefreshToken: s("r"), Transport: oauth.GmailAPI}, "gmail is Google's"},
		{"transport", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), Transport: "imap"}, "transport is not"},
		{"grant", oauth.Credentials{Provider: oauth.Google, ClientID: "c", Grant: "password"}, "grant is not"},
		{"tenant with a path", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", RefreshToken: s("r"), Directory: "../evil"}, "no GUID or domain"},
		{"tenant with dots", oauth.Credentials{Provider: oauth.Microsoft, ClientID: "c", RefreshToken: s("r"), Directory: ".."}, "no GUID or domain"},
		{"endpoint in clear", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), TokenURL: "http://login.example/token"}, "token_url is not https"},
		{"endpoint that is none", oauth.Credentials{Provider: oauth.Google, ClientID: "c", RefreshToken: s("r"), AuthURL: "https://u:p@login.example/"}, "auth_url is not https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.c.Validate()
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, failure.ErrSettings) || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
			if strings.Contains(fmt.Sprint(err), "\n") || strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	base := oauth.Credentials{
		Account: "acme/max", Provider: oauth.Microsoft, Directory: "acme.example", ClientID: "c",
		ClientSecret: secret.New("canary-s"), RefreshToken: secret.New("canary-r"),
	}
	// Computed once: it must be the same in every process and every release.
	const want = "c0546d0c10034454d64cfcde42ef46a9e8d7cf842f4262378a642bc793b2b4f5"
	if got := base.Fingerprint(); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
	seen := map[string]string{base.Fingerprint(): "base"}
	for name, edit := range map[string]func(*oauth.Credentials){
		"account":   func(c *oauth.Credentials) { c.Account = "acme/eva" },
		"provider":  func(c *oauth.Credentials) { c.Provider = oauth.Google },
		"grant":     func(c *oauth.Credentials) { c.Grant = oauth.ServiceAccount },
		"transport": func(c *oauth.Credentials) { c.Transport = oauth.Graph },
		"directory": func(c *oauth.Credentials) { c.Directory = "other.example" },
		"cloud":     func(c *oauth.Credentials) { c.Cloud = oauth.USGov },
		"client":    func(c *oauth.Credentials) { c.ClientID = "d" },
		"secret":    func(c *oauth.Credentials) { c.ClientSecret = secret.New("other") },
		"refresh":   func(c *oauth.Credentials) { c.RefreshToken = secret.New("other") },
		"key":       func(c *oauth.Credentials) { c.Grant, c.ServiceAccountKey = oauth.Delegated, secret.New("other") },
		"subject":   func(c *oauth.Credentials) { c.Subject = "eva@acme.example" },
		"auth URL":  func(c *oauth.Credentials) { c.AuthURL = "https://a.example" },
		"token URL": func(c *oauth.Credentials) { c.TokenURL = "https://a.example" },
		"moved":     func(c *oauth.Credentials) { c.Account, c.ClientID = "acme/max1", "" },
	} {
		c := base
		edit(&c)
		if other, double := seen[c.Fingerprint()]; double {
			t.Errorf("%s is as %s", name, other)
		}
		seen[c.Fingerprint()] = name
	}

	// Written out or by default, it is the same account.
	same := base
	same.Grant, same.Transport = oauth.Delegated, oauth.SMTP
	if same.Fingerprint() != base.Fingerprint() {
		t.Error("defaults change the fingerprint")
	}
	// One token serves all mailboxes of an application.
	app := oauth.Credentials{Account: "acme/max", Provider: oauth.Microsoft, Directory: "acme.example", ClientID: "c", ClientSecret: secret.New("s")}
	eva := app
	eva.Account, eva.Subject = "acme/eva", "eva@acme.example"
	if app.Fingerprint() != eva.Fingerprint() {
		t.Error("two mailboxes of an application need two tokens")
	}
}
