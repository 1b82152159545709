package redisstore_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// raw is a record as it stands in Redis.
type raw struct {
	Entry   map[string]any    `json:"entry"`
	Secrets map[string]string `json:"secrets"`
	Changed string            `json:"changed"`
}

func (r *raw) settings(part string) map[string]any {
	account := r.Entry["account"].(map[string]any)
	if part == "" {
		return account
	}
	if account[part] == nil {
		account[part] = map[string]any{}
	}
	return account[part].(map[string]any)
}

func load(t *testing.T, rdb redis.UniversalClient, key, field string) *raw {
	t.Helper()
	r := &raw{}
	if err := json.Unmarshal([]byte(rdb.HGet(t.Context(), key, field).Val()), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// plant writes a record as somebody does who has Redis and no program.
func plant(t *testing.T, rdb redis.UniversalClient, key, field string, r *raw) {
	t.Helper()
	text, err := json.Marshal(r)
	if err == nil {
		err = rdb.HSet(t.Context(), key, field, text, "#"+field, 1).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}

const acmeKey, acmeField = "rohrpost:accounts:{t:acme}", "tenant"

// TestChangedInRedis: a secret opens for what it was entered for alone, whatever else
// is made of its record.
func TestChangedInRedis(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	password := entry("a@acme.example")
	token := &resolver.Entry{Account: &resolver.Settings{
		Address: "a@acme.example",
		OAuth2:  &resolver.OAuth2Settings{Provider: "microsoft", ClientSecret: resolver.NewSecret(canary), RefreshToken: resolver.NewSecret(canary)},
	}}
	version := int64(0) // plant makes it 1
	for name, tt := range map[string]struct {
		entry  *resolver.Entry
		change func(*raw)
		usable bool
	}{
		"nothing":         {password, func(*raw) {}, true},
		"name":            {password, func(r *raw) { r.settings("")["name"] = "ACME" }, true},
		"host":            {password, func(r *raw) { r.settings("smtp")["host"] = "smtp.evil.example" }, false},
		"port":            {password, func(r *raw) { r.settings("smtp")["port"] = 2525 }, false},
		"user name":       {password, func(r *raw) { r.settings("smtp")["username"] = "eve" }, false},
		"address as user": {password, func(r *raw) { r.settings("")["address"] = "eve@acme.example" }, false},
		"encryption":      {password, func(r *raw) { r.settings("smtp")["encryption"], r.settings("smtp")["port"] = "none", 587 }, false},
		"provider":        {password, func(r *raw) { r.settings("")["provider"] = "gmx"; delete(r.settings("smtp"), "host") }, false},
		"password as key": {token, func(r *raw) { r.Secrets["oauth2.client_secret"] = r.Secrets["oauth2.refresh_token"] }, false},
		"tokens":          {token, func(*raw) {}, true},
		"cloud":           {token, func(r *raw) { r.settings("oauth2")["cloud"] = "us" }, false},
		"directory":       {token, func(r *raw) { r.settings("oauth2")["tenant"] = "evil.example" }, false},
		"application":     {token, func(r *raw) { r.settings("oauth2")["client_id"] = "evil" }, false},
		"oauth2 provider": {token, func(r *raw) { r.settings("oauth2")["provider"] = "google" }, false},
		"mailbox":         {token, func(r *raw) { r.settings("oauth2")["username"] = "boss@acme.example" }, false},
		"token endpoint":  {token, func(r *raw) { r.settings("oauth2")["endpoints"] = map[string]string{"token": "https://evil.example"} }, false},
		"sign-in endpoint": {token, func(r *raw) {
			r.settings("oauth2")["endpoints"] = map[string]string{"authorize": "https://evil.example"}
		}, false},
		"API endpoint":  {token, func(r *raw) { r.settings("oauth2")["endpoints"] = map[string]string{"api": "https://evil.example"} }, false},
		"SMTP endpoint": {token, func(r *raw) { r.settings("oauth2")["endpoints"] = map[string]string{"smtp": "evil.example:587"} }, false},
	} {
		put(t, s, acme, version, tt.entry)
		r := load(t, rdb, acmeKey, acmeField)
		tt.change(r)
		plant(t, rdb, acmeKey, acmeField, r)
		version = 1
		c, err := open(t, o).Accounts(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		a := c.Tenant
		shown := a.SMTP.Password.Reveal() + a.OAuth2.ClientSecret.Reveal() + a.OAuth2.RefreshToken.Reveal()
		if usable := a.Unusable == ""; usable != tt.usable || !usable && a.Unusable != resolver.Misplaced {
			t.Errorf("%s: unusable: %q", name, a.Unusable)
		}
		if !tt.usable && strings.Contains(shown, canary) && name != "password as key" { // there the token stands where it should
			t.Errorf("%s: a secret is open", name)
		}
		rs, err := resolver.New(resolver.Options{Store: open(t, o)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = rs.Resolve(t.Context(), resolver.Request{Tenant: "acme"})
		if errors.Is(err, failure.ErrMisplaced) == tt.usable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCopiedInRedis is another tenant's sealed password in one's own record.
func TestCopiedInRedis(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	put(t, s, acme, 0, entry("a@acme.example"))
	r := load(t, rdb, acmeKey, acmeField)
	for name, place := range map[string]resolver.Place{
		"another tenant": {Tenant: "evil"}, "its own user": maxM, "the platform": {},
	} {
		key, field := "rohrpost:accounts:{t:"+place.Tenant+"}", "tenant"
		switch {
		case place.User != "":
			field = "user/" + place.User
		case place.Tenant == "":
			key, field = "rohrpost:accounts:{platform}", "platform"
		}
		plant(t, rdb, key, field, r)
		got := get(t, s, place).Account
		if got.Unusable != resolver.Misplaced || got.SMTP.Password.Reveal() == canary {
			t.Errorf("%s: %q", name, got.Unusable)
		}
	}
}

// older makes of a stored record what a version has written that bound no secrets.
func older(t *testing.T, rdb redis.UniversalClient, o redisstore.Options, key, field string) {
	t.Helper()
	box, err := seal.New(seal.Options{Identities: o.Identities})
	if err != nil {
		t.Fatal(err)
	}
	r := load(t, rdb, key, field)
	for name := range r.Secrets {
		if r.Secrets[name], err = box.Seal(resolver.NewSecret(canary), nil); err != nil {
			t.Fatal(err)
		}
	}
	plant(t, rdb, key, field, r)
}

// TestBinding is the way of secrets that were sealed for no server in particular.
func TestBinding(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	put(t, s, acme, 0, entry("a@acme.example"))
	put(t, s, maxM, 0, entry("max@acme.example"))
	older(t, rdb, o, acmeKey, acmeField)
	old := load(t, rdb, acmeKey, acmeField)

	unbound := func(want ...string) {
		t.Helper()
		places, err := open(t, redisstore.Options{Redis: rdb}).Unbound(t.Context())
		var got []string
		for _, p := range places {
			got = append(got, p.String())
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("unbound: %v (-want +got):\n%s", err, diff)
		}
	}
	unbound("tenant/acme")
	if r := get(t, s, acme); !r.Unbound || r.Account.Unusable != "" || r.Account.SMTP.Password.Reveal() != canary {
		t.Errorf("before: %+v", r)
	}
	if r := get(t, s, maxM); r.Unbound {
		t.Error("one that is bound is said not to be")
	}
	strict := o
	strict.RequireBound = true
	if r := get(t, open(t, strict), acme); !strings.Contains(r.Account.Unusable, "account reseal") || r.Account.SMTP.Password.Reveal() == canary {
		t.Errorf("required before: %q", r.Account.Unusable)
	}
	if n, err := open(t, strict).Reseal(t.Context(), olga); !errors.Is(err, seal.ErrUnbound) || n.Done != 0 {
		t.Errorf("required before, sealed anew: %+v, %v", n, err)
	}
	fingerprint := get(t, s, acme).Account.Fingerprint()
	for _, want := range []redisstore.Resealed{{Secrets: 2, Done: 1, Bound: 1}, {Secrets: 2}} {
		if got, err := s.Reseal(t.Context(), olga); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	unbound()
	r := get(t, open(t, strict), acme)
	if r.Unbound || r.Account.Unusable != "" || r.Account.SMTP.Password.Reveal() != canary || r.Account.Fingerprint() != fingerprint {
		t.Errorf("after: %+v", r)
	}
	plant(t, rdb, acmeKey, acmeField, old)
	if r := get(t, open(t, strict), acme); r.Account.Unusable == "" {
		t.Error("what stood there before can be put back")
	}
}

// TestResealNames the record that somebody has copied a secret into, and goes on.
func TestResealNames(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	s := open(t, o)
	put(t, s, acme, 0, entry("a@acme.example"))
	put(t, s, resolver.Place{Tenant: "zeta"}, 0, entry("z@zeta.example"))
	r := load(t, rdb, acmeKey, acmeField)
	r.settings("smtp")["host"] = "smtp.evil.example"
	plant(t, rdb, acmeKey, acmeField, r)
	identity, recipient := key(t)
	both := open(t, redisstore.Options{
		Redis: rdb, Recipients: []string{recipient}, Identities: resolver.NewSecret(o.Identities.Reveal() + "\n" + identity.Reveal()),
	})
	n, err := both.Reseal(t.Context(), olga)
	if !errors.Is(err, seal.ErrPurpose) || !strings.Contains(err.Error(), "tenant/acme") || n.Done != 1 {
		t.Errorf("%+v, %v", n, err)
	}
}
