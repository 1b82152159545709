package redisstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func key(t *testing.T) (resolver.Secret, string) {
	t.Helper()
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return identity, recipient
}

// TestReseal moves every secret to a new key.
func TestReseal(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	before, after := o.Identities, ""
	identity, recipient := key(t)
	s := open(t, o)
	put(t, s, acme, 0, entry("a@acme.example"))
	put(t, s, maxM, 0, &resolver.Entry{Account: &resolver.Settings{
		Address: "max@acme.example",
		OAuth2:  &resolver.OAuth2Settings{Provider: "microsoft", ClientSecret: resolver.NewSecret(canary), RefreshToken: resolver.NewSecret(canary)},
	}})
	put(t, s, resolver.Place{Tenant: "empty"}, 0, &resolver.Entry{AdminAddress: "x@empty.example"})
	both := open(t, redisstore.Options{
		Redis: rdb, Recipients: []string{recipient}, Identities: resolver.NewSecret(before.Reveal() + "\n" + identity.Reveal()),
	})
	for _, want := range []redisstore.Resealed{{Secrets: 3, Done: 3}, {Secrets: 3, Done: 0}} {
		got, err := both.Reseal(t.Context(), olga)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	for name, o := range map[string]redisstore.Options{
		before.Reveal(): {Redis: rdb, Identities: before}, after: {Redis: rdb, Identities: identity},
	} {
		c, err := open(t, o).Accounts(t.Context(), "acme", "max")
		if err != nil || (c.User.Unusable == "") != (name == after) || (c.User.OAuth2.RefreshToken.Reveal() == canary) != (name == after) {
			t.Errorf("%v, %q", err, c.User.Unusable)
		}
	}
	if _, err := both.Reseal(t.Context(), anna); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("an administrator: %v", err)
	}
	stranger, _ := key(t)
	if _, err := open(t, redisstore.Options{Redis: rdb, Identities: stranger}).Reseal(t.Context(), olga); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("without the key: %v", err)
	}
}

// TestPreview is what Put would make, without storing anything and without keys.
func TestPreview(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	dump := everything(t, rdb)
	keyless := open(t, redisstore.Options{Redis: rdb})
	e := entry("b@acme.example")
	e.Account.SMTP.Host = "smtp2.acme.example"
	a, err := keyless.Preview(t.Context(), anna, acme, e)
	if err != nil || a.Address != "b@acme.example" || a.SMTP.Password.Reveal() != canary || a.Unusable != "" || a.Trusted {
		t.Errorf("given: %+v, %v", a, err)
	}
	e = withoutPassword(entry("a@acme.example"))
	e.Account.Name = "ACME"
	if a, err = s.Preview(t.Context(), anna, acme, e); err != nil || a.Name != "ACME" || a.SMTP.Password.Reveal() != canary {
		t.Errorf("kept: %v", err)
	}
	if a, err = keyless.Preview(t.Context(), anna, acme, e); err != nil || !strings.Contains(a.Unusable, "identity_file") {
		t.Errorf("kept, without a key: %+v, %v", a, err)
	}
	e.Account.SMTP.Host = "smtp.evil.example"
	if _, err = s.Preview(t.Context(), anna, acme, e); err == nil || !strings.Contains(err.Error(), "given again") {
		t.Errorf("another server with the stored password: %v", err)
	}
	if _, err = s.Preview(t.Context(), anna, resolver.Place{}, e); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("the platform's: %v", err)
	}
	if a, err := s.Preview(t.Context(), anna, maxM, &resolver.Entry{FirstName: "Max"}); a != nil || err != nil {
		t.Errorf("no account: %v, %v", a, err)
	}
	if everything(t, rdb) != dump || get(t, s, acme).Version != version {
		t.Error("something was stored")
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pw": canary + "\n",
		"accounts.yaml": `platform: {address: noreply@platform.example, admin_address: admin@platform.example, smtp: {host: h.example}}
tenants:
  acme:
    admin_address: it@acme.example
    order: {manual: [tenant, user]}
    account: {address: info@acme.example, central_sender: S <s@acme.example>, smtp: {host: h.example, password_file: pw}}
    users: {max: {first_name: Max, account: {provider: ionos, address: max@acme.example, smtp: {password: canary-2}}}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := resolver.LoadFile(filepath.Join(dir, "accounts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	for range 2 { // the second time it finds everything there
		if n, err := s.Import(t.Context(), olga, file); n != 3 || err != nil {
			t.Fatalf("%d entries, %v", n, err)
		}
	}
	want, _ := file.Accounts(t.Context(), "acme", "max")
	got, err := s.Accounts(t.Context(), "acme", "max")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*resolver.Account{got.Tenant, got.User} {
		a.Trusted = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-file +redis):\n%s", diff)
	}
	if _, err := s.Import(t.Context(), anna, file); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("an administrator: %v", err)
	}
	if strings.Contains(everything(t, rdb), "canary") {
		t.Error("a password stands in Redis")
	}
	if err := os.Remove(filepath.Join(dir, "pw")); err != nil {
		t.Fatal(err)
	}
	if err := file.Reload(); err != nil {
		t.Fatal(err)
	}
	_, err = s.Import(t.Context(), olga, file)
	if field, ok := errors.AsType[*rohrpost.FieldError](err); !ok || field.Field != "smtp.password_file" {
		t.Errorf("a password that cannot be read: %v", err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	for _, p := range []resolver.Place{{}, acme, maxM, {Tenant: "acme", User: "eva"}, {Tenant: "b", User: "x"}} {
		put(t, s, p, 0, entry("x@acme.example"))
	}
	version := get(t, s, acme).Version
	if err := s.Delete(t.Context(), olga, acme, version); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for r, err := range s.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.Place.String())
	}
	if diff := cmp.Diff([]string{"platform", "user/acme/eva", "user/acme/max", "user/b/x"}, ids); diff != "" {
		t.Error(diff)
	}
	for _, err := range s.All(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // the caller may stop
	}
	rdb.HSet(t.Context(), "rohrpost:accounts:{t:b}", "tenant", "{", "#tenant", 1)
	var last error
	for _, err := range s.All(t.Context()) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "tenant/b is damaged") {
		t.Errorf("a damaged record: %v", last)
	}
}
