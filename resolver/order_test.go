package resolver_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// fixed is a store with one answer.
type fixed resolver.Candidates

func (f fixed) Accounts(context.Context, string, string) (resolver.Candidates, error) {
	return resolver.Candidates(f), nil
}

func resolve(t *testing.T, c resolver.Candidates, req resolver.Request) (resolver.Sender, error) {
	t.Helper()
	r, err := resolver.New(resolver.Options{Store: fixed(c)})
	if err != nil {
		t.Fatal(err)
	}
	return r.Resolve(t.Context(), req)
}

func mustResolve(t *testing.T, c resolver.Candidates, req resolver.Request) resolver.Sender {
	t.Helper()
	s, err := resolve(t, c, req)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func platform() *resolver.Account {
	return &resolver.Account{Level: resolver.Platform, Address: "noreply@platform.example", Name: "Platform", ForceSender: true}
}

func tenant() *resolver.Account {
	return &resolver.Account{Level: resolver.Tenant, Tenant: "acme", Address: "info@acme.example", Name: "ACME", ForceSender: true}
}

func user() *resolver.Account {
	return &resolver.Account{Level: resolver.User, Tenant: "acme", User: "max", Address: "max@acme.example", Name: "Max M.", ForceSender: true}
}

func all() resolver.Candidates {
	return resolver.Candidates{
		Platform: platform(), Tenant: tenant(), User: user(),
		TenantAdmin: "it@acme.example", PlatformAdmin: "admin@platform.example",
	}
}

func byMax() resolver.Request {
	return resolver.Request{
		Tenant: "acme", Origin: rohrpost.Manual,
		User: rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max.muster@acme.example"},
	}
}

// TestWhy is I5: the reasons are the true ones.
func TestWhy(t *testing.T) {
	t.Parallel()
	req := func(change func(*resolver.Request)) resolver.Request {
		r := byMax()
		change(&r)
		return r
	}
	without := func(levels ...resolver.Level) resolver.Candidates {
		c := all()
		for _, l := range levels {
			switch l {
			case resolver.User:
				c.User = nil
			case resolver.Tenant:
				c.Tenant = nil
			case resolver.Platform:
				c.Platform = nil
			}
		}
		return c
	}
	off := all()
	off.Tenant.UsePlatformDefault = true
	for _, tt := range []struct {
		name   string
		c      resolver.Candidates
		req    resolver.Request
		why    string
		passed map[resolver.Level]string
	}{
		{
			"own account", all(), byMax(), "A person sends, and has an own account",
			map[resolver.Level]string{resolver.Tenant: "the user's account goes first", resolver.Platform: "the user's account goes first"},
		},
		{
			"tenant for a person", without(resolver.User), byMax(), "A person sends who has no account",
			map[resolver.Level]string{resolver.User: "the user has none", resolver.Platform: "the tenant's account goes first"},
		},
		{
			"program", all(), req(func(r *resolver.Request) { r.Origin = rohrpost.Automatic }), "A program sends, and for that the tenant's account",
			map[resolver.Level]string{resolver.User: "the tenant's account goes first"},
		},
		{
			"program, no tenant's account", without(resolver.Tenant), req(func(r *resolver.Request) { r.Origin = "" }), "A program sends and the tenant has no account",
			map[resolver.Level]string{resolver.Tenant: "the tenant has none", resolver.Platform: "the user's account goes first"},
		},
		{
			"marketing", all(), req(func(r *resolver.Request) { r.Category = rohrpost.Marketing }), "Marketing mail always",
			map[resolver.Level]string{resolver.User: "marketing mail", resolver.Tenant: "marketing mail"},
		},
		{
			"platform's own mail", without(resolver.User, resolver.Tenant),
			resolver.Request{},
			"The mail is the platform's own",
			map[resolver.Level]string{resolver.User: "names no tenant", resolver.Tenant: "names no tenant"},
		},
		{
			"nobody named", without(resolver.User),
			resolver.Request{Tenant: "acme", Origin: rohrpost.Manual},
			"A person sends who has no account",
			map[resolver.Level]string{resolver.User: "names no user"},
		},
		{
			"switched off", off, req(func(r *resolver.Request) { r.Origin = rohrpost.Automatic }), "A program sends and the tenant has no account in use",
			map[resolver.Level]string{resolver.Tenant: "use_platform_default"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := mustResolve(t, tt.c, tt.req)
			if !strings.HasPrefix(s.Why, tt.why) {
				t.Errorf("why is %q", s.Why)
			}
			for _, p := range s.PassedOver {
				if !strings.Contains(p.Why, tt.passed[p.Level]) {
					t.Errorf("%s is passed over because %q, want %q", p.Level, p.Why, tt.passed[p.Level])
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if _, err := resolver.New(resolver.Options{}); err == nil {
		t.Error("a resolver without a store must not be made")
	}
	c := all()
	c.User.Unusable = "its password cannot be read: open pw: no such file"
	s, err := resolve(t, c, byMax())
	if !errors.Is(err, resolver.ErrUnusable) || !errors.Is(err, failure.ErrSettings) || s.Account != c.User ||
		!strings.Contains(err.Error(), "user/acme/max") || !strings.Contains(err.Error(), "open pw") {
		t.Errorf("an unusable account keeps its mails: %v, %v", s.Account, err)
	}
	down := errors.New("store is down")
	r, err := resolver.New(resolver.Options{Store: storeFunc(func() error { return down })})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Resolve(t.Context(), byMax()); !errors.Is(err, down) || errors.Is(err, failure.ErrSettings) {
		t.Errorf("a store that is down is no wrong setting: %v", err)
	}
	_, err = resolve(t, resolver.Candidates{}, byMax())
	const want = "no account can send this mail; user: the user has none; tenant: the tenant has none; platform: none is set up; " +
		"set up the platform's account, which serves all who have none"
	if err == nil || err.Error() != want {
		t.Errorf("error is %v", err)
	}
}

type storeFunc func() error

func (f storeFunc) Accounts(context.Context, string, string) (resolver.Candidates, error) {
	return resolver.Candidates{}, f()
}
