package main

import (
	"path/filepath"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/resolvertest"
)

// TestStore runs the suite that every store must pass.
func TestStore(t *testing.T) {
	t.Parallel()
	resolvertest.Run(t, func(t *testing.T, f resolvertest.Fixture) resolver.Store {
		s, err := OpenStore(t.Context(), filepath.Join(t.TempDir(), "accounts.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		fill(t, s, f)
		return s
	})
}

// fill puts a fixture into a store.
func fill(t *testing.T, s *Store, f resolvertest.Fixture) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account := func(a *resolver.Account) {
		t.Helper()
		if a != nil {
			check(s.PutAccount(t.Context(), *a))
		}
	}
	check(s.PutTenant(t.Context(), "", f.PlatformAdmin))
	account(f.Platform)
	for id, tenant := range f.Tenants {
		check(s.PutTenant(t.Context(), id, tenant.Admin))
		account(tenant.Account)
		for userID, user := range tenant.Users {
			check(s.PutPerson(t.Context(), id, rohrpost.User{ID: userID, FirstName: user.FirstName, LastName: user.LastName}))
			account(user.Account)
		}
	}
}
