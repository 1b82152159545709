package resolver_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
)

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
		{"unknown key of an account", "  address: a@", "  sender: a@", 2, "platform.sender", "unknown key"},
		{"unknown key of smtp", "    host: h.example\n", "    host: h.example\n    hots: x\n", 5, "platform.smtp.hots", "unknown key"},
		{"oauth2 without a grant", "    port: 587", "  oauth2: {provider: google}", 5, "platform.oauth2.refresh_token", "account connect google"},
		{"unknown key of a tenant", "    users:", "    accounts: {}\n    users:", 12, "tenants.acme.accounts", "known here are account, admin_address, branding, order, users"},
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
		{"alias", "  smtp:\n", "  aliases:\n  - b@platform.example\n  - no\n  smtp:\n", 5, "platform.aliases[1]", "no @"},
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
		{"empty id", "  acme:", `  "":`, 8, `tenants.""`, "an id must have"},
		{"fallback of the platform", "  smtp:\n", "  fallback: platform\n  smtp:\n", 3, "platform.fallback", "the fallback itself"},
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
	path := file(t, "platform: {sender: x, smtp: {port: 0}}\ntenants:\n  acme: {user: {}}\n")
	_, err := resolver.LoadFile(path)
	want := strings.Join([]string{
		path + ":1: platform.sender: unknown key; known here are address, admin_address, aliases, central_sender, fallback, force_sender, limits, name, oauth2, provider, reply_to_user, reverse_path, smtp, use_platform_default",
		path + ":1: platform.smtp.port: must be within 1 to 65535",
		path + ":3: tenants.acme.user: unknown key; known here are account, admin_address, branding, order, users",
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
