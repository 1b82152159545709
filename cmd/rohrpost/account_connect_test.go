package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A person reads stderr, opens the address that stands there, and signs in.
type person struct {
	*testing.T
	leave func()
	read  bytes.Buffer
	page  string // that they see in the end
}

func (p *person) Write(b []byte) (int, error) {
	p.read.Write(b)
	if url := regexp.MustCompile(`(?m)^https?://\S+$`).Find(b); url != nil {
		p.page = p.open(string(url))
	}
	return len(b), nil
}

func (p *person) open(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		p.Error(err)
		p.leave()
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Error(err)
	}
	return string(b)
}

// provider is a scripted one that offices may reach.
func provider(o *office, options oauthtest.Options) *oauthtest.Server {
	o.Helper()
	options.TLS = true
	srv := oauthtest.Start(o.T, options)
	o.admit(portOf(o.T, srv.TokenURL()))
	return srv
}

// connect runs account connect with a person at the browser.
func (o *office) connect(srv *oauthtest.Server, args ...string) (result, *person) {
	o.Helper()
	ctx, cancel := context.WithCancel(o.Context())
	defer cancel()
	p := &person{T: o.T, leave: cancel}
	var out bytes.Buffer
	args = append([]string{"account", "connect"}, args...)
	if srv != nil {
		args = append(args, "--authorize-url", srv.AuthURL(), "--token-url", srv.TokenURL())
	}
	code := run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: p}, o.environment())
	if all := out.String() + p.read.String() + p.page; strings.Contains(all, "refresh-") || strings.Contains(all, "access-") || strings.Contains(all, hunter2) {
		o.Errorf("a secret is shown: %s", all)
	}
	return result{code, out.String(), p.read.String()}, p
}

// TestConnect connects a user's mailbox, beside the SMTP data that stay: I6, I7.
func TestConnect(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"microsoft", "google"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			srv := provider(o, oauthtest.Options{})
			place := []string{"--tenant", "acme", "--user", "max"}
			o.set("{first_name: Max, address: max@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", place...)
			r, p := o.connect(srv, append(place, name, "--client-id", "client-1")...)
			if r.code != exitDone || r.out != "max@acme.example connected to user/acme/max\n" || !strings.Contains(p.page, "Connected") {
				t.Fatalf("%+v\n%s", r, p.page)
			}
			if strings.Contains(o.values(), "refresh-") {
				t.Error("a refresh token stands in Redis in clear")
			}
			s := o.json("", append([]string{"account", "show"}, place...)...)
			if diff := cmp.Diff([]any{"oauth2.refresh_token", "smtp.password"}, s["secrets"]); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
			e := o.json("", append([]string{"account", "explain", "--origin", "manual"}, place...)...)
			want := []any{
				map[string]any{"level": "user", "transport": "smtp", "why": "OAuth2 goes before SMTP; the SMTP settings stay stored"},
				map[string]any{"level": "tenant", "why": "the tenant has none"},
				map[string]any{"level": "platform", "why": "none is set up"},
			}
			if diff := cmp.Diff(want, e["passed_over"]); diff != "" || e["authentication"] != "oauth2" || e["level"] != "user" {
				t.Errorf("%v, passed over (-want +got):\n%s", e, diff)
			}
		})
	}
}

// TestConnectNew makes the account of whoever signs in.
func TestConnectNew(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	srv := provider(o, oauthtest.Options{ClientSecret: hunter2})
	srv.SignIn("eva@acme.example")
	secret := o.write("secret", hunter2+"\n")
	r, _ := o.connect(srv, "google", "--tenant", "acme", "--user", "eva", "--client-id", "client-1", "--client-secret-file", secret, "--transport", "gmail", "--json")
	if diff := cmp.Diff(map[string]any{"id": "user/acme/eva", "mailbox": "eva@acme.example"}, decoded(t, r.out)); diff != "" {
		t.Errorf("%+v (-want +got):\n%s", r, diff)
	}
	s := o.json("", "account", "show", "--tenant", "acme", "--user", "eva")
	want := map[string]any{
		"address": "eva@acme.example",
		"oauth2": map[string]any{
			"provider": "google", "transport": "gmail", "client_id": "client-1",
			"endpoints": map[string]any{"authorize": srv.AuthURL(), "token": srv.TokenURL()},
		},
	}
	entry, _ := s["entry"].(map[string]any)
	if diff := cmp.Diff(want, entry["account"]); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"oauth2.client_secret", "oauth2.refresh_token"}, s["secrets"]); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// TestConnectOther: somebody else than the account's mailbox signs in.
func TestConnectOther(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	srv := provider(o, oauthtest.Options{})
	o.set("{address: info@acme.example, smtp: {host: smtp.acme.example}}", "--tenant", "acme")
	r, _ := o.connect(srv, "microsoft", "--tenant", "acme", "--client-id", "client-1")
	if r.code != exitDone || !strings.Contains(r.err, "rohrpost: warning: max@acme.example has signed in, the account's address is info@acme.example\n") {
		t.Errorf("%+v", r)
	}
	entry, _ := o.json("", "account", "show", "--tenant", "acme")["entry"].(map[string]any)
	account, _ := entry["account"].(map[string]any)
	oauth2, _ := account["oauth2"].(map[string]any)
	if account["address"] != "info@acme.example" || oauth2["username"] != "max@acme.example" {
		t.Errorf("stored: %v", account)
	}
}

// TestConnectAgain: a connection that has ended is made anew, with everything
// else as it was, and the parked account sends again.
func TestConnectAgain(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	srv := provider(o, oauthtest.Options{ClientSecret: hunter2, Rotate: true, Strict: true})
	mail := smtptest.Start(t, smtptest.Options{TLS: trusted(t), Token: func(user, token string) bool {
		return user == "max@acme.example" && srv.Mailbox(token) == "max@acme.example"
	}})
	o.admit(mail.Port())
	refresh := srv.Connect("max@acme.example")
	o.set(fmt.Sprintf("{address: info@acme.example, oauth2: {provider: microsoft, username: max@acme.example, tenant: acme.example, client_id: client-1, "+
		"client_secret: %s, refresh_token: %s, endpoints: {authorize: %q, token: %q, smtp: %q}}}",
		hunter2, refresh, srv.AuthURL(), srv.TokenURL(), mail.Addr()), "--tenant", "acme")
	srv.Revoke(refresh)
	r := o.call("", test("--json", "--lang", "de")...)
	out := decoded(t, r.out)
	if hint, _ := out["hint"].(string); r.code != exitFailed || out["stage"] != "token" || !strings.Contains(hint, "verbindet das Konto neu") {
		t.Errorf("without a good token: %v", out)
	}
	if list := o.fine("", "account", "list"); !strings.Contains(list, "tenant/acme  parked: oauth_") {
		t.Errorf("%s", list)
	}
	before := o.json("", "account", "show", "--tenant", "acme")
	if r, p := o.connect(nil, "microsoft", "--tenant", "acme"); r.code != exitDone || !strings.Contains(p.page, "Connected") {
		t.Fatalf("%+v\n%s", r, p.page)
	}
	after := o.json("", "account", "show", "--tenant", "acme")
	if diff := cmp.Diff(before["entry"], after["entry"]); diff != "" || after["state"] != "active" {
		t.Errorf("state %v, settings (-before +after):\n%s", after["state"], diff)
	}
	if r := o.json("", test()...); r["accepted"] != true || r["from"] != "info@acme.example" || len(mail.Mails()) != 1 || mail.Mails()[0].Username != "max@acme.example" {
		t.Errorf("%v", r)
	}
	// Without the key the application's secret cannot be read: said before
	// anybody signs in.
	key := o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"]
	delete(o.environ, "ROHRPOST_SECRETS_IDENTITY_FILE")
	if r, p := o.connect(nil, "microsoft", "--tenant", "acme"); p.page != "" {
		t.Error("somebody had to sign in for a token that cannot be stored")
	} else {
		refused(t, r, exitFailed, "secrets cannot be stored", "keygen")
	}
	_, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	o.environ["ROHRPOST_SECRETS_RECIPIENTS"] = recipient
	if r, p := o.connect(nil, "microsoft", "--tenant", "acme"); p.page != "" {
		t.Error("somebody had to sign in for nothing")
	} else {
		refused(t, r, exitFailed, "this process holds no key", "--client-secret-file")
	}
	delete(o.environ, "ROHRPOST_SECRETS_RECIPIENTS")
	o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"] = key
	// The other provider is another account: nothing of the old one is taken over.
	if r, p := o.connect(nil, "google", "--tenant", "acme"); r.code != exitFailed || p.page != "" || !strings.Contains(r.err, "client_id is missing") {
		t.Errorf("%+v", r)
	}
}

// TestConnectInAFile writes the token where the accounts file can name it.
func TestConnectInAFile(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	srv := provider(o, oauthtest.Options{ClientID: "platform-app", ClientSecret: hunter2})
	mail := smtptest.Start(t, smtptest.Options{TLS: trusted(t), Token: func(_, token string) bool { return srv.Valid(token) }})
	delete(o.environ, "ROHRPOST_ACCOUNTS_ALLOW_NETWORKS") // a file is the operator's
	accounts := o.write("accounts.yaml", "platform: {address: noreply@platform.example, smtp: {host: smtp.platform.example}}")
	o.environ["ROHRPOST_ACCOUNTS_STORE"], o.environ["ROHRPOST_ACCOUNTS_FILE"] = "file", accounts
	// The platform's application comes from the configuration.
	o.environ["ROHRPOST_OAUTH2_MICROSOFT_CLIENT_ID"] = "platform-app"
	o.environ["ROHRPOST_OAUTH2_MICROSOFT_CLIENT_SECRET_FILE"] = o.write("secret", hunter2)

	r, p := o.connect(srv, "microsoft", "--tenant", "acme")
	refused(t, r, exitUsage, "the accounts stand in a file", "--token-file")
	if p.page != "" {
		t.Error("somebody had to sign in for nothing")
	}
	token := o.path("token")
	r, p = o.connect(srv, "microsoft", "--tenant", "acme", "--token-file", token, "--directory", "acme.example")
	if r.code != exitDone || !strings.Contains(p.page, "Connected") {
		t.Fatalf("%+v\n%s", r, p.page)
	}
	if info, err := os.Stat(token); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	head, printed, _ := strings.Cut(r.out, "\n\n")
	if head != "max@acme.example connected. In the accounts file:" {
		t.Errorf("%q", r.out)
	}
	var snippet struct {
		OAuth2 map[string]any `yaml:"oauth2"`
	}
	if err := yaml.Unmarshal([]byte(printed), &snippet); err != nil {
		t.Fatalf("%q: %v", printed, err)
	}
	want := map[string]any{
		"provider": "microsoft", "username": "max@acme.example", "tenant": "acme.example", "refresh_token_file": token,
		"endpoints": map[string]any{"authorize": srv.AuthURL(), "token": srv.TokenURL()},
	}
	if diff := cmp.Diff(want, snippet.OAuth2); diff != "" {
		t.Errorf("to be written into the file (-want +got):\n%s", diff)
	}
	printed = strings.Replace(printed, "authorize:", "smtp: '"+mail.Addr()+"', authorize:", 1)
	o.write("accounts.yaml", "tenants:\n  acme:\n    account:\n      address: max@acme.example\n    "+printed)
	if r := o.json("", test()...); r["accepted"] != true {
		t.Errorf("%v", r)
	}
	again, p := o.connect(srv, "microsoft", "--tenant", "acme", "--token-file", token)
	refused(t, again, exitFailed, token, "exists")
	if p.page != "" {
		t.Error("somebody had to sign in for nothing")
	}
	srv.Deny("access_denied")
	if r, _ := o.connect(srv, "microsoft", "--tenant", "acme", "--token-file", o.path("other")); r.code != exitFailed {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(o.path("other")); err == nil {
		t.Error("an empty token file is left")
	}
	srv.Deny("")
	r, _ = o.connect(srv, "microsoft", "--tenant", "acme", "--token-file", o.path("third"), "--json")
	if out := decoded(t, r.out); out["refresh_token_file"] != o.path("third") || out["mailbox"] != "max@acme.example" {
		t.Errorf("as JSON: %v", out)
	}
}

// TestConnectRefused stores nothing and says what to do.
func TestConnectRefused(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	srv := provider(o, oauthtest.Options{})
	srv.Deny("access_denied")
	r, p := o.connect(srv, "google", "--tenant", "acme", "--client-id", "client-1", "--lang", "de")
	if lines := strings.Split(strings.TrimSpace(r.err), "\n"); r.code != exitFailed || r.out != "" || !strings.HasPrefix(lines[len(lines)-1], "rohrpost: ") || !strings.Contains(r.err, "oauth_consent") || !strings.Contains(r.err, "muss zustimmen") {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(p.page, "Not connected") {
		t.Errorf("%s", p.page)
	}
	for name, test := range map[string]struct {
		args []string
		word string
	}{
		"no application":      {[]string{"google"}, "client_id is missing"},
		"the other transport": {[]string{"microsoft", "--client-id", "c", "--transport", "gmail"}, "transport gmail is Google's"},
		"unknown transport":   {[]string{"microsoft", "--client-id", "c", "--transport", "pigeon"}, "transport is not smtp, graph or gmail"},
		"the other's cloud":   {[]string{"google", "--client-id", "c", "--cloud", "us"}, "cloud is Microsoft's"},
		"open to the network": {[]string{"google", "--client-id", "c", "--listen", "0.0.0.0:0"}, "loopback"},
		"no secret file":      {[]string{"google", "--client-id", "c", "--client-secret-file", "nowhere"}, "nowhere"},
		"no https":            {[]string{"google", "--client-id", "c", "--token-url", "http://login.example/"}, "token_url is not https"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := o.connect(nil, append(test.args, "--tenant", "acme")...)
			refused(t, r, exitFailed, test.word)
		})
	}
	if len(o.dump()) > 0 {
		t.Errorf("stored: %v", keys(o.dump()))
	}
}
