package resolver_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

func write(t *testing.T, path, text string) {
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
		"use_platform_default": a.UsePlatformDefault, "smtp": server,
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
			want := &resolver.Account{Level: resolver.Platform, Address: "a@platform.example", ForceSender: true, SMTP: tt.want}
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

// TestStrict is one mistake a file, and the line and key that the error names.
func TestStrict(t *testing.T) {
	t.Parallel()
	const good = `platform:
  address: a@platform.example
  smtp:
    host: h.example
    port: 587
tenants:
  acme:
    admin_address: it@acme.example
    account:
      address: info@acme.example
      smtp: {host: h.example}
    users:
      max:
        first_name: Max
        account:
          address: max@acme.example
          smtp: {host: h.example}
`
	load(t, good)
	for _, tt := range []struct {
		name, old, new string
		line           int
		key, problem   string
	}{
		{"unknown key at the top", "platform:", "plattform:", 1, "plattform", "unknown key; known here are platform, tenants"},
		{"unknown key of an account", "  address: a@", "  adress: a@", 2, "platform.adress", "unknown key"},
		{"unknown key of smtp", "    host: h.example\n", "    host: h.example\n    hots: x\n", 5, "platform.smtp.hots", "unknown key"},
		{"oauth2 is not there yet", "    port: 587", "  oauth2: {provider: google}", 5, "platform.oauth2", "unknown key"},
		{"unknown key of a tenant", "    users:", "    accounts: {}\n    users:", 12, "tenants.acme.accounts", "known here are account, admin_address, users"},
		{"unknown key of a user", "first_name", "firstname", 14, "tenants.acme.users.max.firstname", "unknown key"},
		{"admin_address is the tenant's, not the account's", "      address: info", "      admin_address: x@acme.example\n      address: info", 10, "tenants.acme.account.admin_address", "unknown key"},
		{"key twice", "    port: 587", "    host: x.example", 5, "platform.smtp.host", "stands here twice"},
		{"tenant twice", "    users:", "  acme:\n    users:", 12, "tenants.acme", "stands here twice"},
		{"port is no number", "587", "smtp", 5, "platform.smtp.port", "whole number"},
		{"port in quotes", "587", `"587"`, 5, "platform.smtp.port", "whole number"},
		{"port 0", "587", "0", 5, "platform.smtp.port", "within 1 to 65535"},
		{"port too large", "587", "99999", 5, "platform.smtp.port", "99999 is not within"},
		{"encryption", "    port: 587", "    encryption: ssl", 5, "platform.smtp.encryption", "not one of none, starttls, tls"},
		{"flag", "  smtp:\n", "  force_sender: maybe\n  smtp:\n", 3, "platform.force_sender", "true or false"},
		{"list", "  smtp:\n", "  aliases: a@platform.example\n  smtp:\n", 3, "platform.aliases", "must be a list"},
		{"alias", "  smtp:\n", "  aliases:\n  - b@platform.example\n  - no\n  smtp:\n", 4, "platform.aliases[1]", "no @"},
		{"text is a list", "a@platform.example", "[a]", 2, "platform.address", "must be a text"},
		{"mapping is a text", "smtp: {host: h.example}\n    users", "smtp: h.example\n    users", 11, "tenants.acme.account.smtp", "mapping"},
		{"address", "a@platform.example", "a@platform..example", 2, "platform.address", "malformed domain"},
		{"admin address", "it@acme.example", "it", 8, "tenants.acme.admin_address", "no @"},
		{"address missing", "      address: info@acme.example\n", "", 10, "tenants.acme.account.address", "is missing"},
		{"host missing", "    host: h.example\n", "", 4, "platform.smtp.host", "is missing"},
		{"host", "    host: h.example", "    host: h.example:25", 4, "platform.smtp.host", "neither a host name"},
		{"central sender of the platform", "  smtp:\n", "  central_sender: s@platform.example\n  smtp:\n", 3, "platform.central_sender", "only a tenant's account"},
		{"central sender", "      address: info", "      central_sender: {name: x, address: y}\n      address: info", 10, "tenants.acme.account.central_sender.address", "no @"},
		{"central sender as text", "      address: info", "      central_sender: x y\n      address: info", 10, "tenants.acme.account.central_sender", "not a mail address"},
		{"login in clear", "    port: 587", "    encryption: none\n    password: canary", 5, "platform.smtp.encryption", "allow_plaintext_login"},
		{"no password", "    port: 587", "    authentication: true", 4, "platform.smtp.password", "is missing"},
		{"two passwords", "    port: 587", "    password: canary\n    password_file: pw", 6, "platform.smtp.password_file", "keep one"},
		{"password is a list", "    port: 587", "    password: [canary]", 5, "platform.smtp.password", "must be a text"},
		{"password is an anchor", "    port: 587", "    password: &canary", 5, "platform.smtp.password", "anchors"},
		{"password is an alias", "    port: 587", "    password: *canary", 5, "", "begins with *"},
		{"password breaks YAML", "    port: 587", "    password: 'canary", 0, "", "is no YAML"},
		{"password is a tag", "    port: 587", "    password: !canary", 5, "platform.smtp.password", "must be a text"},
		{"line break in a name", "first_name: Max", `first_name: "Max\nBcc"`, 14, "tenants.acme.users.max.first_name", "one line"},
		{"empty id", "  acme:", `  "":`, 7, `tenants.""`, "an id must have"},
		{"platform switched off", "  smtp:\n", "  use_platform_default: true\n  smtp:\n", 3, "platform.use_platform_default", "the default itself"},
		{"second document", "tenants:", "---\ntenants:", 6, "", "second document"},
		{"no YAML", "platform:", "platform: [", 0, "", "is no YAML"},
		{"a list", good, "[]", 1, "", "mapping"},
		{"empty", good, "", 0, "", "is empty"},
		{"comments only", good, "# nothing\n", 0, "", "is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatalf("%q is not in the file", tt.old)
			}
			path := file(t, text)
			_, err := resolver.LoadFile(path)
			e, ok := errors.AsType[*resolver.LineError](err)
			if !ok {
				t.Fatalf("error is %v", err)
			}
			if e.File != path || tt.line != 0 && e.Line != tt.line || e.Key != tt.key || !strings.Contains(e.Problem, tt.problem) {
				t.Errorf("error is %v, want line %d, key %s, %q", e, tt.line, tt.key, tt.problem)
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the error shows the password: %v", err)
			}
			if n := strings.Count(err.Error(), "\n"); n > 0 {
				t.Errorf("one mistake, %d problems: %v", n+1, err)
			}
		})
	}
}

func TestErrorsAreAllNamed(t *testing.T) {
	t.Parallel()
	path := file(t, "platform: {adress: x, smtp: {port: 0}}\ntenants:\n  acme: {user: {}}\n")
	_, err := resolver.LoadFile(path)
	want := strings.Join([]string{
		path + ":1: platform.adress: unknown key; known here are address, admin_address, aliases, central_sender, force_sender, name, reply_to_user, smtp, use_platform_default",
		path + ":1: platform.smtp.port: must be within 1 to 65535",
		path + ":3: tenants.acme.user: unknown key; known here are account, admin_address, users",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if _, err := resolver.LoadFile(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := resolver.LoadFile(t.TempDir()); err == nil {
		t.Error("a folder is no accounts file")
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
	for text, want := range map[string]string{"hunter2\n": "hunter2", "hunter3\r\n": "hunter3", " hunter 4 ": " hunter 4 "} {
		write(t, pw, text)
		if err := f.Reload(); err != nil {
			t.Fatal(err)
		}
		a := candidates(t, f, "", "").Platform
		if a.Unusable != "" || a.SMTP.Password.Reveal() != want || !a.SMTP.Authentication || len(f.Warnings()) != 0 {
			t.Errorf("%q: %+v, %q", text, a, f.Warnings())
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
	})
}

// TestExample loads the example that is shipped, which shows every key.
func TestExample(t *testing.T) {
	t.Parallel()
	const path = "../configs/accounts.example.yaml"
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := candidates(t, f, "acme", "max")
	if c.Platform == nil || c.Tenant == nil || c.User == nil || c.TenantAdmin == "" || c.PlatformAdmin == "" {
		t.Errorf("a level is missing: %+v", c)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	keys(&doc, used)
	for _, key := range strings.Fields(`platform tenants admin_address account users first_name last_name address name central_sender
		force_sender reply_to_user use_platform_default aliases smtp host port encryption authentication username password
		password_file allow_plaintext_login max_connections`) {
		if !used[key] {
			t.Errorf("the example does not show %s", key)
		}
	}
	// Of the advice, only what an example cannot avoid or shows on purpose.
	for _, w := range f.Warnings() {
		if !slices.ContainsFunc([]string{"password cannot be read", "stands in clear", "encryption is none", "central sender"}, func(s string) bool { return strings.Contains(w, s) }) {
			t.Errorf("the example is warned about: %s", w)
		}
	}
}

func keys(n *yaml.Node, into map[string]bool) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			into[c.Value] = true
		}
		keys(c, into)
	}
}
