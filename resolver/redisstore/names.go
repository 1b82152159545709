package redisstore

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/resolver"
)

// Tenants are the ids of tenants of which something is or was stored, in the order of
// their bytes: at most n that begin with prefix and come after the id after, which is
// empty for the first ones.
func (s *Store) Tenants(ctx context.Context, prefix, after string, n int) ([]string, error) {
	return s.names(ctx, namesKey, prefix, after, n)
}

// Users are the ids of a tenant's users of whom something is stored, as Tenants.
func (s *Store) Users(ctx context.Context, tenant, prefix, after string, n int) ([]string, error) {
	return s.names(ctx, usersKey(resolver.Place{Tenant: tenant}), prefix, after, n)
}

func (s *Store) names(ctx context.Context, key, prefix, after string, n int) ([]string, error) {
	by := redis.ZRangeBy{Min: "[" + prefix, Max: "(" + prefix + "\xff", Count: int64(n)} // no UTF-8 has this byte
	if after >= prefix && after != "" {
		by.Min = "(" + after
	}
	return s.redis.ZRangeByLex(ctx, key, &by).Result()
}

// GetAll reads the records of several places from Redis; nil stands for one that is not
// there.
func (s *Store) GetAll(ctx context.Context, places []resolver.Place) ([]*Record, error) {
	founds, err := s.fetchAll(ctx, places)
	if err != nil {
		return nil, err
	}
	records := make([]*Record, len(founds))
	for i, f := range founds {
		if f.st != nil {
			records[i] = s.record(f.place, f.st, f.ofTenant)
		}
	}
	return records, nil
}

// fetchAll is fetch for several places, in one round trip.
func (s *Store) fetchAll(ctx context.Context, places []resolver.Place) ([]found, error) {
	if len(places) == 0 {
		return nil, nil
	}
	pipe := s.redis.Pipeline()
	reads := make([]*redis.SliceCmd, len(places))
	for i, p := range places {
		owner := resolver.Place{Tenant: p.Tenant}
		reads[i] = pipe.HMGet(ctx, recordsKey(p), field(p), versionField(p), field(owner), versionField(owner))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	founds := make([]found, len(places))
	for i, p := range places {
		values := reads[i].Val()
		st, err := one(p, values[0], values[1])
		if err != nil {
			return nil, err
		}
		tenant, err := one(resolver.Place{Tenant: p.Tenant}, values[2], values[3])
		if err != nil {
			return nil, err
		}
		founds[i] = found{p, st, tenant}
	}
	return founds, nil
}
