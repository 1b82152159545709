package resolver_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
)

func FuzzParsePlace(f *testing.F) {
	for _, id := range []string{"platform", "tenant/acme", "user/acme/max", "tenant/a%2Fb%25", "user/%2F/%25", "", "tenant", "tenant/", "user/acme", "user//max", "tenant/a/b", "tenant/%2f", "server/x:1"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		p, err := resolver.ParsePlace(id)
		if err != nil {
			if p != (resolver.Place{}) {
				t.Errorf("%q: %+v beside an error", id, p)
			}
			return
		}
		if p.String() != id {
			t.Errorf("%q became %+v, which is %q", id, p, p)
		}
	})
}

func TestPlacesComeBack(t *testing.T) {
	t.Parallel()
	for _, p := range []resolver.Place{
		{}, {Tenant: "acme"}, {Tenant: "a/b%", User: "%2F/"}, {Tenant: "acme", User: "max"}, {Tenant: "%25"},
	} {
		got, err := resolver.ParsePlace(p.String())
		if err != nil || got != p {
			t.Errorf("%+v: %+v, %v", p, got, err)
		}
	}
}
