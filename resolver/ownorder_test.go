package resolver_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestOwnOrder is a tenant's own order: who sends, and that the reason is true.
// there has the levels with an account, by their first letters.
func TestOwnOrder(t *testing.T) {
	t.Parallel()
	levels := func(letters string) (out []resolver.Level) {
		for i := range len(letters) {
			out = append(out, resolver.Level(levelOf(letters[i])))
		}
		return out
	}
	for _, tt := range []struct {
		name, manual, automatic, there string
		origin                         rohrpost.Origin
		category                       rohrpost.Category
		want                           resolver.Level // empty: nobody
		why                            string         // without From
	}{
		{"tenant first for people", "TUP", "", "UTP", rohrpost.Manual, "", resolver.Tenant, "The tenant's own order has the tenant's account first"},
		{"second for people", "TUP", "", "UP", rohrpost.Manual, "", resolver.User, "A person sends and the tenant has no account in use, so the user's serves"},
		{"last for people", "TUP", "", "P", rohrpost.Manual, "", resolver.Platform, "A person sends and neither tenant nor user has an account in use, so the platform's serves"},
		{"people's does not hold for programs", "TUP", "", "UTP", rohrpost.Automatic, "", resolver.Tenant, "A program sends, and for that the tenant's account goes first"},
		{"user first for programs", "", "UTP", "UTP", rohrpost.Automatic, "", resolver.User, "The tenant's own order has the user's account first"},
		{"second for programs", "", "UTP", "TP", rohrpost.Automatic, "", resolver.Tenant, "A program sends and the user has no account in use, so the tenant's serves"},
		{"no origin is a program", "", "UTP", "TP", "", "", resolver.Tenant, "A program sends and the user has no account in use, so the tenant's serves"},
		{"programs' does not hold for people", "", "TUP", "UTP", rohrpost.Manual, "", resolver.User, "A person sends, and has an own account"},
		{"platform first", "PUT", "", "UTP", rohrpost.Manual, "", resolver.Platform, "The tenant's own order has the platform's account first"},
		{"after the platform", "PTU", "", "UT", rohrpost.Manual, "", resolver.Tenant, "A person sends and the platform has no account in use, so the tenant's serves"},
		{"after all others", "PTU", "", "U", rohrpost.Manual, "", resolver.User, "A person sends and neither platform nor tenant has an account in use, so the user's serves"},
		{"user left out", "TP", "", "UP", rohrpost.Manual, "", resolver.Platform, "A person sends and the tenant has no account in use, so the platform's serves"},
		{"user alone", "U", "", "UTP", rohrpost.Manual, "", resolver.User, "A person sends, and has an own account"},
		{"user alone, none", "U", "", "TP", rohrpost.Manual, "", "", ""},
		{"platform alone", "", "P", "UTP", rohrpost.Automatic, "", resolver.Platform, "The tenant's own order has the platform's account first"},
		{"S4 marketing is not the tenant's to order", "UT", "TU", "UTP", rohrpost.Manual, rohrpost.Marketing, resolver.Platform, "Marketing mail always leaves through the platform's account"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := all()
			c.Order = resolver.Order{Manual: levels(tt.manual), Automatic: levels(tt.automatic)}
			if !strings.Contains(tt.there, "U") {
				c.User = nil
			}
			if !strings.Contains(tt.there, "T") {
				c.Tenant = nil
			}
			if !strings.Contains(tt.there, "P") {
				c.Platform = nil
			}
			req := byMax()
			req.Origin, req.Category = tt.origin, tt.category
			s, err := resolve(t, c, req)
			if tt.want == "" {
				if !errors.Is(err, resolver.ErrNoAccount) {
					t.Errorf("account is %v, %v", s.Account, err)
				}
			} else if err != nil || s.Account.Level != tt.want {
				t.Fatalf("account is %v, %v", s.Account, err)
			}
			if why, _, _ := strings.Cut(s.Why, ";"); why != tt.why {
				t.Errorf("why is %q, want %q", why, tt.why)
			}
			// I5: who is left out is named too.
			named := []resolver.Level{tt.want}
			for _, p := range s.PassedOver {
				named = append(named, p.Level)
				own := map[rohrpost.Origin]string{rohrpost.Manual: tt.manual}[tt.origin] + map[rohrpost.Origin]string{rohrpost.Automatic: tt.automatic, "": tt.automatic}[tt.origin]
				left := own != "" && tt.category == "" && !slices.Contains(levels(own), p.Level)
				if left != (p.Why == "the tenant's own order leaves it out") {
					t.Errorf("%s is passed over because %s", p.Level, p.Why)
				}
			}
			for _, level := range levels("PTU") {
				if !slices.Contains(named, level) {
					t.Errorf("nothing is said of the %s", level)
				}
			}
		})
	}
}

// TestOrderInFile: an order stands at the tenant and is checked there.
func TestOrderInFile(t *testing.T) {
	t.Parallel()
	f := load(t, "tenants: {acme: {order: {manual: [tenant, platform], automatic: [user]}}}")
	want := resolver.Order{Manual: []resolver.Level{resolver.Tenant, resolver.Platform}, Automatic: []resolver.Level{resolver.User}}
	if diff := cmp.Diff(want, candidates(t, f, "acme", "max").Order); diff != "" {
		t.Error(diff)
	}
	if got := candidates(t, f, "other", "max").Order; got.Manual != nil || got.Automatic != nil {
		t.Errorf("the order of another tenant is %v", got)
	}
	for _, tt := range []struct{ name, order, want string }{
		{"unknown level", "{manual: [user, admin]}", `order.manual: "admin" is not one of user, tenant, platform`},
		{"empty level", "{automatic: [platform, '']}", `order.automatic: "" is not one of user, tenant, platform`},
		{"twice", "{automatic: [platform, user, platform]}", "order.automatic: names platform twice"},
		{"no list", "{manual: user}", "order.manual: must be a list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := resolver.ParseEntry("f.yaml", []byte("order: "+tt.order), resolver.Tenant)
			if err == nil || err.Error() != "f.yaml:1: "+tt.want {
				t.Errorf("error is %v", err)
			}
		})
	}
}
