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
	return func(yield func(*Record, error) bool) {
		if !s.owned(ctx, "", yield) {
			return
		}
		tenants, err := s.redis.SMembers(ctx, tenantsKey).Result()
		if err != nil {
			yield(nil, err)
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

// Of goes through the records of one tenant.
func (s *Store) Of(ctx context.Context, tenant string) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) { s.owned(ctx, tenant, yield) }
}

func (s *Store) owned(ctx context.Context, tenant string, yield func(*Record, error) bool) bool {
	own := resolver.Place{Tenant: tenant}
	values, err := s.redis.HGetAll(ctx, recordsKey(own)).Result()
	if err != nil {
		yield(nil, err)
		return false
	}
	owner, err := one(own, anyOf(values, field(own)), values[versionField(own)])
	if err != nil {
		yield(nil, err)
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
			yield(nil, err)
			return false
		}
		if !yield(s.record(p, st, owner), nil) {
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

// Resealed counts secrets.
type Resealed struct {
	Secrets int `json:"secrets"` // that are stored
	Done    int `json:"done"`    // that were sealed anew
}

// Reseal seals every secret that was sealed for other keys than today's anew. It
// can be repeated and interrupted; workers go on meanwhile, as long as they hold
// the old identity beside the new one.
func (s *Store) Reseal(ctx context.Context, who Actor) (Resealed, error) {
	var n Resealed
	if err := who.may(unlock, resolver.Place{}); err != nil {
		return n, err
	}
	for r, err := range s.All(ctx) {
		if err != nil {
			return n, err
		}
		n.Secrets += len(r.Secrets)
		if len(r.Secrets) == 0 {
			continue
		}
		done := 0
		err := s.mark(ctx, who, "reseal", r.Place, func(st *stored) error {
			done, err = s.reseal(st)
			return err
		})
		if err != nil {
			return n, fmt.Errorf("%s: %w", r.Place, err)
		}
		n.Done += done
	}
	return n, nil
}

func (s *Store) reseal(st *stored) (done int, err error) {
	for key, sealed := range st.Secrets {
		if s.box.Current(sealed) {
			continue
		}
		value, err := s.box.Open(sealed)
		if err != nil {
			return done, fmt.Errorf("%s: %w", key, err)
		}
		if st.Secrets[key], err = s.box.Seal(value); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

// Import stores every entry of an accounts file, secrets and all, in place of
// what is stored there. It answers how many.
func (s *Store) Import(ctx context.Context, who Actor, f *resolver.File) (int, error) {
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
	}
	return n, nil
}
