package redisstore

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/resolver"
)

// All goes through every record: the platform's, then tenant by tenant its own
// and its users'. What changes meanwhile may be there or not. It ends at the
// first error.
func (s *Store) All(ctx context.Context) iter.Seq2[*Record, error] {
	return s.opened(s.everywhere(ctx))
}

// Of goes through the records of one tenant.
func (s *Store) Of(ctx context.Context, tenant string) iter.Seq2[*Record, error] {
	return s.opened(func(yield func(found, error) bool) { s.owned(ctx, tenant, yield) })
}

// A found record is one as it is stored, its secrets sealed.
type found struct {
	place        resolver.Place
	st, ofTenant *stored // ofTenant: nil if the tenant has none
}

func (s *Store) opened(all iter.Seq2[found, error]) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for f, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(s.record(f.place, f.st, f.ofTenant), nil) {
				return
			}
		}
	}
}

// everywhere is the order of All.
func (s *Store) everywhere(ctx context.Context) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		if !s.owned(ctx, "", yield) {
			return
		}
		tenants, err := s.redis.SMembers(ctx, tenantsKey).Result()
		if err != nil {
			yield(found{}, err)
			return
		}
		slices.Sort(tenants)
		for _, tenant := range tenants {
			if !s.owned(ctx, tenant, yield) {
				return
			}
		}
	}
}

func (s *Store) owned(ctx context.Context, tenant string, yield func(found, error) bool) bool {
	own := resolver.Place{Tenant: tenant}
	values, err := s.redis.HGetAll(ctx, recordsKey(own)).Result()
	if err != nil {
		yield(found{}, err)
		return false
	}
	owner, err := one(own, anyOf(values, field(own)), values[versionField(own)])
	if err != nil {
		yield(found{}, err)
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if strings.HasPrefix(name, "#") {
			continue
		}
		p := own
		p.User = strings.TrimPrefix(strings.TrimPrefix(name, field(own)), "user/")
		st, err := decode(p, values[name], values[versionField(p)])
		if err != nil {
			yield(found{}, err)
			return false
		}
		if !yield(found{p, st, owner}, nil) {
			return false
		}
	}
	return true
}

func anyOf(values map[string]string, key string) any {
	if v, ok := values[key]; ok {
		return v
	}
	return nil
}

// Import stores every entry of an accounts file, secrets and all, in place of
// what is stored there. It answers how many. Each of seen is told so meanwhile.
func (s *Store) Import(ctx context.Context, who Actor, f *resolver.File, seen ...func(entries int)) (int, error) {
	if err := who.may(unlock, resolver.Place{}); err != nil {
		return 0, err
	}
	n := 0
	for owner, entry := range f.Entries() {
		p := resolver.Place{Tenant: owner.Tenant, User: owner.User}
		st, _, err := s.fetch(ctx, p)
		if err != nil {
			return n, err
		}
		version := int64(0)
		if st != nil {
			version = st.version
		}
		if _, err := s.Put(ctx, who, p, version, entry); err != nil {
			return n, fmt.Errorf("%s: %w", p, err)
		}
		n++
		for _, tell := range seen {
			tell(n)
		}
	}
	return n, nil
}
