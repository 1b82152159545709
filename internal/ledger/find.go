package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/rohrpost/rohrpost/internal/payload"
)

// Find reads the record of a tenant's job, also one that an older version has opened;
// ErrUnknown if there is none. Another tenant's is none.
func (l *Ledger) Find(ctx context.Context, tenant, id string) (*Record, error) {
	keys := []payload.Key{payload.KeyOf(tenant, id)}
	if tenant != "" {
		keys = append(keys, payload.KeyOf("", id))
	}
	found, err := l.findAmong(ctx, keys, id)
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		if r.Tenant == tenant {
			return r, nil
		}
	}
	return nil, ErrUnknown
}

// FindAll reads the records that have an id, of whichever tenant: one of each. It
// costs a round trip, and one more for each thousand tenants or so.
func (l *Ledger) FindAll(ctx context.Context, id string) ([]*Record, error) {
	var all []*Record
	for cursor := uint64(0); ; {
		tenants, next, err := l.rdb.SScan(ctx, tenantsKey, cursor, "", 1000).Result()
		if err != nil {
			return nil, fmt.Errorf("ledger: tenants: %w", err)
		}
		var keys []payload.Key
		for _, tenant := range tenants {
			if tenant != "" {
				keys = append(keys, payload.KeyOf(tenant, id))
			}
		}
		if cursor = next; cursor == 0 {
			keys = append(keys, payload.KeyOf("", id)) // the platform's, or an older version's
			for _, tenant := range l.tenants.names() {
				keys = append(keys, payload.KeyOf(tenant, id)) // a Redis that lost its data does not know them
			}
		}
		found, err := l.findAmong(ctx, keys, id)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			if !slices.ContainsFunc(all, func(other *Record) bool { return other.Tenant == r.Tenant }) {
				all = append(all, r)
			}
		}
		if cursor == 0 {
			return all, nil
		}
	}
}

// findAmong is those of the keys that have a record. What is not an id, a key for
// example, has none.
func (l *Ledger) findAmong(ctx context.Context, keys []payload.Key, id string) ([]*Record, error) {
	if !payload.IsID(id) {
		return nil, nil
	}
	records, err := l.LoadAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(records, func(r *Record) bool { return r == nil }), nil
}
