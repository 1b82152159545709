package resolver_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	free := func(a *resolver.Account) *resolver.Account {
		a.ForceSender = false
		a.Aliases = []string{"sales@acme.example"}
		return a
	}
	named := func(a *resolver.Account, name string) *resolver.Account {
		a.Name = name
		return a
	}
	central := func(a *resolver.Account, name string) *resolver.Account {
		a.CentralSender = rohrpost.Address{Name: name, Address: "service@acme.example"}
		return a
	}
	asked := rohrpost.Address{Name: "Boss", Address: "boss@acme.example"}
	alias := rohrpost.Address{Name: "Sales", Address: "sales@ACME.example"}
	for _, tt := range []struct {
		name    string
		account *resolver.Account
		asked   rohrpost.Address
		want    rohrpost.Address
	}{
		{"nothing asked", tenant(), rohrpost.Address{}, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 forced", tenant(), asked, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 forced, alias asked", func() *resolver.Account { a := free(tenant()); a.ForceSender = true; return a }(), alias, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 forced, own address with another name", tenant(), rohrpost.Address{Name: "Boss", Address: "info@acme.example"}, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 not forced, foreign", free(tenant()), asked, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 not forced, alias", free(tenant()), alias, alias},
		{"T4 not forced, alias in another case of the local part", free(tenant()), rohrpost.Address{Address: "Sales@acme.example"}, rohrpost.Address{Name: "ACME", Address: "info@acme.example"}},
		{"T4 not forced, alias without a name", free(tenant()), rohrpost.Address{Address: "sales@acme.example"}, rohrpost.Address{Name: "ACME", Address: "sales@acme.example"}},
		{"T4 not forced, own address with another name", free(tenant()), rohrpost.Address{Name: "Boss", Address: "info@acme.example"}, rohrpost.Address{Name: "Boss", Address: "info@acme.example"}},
		{"I3 central sender", central(tenant(), "Service"), rohrpost.Address{}, rohrpost.Address{Name: "Service", Address: "service@acme.example"}},
		{"I3 central sender goes before what is asked", central(free(tenant()), "Service"), alias, rohrpost.Address{Name: "Service", Address: "service@acme.example"}},
		{"I3 central sender without a name", central(tenant(), ""), rohrpost.Address{}, rohrpost.Address{Name: "ACME", Address: "service@acme.example"}},
		{"I3 never on a user's account", central(user(), "Service"), rohrpost.Address{}, rohrpost.Address{Name: "Max M.", Address: "max@acme.example"}},
		{"F2 empty name", named(user(), ""), rohrpost.Address{}, rohrpost.Address{Name: "Max Muster", Address: "max@acme.example"}},
		{"F2 a name stays", user(), rohrpost.Address{}, rohrpost.Address{Name: "Max M.", Address: "max@acme.example"}},
		{"F2 tenant's account without a name", named(tenant(), ""), rohrpost.Address{}, rohrpost.Address{Name: "Max Muster", Address: "info@acme.example"}},
		{"F2 alias without any name", free(named(tenant(), "")), rohrpost.Address{Address: "sales@acme.example"}, rohrpost.Address{Name: "Max Muster", Address: "sales@acme.example"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := resolver.Candidates{}
			if tt.account.Level == resolver.User {
				c.User = tt.account
			} else {
				c.Tenant = tt.account
			}
			req := byMax()
			req.From = tt.asked
			s := mustResolve(t, c, req)
			if diff := cmp.Diff(tt.want, s.From); diff != "" {
				t.Error(diff)
			}
			if s.ReversePath != tt.account.Address {
				t.Errorf("reverse-path is %s", s.ReversePath)
			}
		})
	}
}

// TestTenantSettingsStayThere is I3: the central sender is the tenant's
// account's alone, also when all accounts are there.
func TestTenantSettingsStayThere(t *testing.T) {
	t.Parallel()
	c := all()
	c.Tenant.CentralSender = rohrpost.Address{Address: "service@acme.example"}
	if s := mustResolve(t, c, byMax()); s.From.Address != "max@acme.example" {
		t.Errorf("manual: From is %v", s.From)
	}
	req := byMax()
	req.Origin = rohrpost.Automatic
	if s := mustResolve(t, c, req); s.From.Address != "service@acme.example" || s.ReversePath != "info@acme.example" {
		t.Errorf("automatic: %v, %s", s.From, s.ReversePath)
	}
	req.Category = rohrpost.Marketing
	if s := mustResolve(t, c, req); s.From.Address != "noreply@platform.example" {
		t.Errorf("marketing: From is %v", s.From)
	}
}

// TestReplyTo is T5 and S6.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	person := rohrpost.Address{Name: "Max Muster", Address: "max.muster@acme.example"}
	tests := []struct {
		name  string
		level resolver.Level
		setup func(*resolver.Candidates, *resolver.Request)
		want  rohrpost.Address
	}{
		{"asked for", resolver.Tenant, func(c *resolver.Candidates, r *resolver.Request) {
			c.Tenant.ReplyToUser = true
			r.ReplyTo = []rohrpost.Address{{Address: "project@acme.example"}}
		}, rohrpost.Address{Address: "project@acme.example"}},
		{"T5 user's address", resolver.Tenant, func(c *resolver.Candidates, _ *resolver.Request) { c.Tenant.ReplyToUser = true }, person},
		{"T5 off", resolver.Tenant, func(*resolver.Candidates, *resolver.Request) {}, rohrpost.Address{Address: "it@acme.example"}},
		{"T5 no address known", resolver.Tenant, func(c *resolver.Candidates, r *resolver.Request) {
			c.Tenant.ReplyToUser = true
			r.User.Address = ""
		}, rohrpost.Address{Address: "it@acme.example"}},
		{"T5 address known to the store", resolver.Tenant, func(c *resolver.Candidates, r *resolver.Request) {
			c.Tenant.ReplyToUser = true
			c.Person = rohrpost.User{FirstName: "M", LastName: "X", Address: "m.x@acme.example"}
			r.User = rohrpost.User{ID: "max"}
		}, rohrpost.Address{Name: "M X", Address: "m.x@acme.example"}},
		{"own account", resolver.User, func(*resolver.Candidates, *resolver.Request) {}, person},
		{"own account, no address known", resolver.User, func(_ *resolver.Candidates, r *resolver.Request) {
			r.User.Address = ""
		}, rohrpost.Address{Name: "Max Muster", Address: "max@acme.example"}},
		{"S6 tenant without admin", resolver.Tenant, func(c *resolver.Candidates, _ *resolver.Request) { c.TenantAdmin = "" }, rohrpost.Address{Address: "info@acme.example"}},
		{"S6 platform sends for a tenant", resolver.Platform, func(*resolver.Candidates, *resolver.Request) {}, rohrpost.Address{Address: "it@acme.example"}},
		{"S6 platform sends for a tenant without admin", resolver.Platform, func(c *resolver.Candidates, _ *resolver.Request) { c.TenantAdmin = "" }, rohrpost.Address{Address: "admin@platform.example"}},
		{"S6 nobody at all", resolver.Platform, func(c *resolver.Candidates, _ *resolver.Request) { c.TenantAdmin, c.PlatformAdmin = "", "" }, rohrpost.Address{Address: "noreply@platform.example"}},
		{"T5 platform sends for a user", resolver.Platform, func(c *resolver.Candidates, _ *resolver.Request) { c.Platform.ReplyToUser = true }, person},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, req := all(), byMax()
			switch tt.level {
			case resolver.Tenant:
				c.User = nil
			case resolver.Platform:
				c.User, c.Tenant = nil, nil
			}
			tt.setup(&c, &req)
			s := mustResolve(t, c, req)
			if s.Account.Level != tt.level {
				t.Fatalf("level is %s", s.Account.Level)
			}
			if diff := cmp.Diff([]rohrpost.Address{tt.want}, s.ReplyTo); diff != "" {
				t.Error(diff)
			}
		})
	}
}
