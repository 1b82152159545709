package producer

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/internal/ledger"
)

// ForTenant is a client that sends for one tenant and knows of no other's mails. Send
// and SendBatch fill in an empty Message.Tenant, and refuse another tenant's message
// with an error of the field "tenant". To Status, Cancel, Retry and Reschedule, another
// tenant's id is one that nobody has used: ErrNotFound. RetryAll picks among the
// tenant's mails. The empty tenant is the platform, which has its own mails alone.
//
// It shares the connection, which only the client that Open made closes.
func (c *Client) ForTenant(tenant string) *Client {
	bound := *c
	bound.rules, bound.owned = c.rules.For(tenant), nil
	return &bound
}

// An AmbiguousError names the tenants that have a job of the same id; "" is the
// platform. It is ErrAmbiguous.
type AmbiguousError struct{ Tenants []string }

// Error names the first ten.
func (e *AmbiguousError) Error() string {
	const most = 10
	var names []string
	for _, tenant := range e.Tenants[:min(most, len(e.Tenants))] {
		names = append(names, cmp.Or(tenant, "the platform"))
	}
	if len(e.Tenants) > most {
		names = append(names, "…")
	}
	return ErrAmbiguous.Error() + " (" + strings.Join(names, ", ") + "): name the tenant"
}

// Is makes it an ErrAmbiguous.
func (*AmbiguousError) Is(target error) bool { return target == ErrAmbiguous }

// locate reads the record of the one job that an id stands for.
func (c *Client) locate(ctx context.Context, id string) (*ledger.Record, error) {
	if c.rules.Bound() {
		return c.ledger.Find(ctx, c.rules.Tenant(), id)
	}
	records, err := c.ledger.FindAll(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case len(records) == 0:
		return nil, ledger.ErrUnknown
	case len(records) == 1:
		return records[0], nil
	}
	tenants := make([]string, len(records))
	for i, r := range records {
		tenants[i] = r.Tenant
	}
	slices.Sort(tenants)
	return nil, &AmbiguousError{Tenants: tenants}
}
