package resolver_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/resolver"
)

// TestParseEntry reads what stands below a platform, tenant or user.
func TestParseEntry(t *testing.T) {
	t.Parallel()
	account := func(address string) *resolver.Settings {
		return &resolver.Settings{Address: address, SMTP: &resolver.SMTPSettings{Host: "h.example"}}
	}
	order := &resolver.Order{Manual: []resolver.Level{resolver.Tenant}}
	for _, tt := range []struct {
		name, text string
		level      resolver.Level
		want       *resolver.Entry
	}{
		{
			"platform", "{admin_address: admin@p.example, address: a@p.example, smtp: {host: h.example}}", resolver.Platform,
			&resolver.Entry{AdminAddress: "admin@p.example", Account: account("a@p.example")},
		},
		{
			"tenant", "{admin_address: it@acme.example, order: {manual: [tenant]}, account: {address: a@acme.example, smtp: {host: h.example}}}", resolver.Tenant,
			&resolver.Entry{AdminAddress: "it@acme.example", Order: order, Account: account("a@acme.example")},
		},
		{"tenant without an account", "admin_address: it@acme.example", resolver.Tenant, &resolver.Entry{AdminAddress: "it@acme.example"}},
		{
			"tenant, account beside the rest", "{admin_address: it@acme.example, order: {manual: [tenant]}, address: a@acme.example, smtp: {host: h.example}}", resolver.Tenant,
			&resolver.Entry{AdminAddress: "it@acme.example", Order: order, Account: account("a@acme.example")},
		},
		{
			"F2 user", "{first_name: Max, last_name: Muster, account: {address: max@acme.example, smtp: {host: h.example}}}", resolver.User,
			&resolver.Entry{FirstName: "Max", LastName: "Muster", Account: account("max@acme.example")},
		},
		{
			"user, account beside the rest", "{first_name: Max, address: max@acme.example, smtp: {host: h.example}}", resolver.User,
			&resolver.Entry{FirstName: "Max", Account: account("max@acme.example")},
		},
		{"T3 unsaved and incomplete", "smtp: {host: h.example}", resolver.User, &resolver.Entry{Account: account("")}},
		{"O2 nothing but a tick", "use_platform_default: true", resolver.Tenant, &resolver.Entry{Account: &resolver.Settings{UsePlatformDefault: true}}},
		{"short form of an address", "{address: a@b.example, central_sender: 'Service <s@b.example>'}", resolver.Tenant, &resolver.Entry{
			Account: &resolver.Settings{Address: "a@b.example", CentralSender: &resolver.Mailbox{Name: "Service", Address: "s@b.example"}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolver.ParseEntry("f.yaml", []byte(tt.text), tt.level)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v: %s", err, diff)
			}
		})
	}
}

// TestParseEntryProblems: each is at its line and key, and none shows a secret.
func TestParseEntryProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		level      resolver.Level
		want       string
	}{
		{"empty", "", resolver.Tenant, " is empty"},
		{"no YAML", "account: {password: 'canary", resolver.Tenant, " is no YAML: found unexpected end of stream"},
		{"order of a user", "order: {manual: [user]}", resolver.User, "1: order: unknown key; known here are account, first_name, last_name"},
		{"branding of a user", "branding: {}", resolver.User, "1: branding: unknown key; known here are account, first_name, last_name"},
		{"name of a tenant", "first_name: Max", resolver.Tenant, "1: first_name: unknown key; known here are account, admin_address, branding, order"},
		{"nested at the platform", "account: {}", resolver.Platform, "1: account: unknown key; known here are address, admin_address, aliases, central_sender, fallback, force_sender, limits, name, oauth2, provider, reply_to_user, reverse_path, smtp, use_platform_default"},
		{"both forms", "address: a@b.example\naccount: {}", resolver.User, "1: address: unknown key; known here are account, first_name, last_name"},
		{"port 0", "account:\n  smtp: {port: 0}", resolver.Tenant, "2: account.smtp.port: must be within 1 to 65535"},
		{"port 0, flat", "smtp:\n  port: 0", resolver.Tenant, "2: smtp.port: must be within 1 to 65535"},
		{"port 0 at the platform", "smtp:\n\n  port: 0", resolver.Platform, "3: smtp.port: must be within 1 to 65535"},
		{"two passwords", "smtp:\n  password: canary\n  password_file: pw", resolver.Platform, "3: smtp.password_file: stands beside password: keep one of them"},
		{"two tokens", "oauth2:\n  refresh_token: canary\n  refresh_token_file: f", resolver.User, "3: oauth2.refresh_token_file: stands beside refresh_token: keep one of them"},
		{"admin address", "admin_address: it", resolver.Tenant, `1: admin_address: "it" has no @: not a mail address`},
		{"line break", "last_name: \"a\\nb\"", resolver.User, "1: last_name: must be one line of at most 256 bytes"},
		{"picture", "branding:\n  logo: canary!", resolver.Tenant, "2: branding.logo: is no base64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := resolver.ParseEntry("f.yaml", []byte(tt.text), tt.level)
			if err == nil || err.Error() != "f.yaml:"+tt.want {
				t.Errorf("error is %v", err)
			}
			if _, ok := errors.AsType[*resolver.LineError](err); !ok {
				t.Errorf("error is a %T", err)
			}
		})
	}
}

// TestValidateEntry is for entries that come from elsewhere than a file.
func TestValidateEntry(t *testing.T) {
	t.Parallel()
	whole := resolver.Entry{
		AdminAddress: "it@acme.example", Order: &resolver.Order{}, Branding: &resolver.Branding{}, FirstName: "Max", LastName: "Muster",
		Account: &resolver.Settings{Address: "not looked at"},
	}
	for level, want := range map[resolver.Level][]string{
		resolver.Platform: {"branding: is a tenant's", "order: is a tenant's", "first_name: first and last name are a user's"},
		resolver.Tenant:   {"first_name: first and last name are a user's"},
		resolver.User: {
			"branding: is a tenant's", "admin_address: is the tenant's or the platform's, not a user's", "order: is a tenant's",
		},
	} {
		if diff := cmp.Diff(want, problems(whole.Validate(level))); diff != "" {
			t.Errorf("%s: %s", level, diff)
		}
		if err := (&resolver.Entry{}).Validate(level); err != nil {
			t.Errorf("%s: nothing is wrong with nothing: %v", level, err)
		}
	}
	wrong := resolver.Entry{Order: &resolver.Order{Manual: []resolver.Level{"admin"}}, Branding: &resolver.Branding{LogoWidth: -1}}
	want := []string{
		`order.manual: "admin" is not one of user, tenant, platform`, "branding.logo_width: -1 is not within 0 to 600 px",
	}
	if diff := cmp.Diff(want, problems(wrong.Validate(resolver.Tenant))); diff != "" {
		t.Error(diff)
	}
}

// TestReadFiles: what is read stands in place of the name, what is not read
// keeps it.
func TestReadFiles(t *testing.T) {
	t.Parallel()
	no := false
	files := map[string]string{"pw": "hunter2\r\n", "key": "{\n}\n", "empty": "\n", "logo": "picture"}
	read := func(name string) ([]byte, error) {
		content, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
		}
		return []byte(content), nil
	}
	for _, tt := range []struct {
		name        string
		entry, want resolver.Entry
		unread      []string
	}{
		{name: "nothing"},
		{
			name: "all there",
			entry: resolver.Entry{Branding: &resolver.Branding{LogoFile: "logo"}, Account: &resolver.Settings{
				SMTP: &resolver.SMTPSettings{PasswordFile: "pw"}, OAuth2: &resolver.OAuth2Settings{ServiceAccountFile: "key"},
			}},
			want: resolver.Entry{Branding: &resolver.Branding{Logo: resolver.Image("picture")}, Account: &resolver.Settings{
				SMTP: &resolver.SMTPSettings{Password: resolver.NewSecret("hunter2")}, OAuth2: &resolver.OAuth2Settings{ServiceAccount: resolver.NewSecret("{\n}")},
			}},
		},
		{
			name: "missing and empty",
			entry: resolver.Entry{Branding: &resolver.Branding{LogoFile: "none"}, Account: &resolver.Settings{
				OAuth2: &resolver.OAuth2Settings{ClientSecretFile: "none", RefreshTokenFile: "empty"},
			}},
			want: resolver.Entry{Branding: &resolver.Branding{LogoFile: "none"}, Account: &resolver.Settings{
				OAuth2: &resolver.OAuth2Settings{ClientSecretFile: "none", RefreshTokenFile: "empty"},
			}},
			unread: []string{"branding.logo", "oauth2.client_secret", "oauth2.refresh_token"},
		},
		{
			name:  "T2 a password that is not used",
			entry: resolver.Entry{Account: &resolver.Settings{SMTP: &resolver.SMTPSettings{Authentication: &no, PasswordFile: "none"}}},
			want:  resolver.Entry{Account: &resolver.Settings{SMTP: &resolver.SMTPSettings{Authentication: &no}}},
		},
		{
			name:  "T2 a password that is kept for later",
			entry: resolver.Entry{Account: &resolver.Settings{SMTP: &resolver.SMTPSettings{Authentication: &no, PasswordFile: "pw"}}},
			want:  resolver.Entry{Account: &resolver.Settings{SMTP: &resolver.SMTPSettings{Authentication: &no, Password: resolver.NewSecret("hunter2")}}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			unread := tt.entry.ReadFiles(read)
			if diff := cmp.Diff(tt.unread, slices.Sorted(maps.Keys(unread))); diff != "" {
				t.Errorf("unread: %s", diff)
			}
			if diff := cmp.Diff(tt.want, tt.entry); diff != "" {
				t.Errorf("entry: %s", diff)
			}
		})
	}
	if _, err := resolver.InFolder(t.TempDir())("none"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestUnread: an account whose secret is not there waits; one that does not need
// it does not.
func TestUnread(t *testing.T) {
	t.Parallel()
	path := file(t, `platform: {address: a@p.example, smtp: {host: h.example}}
tenants:
  two: {account: {address: a@two.example, oauth2: {provider: google, client_secret_file: none1, refresh_token_file: none2}}}
  off: {account: {address: a@off.example, smtp: {host: h.example, authentication: false, password_file: none3}}}
  both:
    account:
      address: a@both.example
      oauth2: {provider: microsoft, refresh_token: canary}
      smtp:
        host: old.example
        password_file: none4
`)
	folder := filepath.Dir(path)
	for range 20 { // the answer is the same each time: it is part of the account's version
		f, err := resolver.LoadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for id, want := range map[string]string{
			"two":  "its refresh token cannot be read: stat " + filepath.Join(folder, "none2") + ": no such file or directory",
			"off":  "",
			"both": "", // I6: the SMTP data are not used
		} {
			if got := candidates(t, f, id, "").Tenant.Unusable; got != want {
				t.Fatalf("%s is unusable because %q, want %q", id, got, want)
			}
		}
		warned := slices.ContainsFunc(f.Warnings(), func(w string) bool {
			return strings.HasPrefix(w, path+":10: tenant/both: its password cannot be read: ") && strings.HasSuffix(w, "it is not used")
		})
		if !warned {
			t.Fatalf("warnings are %q", f.Warnings())
		}
	}
}

// TestEntries: the platform's, then each tenant's before its users', by id.
func TestEntries(t *testing.T) {
	t.Parallel()
	const text = `platform: {address: a@p.example, smtp: {host: h.example, password_file: pw}}
tenants:
  globex: {users: {}}
  acme:
    admin_address: it@acme.example
    account: {address: a@acme.example, smtp: {host: h.example}}
    users:
      max: {first_name: Max, account: {address: max@acme.example, smtp: {host: h.example}}}
      eva: {first_name: Eva}
`
	path := file(t, text)
	write(t, filepath.Join(filepath.Dir(path), "pw"), "hunter2\n")
	f, err := resolver.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for p, e := range f.Entries() {
		got = append(got, fmt.Sprintf("%s %s%s %t", p, e.AdminAddress, e.FirstName, e.Account != nil))
		if p.Level() == resolver.Platform && (e.Account.SMTP.PasswordFile != "" || e.Account.SMTP.Password.Reveal() != "hunter2") {
			t.Errorf("the password is not read: %+v", e.Account.SMTP)
		}
	}
	want := []string{"platform  true", "tenant/acme it@acme.example true", "user/acme/eva Eva false", "user/acme/max Max true", "tenant/globex  false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for stop := range want {
		n := 0
		for range f.Entries() {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("a walk that stops after %d went on to %d", stop+1, n)
		}
	}
	var ids []string
	for _, a := range f.All() {
		ids = append(ids, a.ID())
	}
	if diff := cmp.Diff([]string{"platform", "tenant/acme", "user/acme/max"}, ids); diff != "" {
		t.Errorf("accounts: %s", diff)
	}
}

func TestLogoTwice(t *testing.T) {
	t.Parallel()
	text := "branding:\n  logo: " + base64(t, png(t)) + "\n  logo_file: logo.png"
	_, err := resolver.ParseEntry("f.yaml", []byte(text), resolver.Tenant)
	if err == nil || err.Error() != "f.yaml:3: branding.logo_file: stands beside logo: keep one of them" {
		t.Error(err)
	}
}
