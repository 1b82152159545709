package trial

import (
	"errors"
	"testing"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestRelease has a worker release an account, and brings back why it does not.
func TestRelease(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.serve(nil)
	s.ping()
	who := redisstore.Actor{Name: "web:anna", Role: redisstore.Admin, Tenant: "acme"}
	if err := s.client.ReleaseBy(t.Context(), who, resolver.Place{Tenant: "acme", User: "max"}); err != nil {
		t.Error(err)
	}
	if err := s.client.ReleaseBy(t.Context(), who, resolver.Place{Tenant: "globex"}); !errors.Is(err, redisstore.ErrForbidden) {
		t.Errorf("another tenant's: %v", err)
	}
}
