package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/semaphore"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Policy is what the platform demands before a tenant's settings carry mail.
// The platform's own account needs nothing.
type Policy struct {
	Unlock  bool // an operator unlocks own servers, tenant by tenant
	Check   bool // a test mail went out
	Approve bool // an operator approves the settings
	// Accept wants a tenant's administrator to accept that the tenant answers for its
	// own servers, before settings are entered.
	Accept bool
}

// Options of a Store. Redis is required.
type Options struct {
	Redis redis.UniversalClient
	// Recipients are the public keys (age1…) for which secrets are sealed. Empty:
	// those of Identities. With neither no secret can be stored.
	Recipients []string
	// Identities are the keys that open secrets, one a line. Empty: accounts with
	// a secret cannot be used by this process, only edited.
	Identities resolver.Secret
	// RequireBound refuses secrets that are sealed for no server in particular, as
	// older versions did: see Reseal.
	RequireBound bool
	Policy       Policy
	// TTL is after how long a record is read again although nobody has announced
	// a change. 0: 5 min.
	TTL time.Duration
	// MaxEntries bounds the records in memory. 0: 200,000.
	MaxEntries int
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Store keeps accounts in Redis. Its methods may be called from any goroutine.
type Store struct {
	redis      redis.UniversalClient
	box        *seal.Box
	policy     Policy
	ttl        time.Duration
	maxEntries int
	now        func() time.Time

	mu      sync.RWMutex
	slots   map[resolver.Place]*slot
	users   map[string]map[string]struct{} // ids of users with a slot, by tenant
	loads   map[resolver.Place]*load       // on their way from Redis
	renewal *semaphore.Weighted            // of reading again in the background
	loops   sync.WaitGroup
}

var _ resolver.Store = (*Store)(nil)

// New checks the options. It does no I/O.
func New(o Options) (*Store, error) {
	box, err := seal.New(seal.Options{Recipients: o.Recipients, Identities: o.Identities, RequireBound: o.RequireBound})
	if o.Redis == nil {
		err = errors.Join(err, errors.New("redis is required"))
	}
	if o.TTL < 0 || o.MaxEntries < 0 {
		err = errors.Join(err, errors.New("TTL and MaxEntries must not be negative"))
	}
	if err != nil {
		return nil, fmt.Errorf("account store: %w", err)
	}
	const renewals = 4 // at a time
	s := &Store{
		redis: o.Redis, box: box, policy: o.Policy,
		ttl: cmp.Or(o.TTL, 5*time.Minute), maxEntries: cmp.Or(o.MaxEntries, 200_000), now: o.Now,
		slots: map[resolver.Place]*slot{}, users: map[string]map[string]struct{}{}, loads: map[resolver.Place]*load{},
		renewal: semaphore.NewWeighted(renewals),
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Accounts implements resolver.Store. It asks Redis only for what is not in
// memory.
func (s *Store) Accounts(ctx context.Context, tenant, user string) (resolver.Candidates, error) {
	if tenant == "" {
		user = ""
	}
	var c resolver.Candidates
	platform, err := s.slot(ctx, resolver.Place{})
	if err != nil {
		return c, err
	}
	if r := platform.record; r != nil {
		c.Platform, c.PlatformAdmin = r.Account, r.Entry.AdminAddress
	}
	if tenant == "" {
		return c, nil
	}
	own, err := s.slot(ctx, resolver.Place{Tenant: tenant})
	if err != nil {
		return c, err
	}
	if r := own.record; r != nil {
		c.Tenant, c.TenantAdmin = r.Account, r.Entry.AdminAddress
		if r.Entry.Order != nil {
			c.Order = *r.Entry.Order
		}
		c.Branding = r.look
	}
	if user == "" {
		return c, nil
	}
	person, err := s.slot(ctx, resolver.Place{Tenant: tenant, User: user})
	if err != nil {
		return c, err
	}
	if r := person.record; r != nil {
		c.User = r.Account
		c.Person = rohrpost.User{ID: user, FirstName: r.Entry.FirstName, LastName: r.Entry.LastName}
		if r.Account != nil {
			c.Person.Address = r.Account.Address
		}
	}
	return c, nil
}

// Policy is what the platform demands.
func (s *Store) Policy() Policy { return s.policy }

// CanStore reports whether secrets can be stored; the error says what is missing.
func (s *Store) CanStore() error {
	if !s.box.CanSeal() {
		return seal.ErrNoRecipient
	}
	return nil
}

// Entries is how many records are in memory, unknown ones included.
func (s *Store) Entries() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.slots)
}
