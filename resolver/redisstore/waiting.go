package redisstore

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/resolver"
)

// A Decision is what an operator has to decide.
type Decision string

// The decisions.
const (
	DecideUnlock  Decision = "unlock"  // a tenant asks for own servers
	DecideApprove Decision = "approve" // settings are checked, and carry no mail yet
)

// waits is what an operator has to decide at a place; empty: nothing.
func (p Policy) waits(place resolver.Place, st, tenant *stored) Decision {
	switch {
	case place.Level() == resolver.Tenant && p.Unlock && !st.Unlocked && st.Requested != nil:
		return DecideUnlock
	case st.Entry.Account != nil && st.Refused == nil && p.state(place, st, tenant) == resolver.Checked:
		return DecideApprove
	}
	return ""
}

// mayWait reports whether a record belongs into the list of what waits: also if only the
// tenant's lock, which is another record, keeps it from waiting now.
func (p Policy) mayWait(place resolver.Place, st *stored) bool {
	open := *st
	open.Unlocked = true
	return p.waits(place, st, st) != "" || p.waits(place, &open, &open) != ""
}

// A Waiting place needs an operator's decision.
type Waiting struct {
	*Record
	Since time.Time
}

// staleAfter is after how long a listed place that waits for nothing is taken off the
// list. Somebody may be about to write what it was listed for.
const staleAfter = time.Minute

// unlistScript takes a place off the list, if it was not listed anew.
// KEYS[1] the list   ARGV[1] place   ARGV[2] its score
var unlistScript = redis.NewScript(`
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0`)

// Waiting is what waits for operators, over all tenants, what has waited longest first:
// at most n places after the first skip. more says that there are others.
func (s *Store) Waiting(ctx context.Context, who Actor, skip, n int) (list []Waiting, more bool, err error) {
	if err := who.may(approve, resolver.Place{}); err != nil {
		return nil, false, err
	}
	listed, err := s.redis.ZRangeWithScores(ctx, waitingKey, int64(skip), int64(skip+n)).Result()
	if err != nil {
		return nil, false, err
	}
	if more = len(listed) > n; more {
		listed = listed[:n]
	}
	places := make([]resolver.Place, len(listed))
	for i, z := range listed {
		member, _ := z.Member.(string)
		places[i] = parsePlace(member)
	}
	founds, err := s.fetchAll(ctx, places)
	if err != nil {
		return nil, false, err
	}
	for i, f := range founds {
		since := time.UnixMilli(int64(listed[i].Score)).UTC()
		switch {
		case f.st != nil && s.policy.waits(f.place, f.st, cmp.Or(f.ofTenant, f.st)) != "":
			list = append(list, Waiting{Record: s.record(f.place, f.st, f.ofTenant), Since: since})
		case f.st != nil && s.policy.mayWait(f.place, f.st), s.now().Sub(since) < staleAfter:
		default:
			score := strconv.FormatFloat(listed[i].Score, 'f', -1, 64)
			if err := unlistScript.Run(ctx, s.redis, []string{waitingKey}, listed[i].Member, score).Err(); err != nil {
				return nil, false, err
			}
		}
	}
	return list, more, nil
}

// enlist puts a place on the lists, before its record is written: no record is ever out
// of their sight.
func (s *Store) enlist(ctx context.Context, p resolver.Place, waits bool, since time.Time) error {
	pipe := s.redis.Pipeline()
	if p.Tenant != "" {
		pipe.SAdd(ctx, tenantsKey, p.Tenant)
		pipe.ZAdd(ctx, namesKey, redis.Z{Member: p.Tenant})
	}
	if waits {
		pipe.ZAdd(ctx, waitingKey, redis.Z{Score: float64(since.UnixMilli()), Member: formatPlace(p)})
	}
	if pipe.Len() == 0 {
		return nil
	}
	_, err := pipe.Exec(ctx)
	return err
}

// Reindex puts every record on the lists that it belongs to, as an older version did
// not, or another policy would not have. It answers which secrets are unbound, as
// Unbound. It can be repeated and interrupted.
func (s *Store) Reindex(ctx context.Context) ([]resolver.Place, error) {
	const portion = 1000
	var unbound []resolver.Place
	pipe := s.redis.Pipeline()
	flush := func() error {
		_, err := pipe.Exec(ctx)
		return err
	}
	for f, err := range s.everywhere(ctx) {
		if err != nil {
			return nil, err
		}
		switch f.place.Level() {
		case resolver.User:
			pipe.ZAdd(ctx, usersKey(f.place), redis.Z{Member: f.place.User})
		case resolver.Tenant:
			pipe.ZAdd(ctx, namesKey, redis.Z{Member: f.place.Tenant})
		case resolver.Platform:
		}
		if s.policy.mayWait(f.place, f.st) {
			pipe.ZAddNX(ctx, waitingKey, redis.Z{Score: float64(f.st.Changed.UnixMilli()), Member: formatPlace(f.place)})
		}
		if f.st.anyUnbound() {
			unbound = append(unbound, f.place)
		}
		if pipe.Len() >= portion {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	if pipe.Len() == 0 {
		return unbound, nil
	}
	return unbound, flush()
}
