package resolver_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/resolvertest"
)

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file is an accounts file with this text, in a folder of its own.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.yaml")
	write(t, path, text)
	return path
}

func load(t *testing.T, text string) *resolver.File {
	t.Helper()
	f, err := resolver.LoadFile(file(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func candidates(t *testing.T, f *resolver.File, tenant, user string) resolver.Candidates {
	t.Helper()
	c, err := f.Accounts(t.Context(), tenant, user)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFileIsAStore(t *testing.T) {
	t.Parallel()
	resolvertest.Run(t, func(t *testing.T, f resolvertest.Fixture) resolver.Store {
		t.Helper()
		b, err := yaml.Marshal(document(f))
		if err != nil {
			t.Fatal(err)
		}
		return load(t, string(b))
	})
}

// document is a fixture as an accounts file says it, every key written out.
func document(f resolvertest.Fixture) map[string]any {
	tenants := map[string]any{}
	for id, t := range f.Tenants {
		users := map[string]any{}
		for id, u := range t.Users {
			users[id] = map[string]any{"first_name": u.FirstName, "last_name": u.LastName, "account": account(u.Account)}
		}
		tenants[id] = map[string]any{"account": account(t.Account), "users": users}
		if t.Admin != "" {
			tenants[id].(map[string]any)["admin_address"] = t.Admin
		}
	}
	doc := map[string]any{"tenants": tenants}
	if f.Platform != nil {
		platform := account(f.Platform).(map[string]any)
		platform["admin_address"] = f.PlatformAdmin
		doc["platform"] = platform
	}
	return doc
}

func account(a *resolver.Account) any {
	if a == nil {
		return nil
	}
	s := a.SMTP
	server := map[string]any{
		"host": s.Host, "port": s.Port, "encryption": string(s.Encryption), "authentication": s.Authentication,
		"username": s.Username, "password": s.Password.Reveal(),
		"allow_plaintext_login": s.AllowPlaintextLogin, "max_connections": s.MaxConnections,
	}
	m := map[string]any{
		"address": a.Address, "name": a.Name, "force_sender": a.ForceSender, "reply_to_user": a.ReplyToUser,
		"use_platform_default": a.UsePlatformDefault, "fallback": string(a.Fallback), "smtp": server,
	}
	if a.Aliases != nil {
		m["aliases"] = a.Aliases
	}
	if a.CentralSender.Address != "" {
		m["central_sender"] = map[string]any{"address": a.CentralSender.Address, "name": a.CentralSender.Name}
	}
	return m
}

// TestDefaults is what an account has that says nothing of it.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, smtp string
		want       resolver.SMTP
	}{
		{"host only", "{host: h.example}", resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS}},
		{"tls", "{host: h.example, encryption: tls}", resolver.SMTP{Port: 465, Encryption: resolver.TLS}},
		{"starttls", "{host: h.example, encryption: starttls}", resolver.SMTP{Port: 587, Encryption: resolver.STARTTLS}},
		{"none", "{host: h.example, encryption: none}", resolver.SMTP{Port: 25, Encryption: resolver.None}},
		{"port", "{host: h.example, port: 2525}", resolver.SMTP{Port: 2525, Encryption: resolver.STARTTLS}},
		{"password", "{host: h.example, password: pw}", resolver.SMTP{
			Port: 587, Encryption: resolver.STARTTLS, Authentication: true, Password: resolver.NewSecret("pw"),
		}},
		{"password like a number", "{host: h.example, password: 0123}", resolver.SMTP{
			Port: 587, Encryption: resolver.STARTTLS, Authentication: true, Password: resolver.NewSecret("0123"),
		}},
		{"T2 login switched off", "{host: h.example, password: pw, authentication: false}", resolver.SMTP{
			Port: 587, Encryption: resolver.STARTTLS, Password: resolver.NewSecret("pw"),
		}},
		{"user name", "{host: h.example, username: max, password: pw}", resolver.SMTP{
			Port: 587, Encryption: resolver.STARTTLS, Authentication: true, Username: "max", Password: resolver.NewSecret("pw"),
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := load(t, "platform: {address: a@platform.example, smtp: "+tt.smtp+"}")
			if tt.want.Username == "" {
				tt.want.Username = "a@platform.example"
			}
			tt.want.Host = "h.example"
			want := &resolver.Account{Level: resolver.Platform, Address: "a@platform.example", ForceSender: true, Trusted: true, SMTP: tt.want}
			if diff := cmp.Diff(want, candidates(t, f, "", "").Platform); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCentralSenderAsText(t *testing.T) {
	t.Parallel()
	f := load(t, `tenants: {acme: {account: {address: a@acme.example, central_sender: "Service <s@acme.example>", smtp: {host: h.example}}}}`)
	want := rohrpost.Address{Name: "Service", Address: "s@acme.example"}
	if got := candidates(t, f, "acme", "").Tenant.CentralSender; got != want {
		t.Errorf("central sender is %v", got)
	}
}

func TestFileWarnings(t *testing.T) {
	t.Parallel()
	path := file(t, `tenants:
  acme:
    account:
      address: info@acme.example
      smtp:
        host: h.example
        username: other@acme.example
        password: canary-hunter2
    users:
      max: {account: {address: max@acme.example, smtp: {host: h.example, encryption: none}}}
`)
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		path + ":4: tenant/acme: the sender info@acme.example is not the login other@acme.example: most providers refuse a foreign sender address",
		path + ":8: tenant/acme: the password stands in clear in this file; password_file keeps it out",
		path + ":10: user/acme/max: encryption is none: mails cross the network readable for everybody; starttls or tls is recommended",
		path + ": there is no platform account: marketing mail, and mail of tenants without an account, cannot leave",
	}
	if diff := cmp.Diff(want, f.Warnings()); diff != "" {
		t.Error(diff)
	}
}

func TestPasswordFile(t *testing.T) {
	t.Parallel()
	path := file(t, `platform: {address: a@platform.example, smtp: {host: h.example, password_file: secrets/pw}}`)
	pw := filepath.Join(filepath.Dir(path), "secrets", "pw")
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatalf("a missing password file must not stop the other accounts: %v", err)
	}
	a := candidates(t, f, "", "").Platform
	if !strings.Contains(a.Unusable, pw) || len(f.Warnings()) != 1 || !strings.Contains(f.Warnings()[0], pw) {
		t.Errorf("unusable: %q, warnings: %q", a.Unusable, f.Warnings())
	}
	if err := os.Mkdir(filepath.Dir(pw), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"hunter2\n", "hunter3\r\n", " hunter 4 "} {
		write(t, pw, want)
		want = strings.TrimRight(want, "\r\n")
		if err := f.Reload(); err != nil {
			t.Fatal(err)
		}
		a := candidates(t, f, "", "").Platform
		if a.Unusable != "" || a.SMTP.Password.Reveal() != want || !a.SMTP.Authentication || len(f.Warnings()) != 0 {
			t.Errorf("%q: %+v, %q", want, a, f.Warnings())
		}
	}
	write(t, pw, "\n")
	if err := f.Reload(); err != nil {
		t.Fatal(err)
	}
	if a := candidates(t, f, "", "").Platform; !strings.Contains(a.Unusable, "is empty") {
		t.Errorf("an empty password file: %+v", a)
	}
	abs := file(t, fmt.Sprintf("platform: {address: a@platform.example, smtp: {host: h.example, password_file: %q}}", pw))
	write(t, pw, "hunter5")
	if f, err := resolver.LoadFile(abs); err != nil || candidates(t, f, "", "").Platform.SMTP.Password.Reveal() != "hunter5" {
		t.Errorf("absolute path: %v", err)
	}
	device := file(t, "platform: {address: a@platform.example, smtp: {host: h.example, password_file: /dev/zero}}")
	if f, err := resolver.LoadFile(device); err != nil || candidates(t, f, "", "").Platform.Unusable == "" {
		t.Errorf("a device is no password: %v", err)
	}
}

// TestSwitchedOffKeepsWhatWasEntered is O2.
func TestSwitchedOffKeepsWhatWasEntered(t *testing.T) {
	t.Parallel()
	const text = `platform: {address: a@platform.example, smtp: {host: p.example}}
tenants: {acme: {account: {%s address: info@acme.example, smtp: {host: h.example, password: pw}}}}`
	path := file(t, fmt.Sprintf(text, ""))
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := resolver.New(resolver.Options{Store: f})
	if err != nil {
		t.Fatal(err)
	}
	entered := candidates(t, f, "acme", "").Tenant
	for _, step := range []struct{ tick, want string }{
		{"use_platform_default: true,", "platform"},
		{"", "tenant/acme"},
	} {
		write(t, path, fmt.Sprintf(text, step.tick))
		if err := f.Reload(); err != nil {
			t.Fatal(err)
		}
		s, err := r.Resolve(t.Context(), resolver.Request{Tenant: "acme"})
		if err != nil || s.Account.ID() != step.want {
			t.Errorf("%q: %v, %v", step.tick, s.Account, err)
		}
		if diff := cmp.Diff(entered.SMTP, candidates(t, f, "acme", "").Tenant.SMTP); diff != "" {
			t.Errorf("%q: what was entered is lost: %s", step.tick, diff)
		}
	}
}

func TestReloadKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	path := file(t, "platform: {address: a@platform.example, smtp: {host: p.example}}")
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := candidates(t, f, "", "")
	write(t, path, "platform: {address: b@platform.example, smtp: {host: p.example}, typo: 1}")
	if err := f.Reload(); err == nil {
		t.Error("a broken file must be reported")
	}
	if diff := cmp.Diff(before, candidates(t, f, "", "")); diff != "" {
		t.Errorf("a broken file took effect: %s", diff)
	}
}

// TestWatch changes files under a running watch; in the bubble its seconds take
// no time.
func TestWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path, pw := filepath.Join(dir, "accounts.yaml"), filepath.Join(dir, "pw")
		text := func(host string) string {
			return "platform: {address: a@platform.example, smtp: {host: " + host + ", password_file: pw}}"
		}
		write(t, path, text("one.example"))
		f, err := resolver.LoadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reports := make(chan error, 10)
		done := make(chan struct{})
		ctx := t.Context()
		go func() {
			defer close(done)
			f.Watch(ctx, func(err error) { reports <- err })
		}()
		seen := func() (n int, last error) {
			<-time.After(1100 * time.Millisecond) // of the bubble
			synctest.Wait()
			for len(reports) > 0 {
				n, last = n+1, <-reports
			}
			return n, last
		}
		if n, _ := seen(); n != 0 {
			t.Error("a reload without a change")
		}
		write(t, pw, "hunter2")
		if n, err := seen(); n != 1 || err != nil || candidates(t, f, "", "").Platform.SMTP.Password.Reveal() != "hunter2" {
			t.Errorf("the password file came: %d reloads, %v", n, err)
		}
		write(t, path, text("two.example"))
		if n, err := seen(); n != 1 || err != nil || candidates(t, f, "", "").Platform.SMTP.Host != "two.example" {
			t.Errorf("the file changed: %d reloads, %v", n, err)
		}
		write(t, path, "typo: 1")
		if n, err := seen(); n != 1 || err == nil {
			t.Errorf("a mistake is reported once: %d, %v", n, err)
		}
		if n, err := seen(); n != 0 {
			t.Errorf("... and not every second: %d, %v", n, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if n, err := seen(); n != 1 || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file went: %d, %v", n, err)
		}
		replaced := path + ".new"
		write(t, replaced, text("three.example"))
		if err := os.Rename(replaced, path); err != nil {
			t.Fatal(err)
		}
		if n, err := seen(); n != 1 || err != nil || candidates(t, f, "", "").Platform.SMTP.Host != "three.example" {
			t.Errorf("the file was replaced: %d, %v", n, err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, replaced, text("thrae.example"))
		if err := errors.Join(os.Chtimes(replaced, time.Time{}, info.ModTime()), os.Rename(replaced, path)); err != nil {
			t.Fatal(err)
		}
		if n, err := seen(); n != 1 || err != nil || candidates(t, f, "", "").Platform.SMTP.Host != "thrae.example" {
			t.Errorf("the file was replaced by one of the same time and size: %d, %v", n, err)
		}
	})
}
