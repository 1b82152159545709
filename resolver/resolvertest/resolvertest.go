// Package resolvertest is the suite that every resolver.Store must pass. A
// store's test calls Run with a function that fills a new store:
//
//	func TestStore(t *testing.T) {
//		resolvertest.Run(t, func(t *testing.T, f resolvertest.Fixture) resolver.Store {
//			return newStoreWith(t, f)
//		})
//	}
package resolvertest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Fixture is what the store under test must hold, and nothing else.
type Fixture struct {
	Platform      *resolver.Account // nil: none
	PlatformAdmin string
	Tenants       map[string]TenantFixture // by id
}

// A TenantFixture is one tenant.
type TenantFixture struct {
	Admin   string
	Account *resolver.Account // nil: none
	Users   map[string]UserFixture
}

// A UserFixture is one person of a tenant. Their address is that of the account.
type UserFixture struct {
	FirstName, LastName string
	Account             *resolver.Account // nil: none
}

// Run tests the stores that fill makes, each from its own fixture.
func Run(t *testing.T, fill func(t *testing.T, f Fixture) resolver.Store) {
	t.Run("empty", func(t *testing.T) {
		store := fill(t, Fixture{})
		check(t, store, "acme", "max", resolver.Candidates{})
		check(t, store, "", "", resolver.Candidates{})
	})
	t.Run("who is asked for", func(t *testing.T) {
		f := fixture()
		checkEverybody(t, fill(t, f), f)
	})
	t.Run("goroutines", func(t *testing.T) {
		f := fixture()
		store := fill(t, f)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 20 {
					checkEverybody(t, store, f)
				}
			})
		}
		wg.Wait()
	})
	t.Run("resolver", func(t *testing.T) {
		checkResolver(t, fill(t, fixture()))
	})
}

// checkEverybody asks for all who are there, and for some who are not.
func checkEverybody(t *testing.T, store resolver.Store, f Fixture) {
	t.Helper()
	nobody := resolver.Candidates{Platform: f.Platform, PlatformAdmin: f.PlatformAdmin}
	check(t, store, "", "", nobody)
	check(t, store, "", "max", nobody)
	check(t, store, "unknown", "max", nobody)
	check(t, store, "ACME", "max", nobody) // ids are not names: case counts
	for id, tenant := range f.Tenants {
		c := nobody
		c.Tenant, c.TenantAdmin = tenant.Account, tenant.Admin
		check(t, store, id, "", c)
		check(t, store, id, "unknown", c)
		for userID, user := range tenant.Users {
			c := c
			c.User = user.Account
			c.Person = rohrpost.User{ID: userID, FirstName: user.FirstName, LastName: user.LastName}
			if user.Account != nil {
				c.Person.Address = user.Account.Address
			}
			check(t, store, id, userID, c)
		}
	}
}

func check(t *testing.T, store resolver.Store, tenant, user string, want resolver.Candidates) {
	t.Helper()
	got, err := store.Accounts(context.WithoutCancel(t.Context()), tenant, user)
	if err != nil {
		t.Errorf("tenant %q, user %q: %v", tenant, user, err)
		return
	}
	// Whether the operator wrote the settings is the store's to say.
	want.Platform, want.Tenant, want.User = trusted(want.Platform, got.Platform), trusted(want.Tenant, got.Tenant), trusted(want.User, got.User)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tenant %q, user %q (-want +got):\n%s", tenant, user, diff)
	}
	for _, pair := range [][2]*resolver.Account{{want.Platform, got.Platform}, {want.Tenant, got.Tenant}, {want.User, got.User}} {
		if pair[0] != nil && pair[1] != nil && pair[0].Version() != pair[1].Version() {
			t.Errorf("%s: equal settings have another version", pair[0].ID())
		}
	}
}

// trusted is want with the trust of got.
func trusted(want, got *resolver.Account) *resolver.Account {
	if want == nil || got == nil {
		return want
	}
	w := *want
	w.Trusted = got.Trusted
	return &w
}

// checkResolver sees that the store serves the resolver's main cases.
func checkResolver(t *testing.T, store resolver.Store) {
	t.Helper()
	r, err := resolver.New(resolver.Options{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		tenant, user string
		origin       rohrpost.Origin
		category     rohrpost.Category
		want         string
	}{
		{"acme", "max", rohrpost.Manual, "", "user/acme/max"},
		{"acme", "max", rohrpost.Automatic, "", "tenant/acme"},
		{"acme", "max", rohrpost.Manual, rohrpost.Marketing, "platform"},
		{"acme", "eva", rohrpost.Manual, "", "tenant/acme"},
		{"globex", "max", rohrpost.Manual, "", "user/globex/max"},
		{"globex", "max", rohrpost.Automatic, "", "user/globex/max"}, // its tenant's is switched off
		{"globex", "", rohrpost.Automatic, "", "platform"},
		{"empty", "max", rohrpost.Manual, "", "platform"},
		{"unknown", "max", rohrpost.Manual, "", "platform"},
		{"", "", rohrpost.Automatic, "", "platform"},
	} {
		s, err := r.Resolve(t.Context(), resolver.Request{
			Tenant: tt.tenant, User: rohrpost.User{ID: tt.user}, Origin: tt.origin, Category: tt.category,
		})
		if err != nil || s.Account.ID() != tt.want {
			t.Errorf("%+v: %v, %v", tt, s.Account, err)
		}
	}
}

// fixture has each field at least once: two tenants with a user of the same id,
// one with nothing, ids with odd characters, an account that is switched off.
func fixture() Fixture {
	odd := "Büro 1/2: \"a%b\""
	return Fixture{
		Platform: &resolver.Account{
			Level: resolver.Platform, Address: "noreply@platform.example", Name: "Platform", ForceSender: true,
			SMTP: server("noreply@platform.example", 1),
		},
		PlatformAdmin: "admin@platform.example",
		Tenants: map[string]TenantFixture{
			"acme": {
				Admin: "it@acme.example",
				Account: &resolver.Account{
					Level: resolver.Tenant, Tenant: "acme", Address: "info@acme.example", Name: `ACME "GmbH" & Söhne: #1`,
					CentralSender: rohrpost.Address{Name: "Service", Address: "service@acme.example"},
					ReplyToUser:   true, Aliases: []string{"sales@acme.example", "büro@acme.example"},
					Fallback: resolver.FallbackPlatform, SMTP: server("info@acme.example", 2),
				},
				Users: map[string]UserFixture{
					"max": {FirstName: "Max", LastName: "Muster", Account: &resolver.Account{
						Level: resolver.User, Tenant: "acme", User: "max", Address: "max@acme.example", ForceSender: true,
						SMTP: resolver.SMTP{
							Host: "192.0.2.7", Port: 2525, Encryption: resolver.None, Authentication: true, Username: "m0123",
							Password: resolver.NewSecret(" p'w\"#: 0x1 \\ "), AllowPlaintextLogin: true, MaxConnections: 3,
						},
					}},
					"eva": {FirstName: "Eva"},
					odd:   {LastName: "Ö"},
				},
			},
			"globex": {
				Account: &resolver.Account{
					Level: resolver.Tenant, Tenant: "globex", Address: "info@globex.example", ForceSender: true, UsePlatformDefault: true,
					SMTP: resolver.SMTP{Host: "2001:db8::7", Port: 25, Encryption: resolver.None, Username: "info@globex.example"},
				},
				Users: map[string]UserFixture{
					"max": {Account: &resolver.Account{
						Level: resolver.User, Tenant: "globex", User: "max", Address: "max@globex.example", ForceSender: true,
						SMTP: server("max@globex.example", 4),
					}},
				},
			},
			"empty": {},
			odd:     {Admin: "odd@example.org"},
		},
	}
}

func server(username string, n int) resolver.SMTP {
	return resolver.SMTP{
		Host: fmt.Sprintf("smtp%d.example.org", n), Port: 465, Encryption: resolver.TLS,
		Authentication: true, Username: username, Password: resolver.NewSecret(fmt.Sprintf("password-%d", n)),
	}
}
