package redisstore_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestFallback is a tenant's choice: its administrator makes it, the history shows
// it, and no login is taken for another one because of it.
func TestFallback(t *testing.T) {
	t.Parallel()
	_, o := start(t)
	s := open(t, o)
	version := put(t, s, acme, 0, entry("a@acme.example"))
	account := func() *resolver.Account {
		c, err := s.Accounts(t.Context(), "acme", "max")
		if err != nil {
			t.Fatal(err)
		}
		return c.Tenant
	}
	before := account()
	for _, step := range []struct{ old, choice resolver.Fallback }{
		{"", resolver.FallbackPlatform}, {resolver.FallbackPlatform, resolver.FallbackNever},
	} {
		e := withoutPassword(entry("a@acme.example"))
		e.Account.Fallback = step.choice
		var err error
		if version, err = s.Put(t.Context(), anna, acme, version, e); err != nil {
			t.Fatal(err)
		}
		after := account()
		if after.Fallback != step.choice || after.Fingerprint() != before.Fingerprint() || after.Version() != before.Version() {
			t.Errorf("%q: %+v", step.choice, after)
		}
		changes, err := s.History(t.Context(), anna, "acme", 1)
		if err != nil {
			t.Fatal(err)
		}
		want := []redisstore.FieldChange{{Field: "account.fallback", Old: string(step.old), New: string(step.choice)}}
		if diff := cmp.Diff(want, changes[0].Fields); diff != "" || changes[0].Actor != anna {
			t.Errorf("%v: %s", changes[0].Actor, diff)
		}
	}
}
