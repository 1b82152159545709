package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/resolver"
)

// A slot is one record in memory; a nil record is known not to be there.
type slot struct {
	record *Record
	read   time.Time
}

// A load is a record on its way from Redis.
type load struct {
	done  chan struct{}
	stale bool // it changed meanwhile: whoever waits gets it, nobody keeps it
	slot  *slot
	err   error
}

// slot is the record of a place, from memory if it is there.
func (s *Store) slot(ctx context.Context, p resolver.Place) (*slot, error) {
	s.mu.RLock()
	found := s.slots[p]
	s.mu.RUnlock()
	if found != nil {
		if s.now().Sub(found.read) >= s.ttl {
			s.renew(p)
		}
		return found, nil
	}
	l, first := s.begin(p)
	if first {
		s.finish(context.WithoutCancel(ctx), p, l)
	}
	select {
	case <-l.done:
		return l.slot, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew reads a record again in the background; the old one serves meanwhile.
func (s *Store) renew(p resolver.Place) {
	if !s.renewal.TryAcquire(1) {
		return
	}
	l, first := s.begin(p)
	if !first {
		s.renewal.Release(1)
		return
	}
	s.loops.Go(func() {
		defer s.renewal.Release(1)
		s.finish(context.Background(), p, l)
	})
}

// begin joins a load that is under way, or registers the first.
func (s *Store) begin(p resolver.Place) (l *load, first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.loads[p]; l != nil {
		return l, false
	}
	l = &load{done: make(chan struct{})}
	s.loads[p] = l
	return l, true
}

// finish reads the record and keeps it, unless it has changed meanwhile.
func (s *Store) finish(ctx context.Context, p resolver.Place, l *load) {
	r, err := s.read(ctx, p)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.loads, p)
	l.slot, l.err = &slot{record: r, read: s.now()}, err
	if err == nil && !l.stale {
		s.keepLocked(p, l.slot)
	}
	close(l.done)
}

// keepLocked puts a slot into memory.
func (s *Store) keepLocked(p resolver.Place, found *slot) {
	for other := range s.slots {
		if len(s.slots) < s.maxEntries || s.slots[p] != nil {
			break
		}
		s.dropLocked(other)
	}
	s.slots[p] = found
	if p.User != "" {
		if s.users[p.Tenant] == nil {
			s.users[p.Tenant] = map[string]struct{}{}
		}
		s.users[p.Tenant][p.User] = struct{}{}
	}
}

// dropLocked takes one slot out of memory.
func (s *Store) dropLocked(p resolver.Place) {
	delete(s.slots, p)
	if users := s.users[p.Tenant]; p.User != "" && users != nil {
		if delete(users, p.User); len(users) == 0 {
			delete(s.users, p.Tenant)
		}
	}
}

// forget drops what a change at p makes wrong: with a tenant its users too, as
// their state depends on it.
func (s *Store) forget(p resolver.Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropLocked(p)
	for q, l := range s.loads {
		if q == p || p.User == "" && q.Tenant == p.Tenant {
			l.stale = true
		}
	}
	if p.User != "" || p.Tenant == "" {
		return
	}
	for user := range s.users[p.Tenant] {
		s.dropLocked(resolver.Place{Tenant: p.Tenant, User: user})
	}
}

// forgetAll is for when changes may have been missed.
func (s *Store) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.slots)
	clear(s.users)
	for _, l := range s.loads {
		l.stale = true
	}
}

// read asks Redis for a record, and for its tenant's; nil if there is none.
func (s *Store) read(ctx context.Context, p resolver.Place) (*Record, error) {
	st, tenant, err := s.fetch(ctx, p)
	if err != nil || st == nil {
		return nil, err
	}
	return s.record(p, st, tenant), nil
}

// fetch reads the record of a place and of its tenant; nil is none.
func (s *Store) fetch(ctx context.Context, p resolver.Place) (st, tenant *stored, err error) {
	owner := resolver.Place{Tenant: p.Tenant}
	values, err := s.redis.HMGet(ctx, recordsKey(p), field(p), versionField(p), field(owner), versionField(owner)).Result()
	if err != nil {
		return nil, nil, err
	}
	if st, err = one(p, values[0], values[1]); err != nil {
		return nil, nil, err
	}
	tenant, err = one(owner, values[2], values[3])
	return st, tenant, err
}

func one(p resolver.Place, value, version any) (*stored, error) {
	text, ok := value.(string)
	if !ok {
		return nil, nil
	}
	number, _ := version.(string)
	return decode(p, text, number)
}

// Run keeps memory and Redis the same until ctx ends: without it a change is
// seen only after the TTL. After a lost connection everything is read again.
func (s *Store) Run(ctx context.Context) {
	defer s.loops.Wait()
	sub := s.redis.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	events := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				return
			}
			switch e := event.(type) {
			case *redis.Subscription:
				s.forgetAll()
			case *redis.Message:
				s.forget(parsePlace(e.Payload))
			}
		}
	}
}
