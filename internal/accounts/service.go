package accounts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// ErrFile says that accounts cannot be edited because they stand in a file.
var ErrFile = errors.New("the accounts stand in a file: edit that, or keep them in Redis (accounts.store: redis)")

// ErrOwn says that an application keeps the accounts in a place of its own.
var ErrOwn = errors.New("the application keeps the accounts itself: edit them there")

// Options of a Service. One of File, Store and Own is set; the rest is required, but for
// what names a default.
type Options struct {
	Redis redis.UniversalClient
	File  *resolver.File    // accounts in a file
	Store *redisstore.Store // accounts in Redis
	Own   resolver.Store    // accounts of an application
	// All goes through the accounts of Own. Nil: their idle refresh tokens are not
	// renewed.
	All     func(context.Context) iter.Seq2[*resolver.Account, error]
	Route   *route.Route
	Breaker *breaker.Breaker
	Errors  ErrorLog
	Limiter *doctor.Limiter
	// Elsewhere says that other processes use the accounts, and hold what opens
	// their secrets.
	Elsewhere bool
	Senders   Senders          // nil: tenants are known by what is stored of them alone
	Now       func() time.Time // nil: time.Now
	Logger    zerolog.Logger   // zero: silent
}

// Senders knows the tenants that have sent mail, whatever is stored of them;
// *mailindex.Index does.
type Senders interface {
	// Tenants are at most n ids in order that begin with prefix and come after an id.
	Tenants(ctx context.Context, prefix, after string, n int) ([]string, error)
}

// A Service manages accounts. It is safe for concurrent use.
type Service struct {
	file      *resolver.File    // nil: the accounts stand elsewhere
	store     *redisstore.Store // nil: they stand elsewhere
	own       resolver.Store    // nil: they are no application's
	all       func(context.Context) iter.Seq2[*resolver.Account, error]
	route     *route.Route
	breaker   *breaker.Breaker
	errors    ErrorLog
	limiter   *doctor.Limiter
	elsewhere bool
	senders   Senders
	now       func() time.Time
	log       zerolog.Logger
	resolver  *resolver.Resolver
	backlog   *backlog.Store
	signIns   signIns
}

var _ resolver.Store = (*Service)(nil)

// New checks the options. It does no I/O.
func New(o Options) (*Service, error) {
	places := 0
	for _, set := range []bool{o.File != nil, o.Store != nil, o.Own != nil} {
		if set {
			places++
		}
	}
	if places != 1 || o.Redis == nil || o.Route == nil || o.Breaker == nil || o.Errors == nil || o.Limiter == nil {
		return nil, errors.New("accounts: one of file, store and an own store, Redis, route, breaker, error log and limiter are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Service{
		file: o.File, store: o.Store, own: o.Own, all: o.All, route: o.Route, breaker: o.Breaker, errors: o.Errors, limiter: o.Limiter,
		elsewhere: o.Elsewhere, senders: o.Senders, now: o.Now, log: o.Logger,
		backlog: backlog.New(o.Redis, nil), signIns: signIns{o.Redis},
	}
	seen := s.lookup()
	if s.elsewhere {
		seen = asWorkers{seen}
	}
	var err error
	s.resolver, err = resolver.New(resolver.Options{Store: seen})
	return s, err
}

// lookup is where accounts are looked up.
func (s *Service) lookup() resolver.Store {
	switch {
	case s.file != nil:
		return s.file
	case s.store != nil:
		return s.store
	}
	return s.own
}

// Accounts implements resolver.Store.
func (s *Service) Accounts(ctx context.Context, tenant, user string) (resolver.Candidates, error) {
	return s.lookup().Accounts(ctx, tenant, user)
}

// InFile reports whether the accounts stand in a file.
func (s *Service) InFile() bool { return s.file != nil }

// Store holds the accounts in Redis, for those who edit them. The error is ErrFile or
// ErrOwn if they stand elsewhere.
func (s *Service) Store() (*redisstore.Store, error) {
	switch {
	case s.file != nil:
		return nil, ErrFile
	case s.own != nil:
		return nil, ErrOwn
	}
	return s.store, nil
}

// parked is the state of an account whose settings were refused. Where secrets
// cannot be read, nobody can tell today's settings from those that were refused:
// workers do, and release the account when they differ.
func (s *Service) parked(a *resolver.Account) *breaker.State {
	if s.elsewhere {
		for _, n := range s.breaker.States() {
			if n.Kind == breaker.Parked && n.Subject == a.ID() {
				return n
			}
		}
		return nil
	}
	return s.breaker.Parked(a.ID(), a.Fingerprint)
}

// Find is the account that is stored at a place, and what belongs to it. The
// error is redisstore.ErrUnknown if there is none.
func (s *Service) Find(ctx context.Context, p resolver.Place) (*resolver.Account, resolver.Candidates, error) {
	c, err := s.Accounts(ctx, p.Tenant, p.User)
	if err != nil {
		return nil, c, err
	}
	a := candidate(&c, p.Level())
	if a == nil {
		return nil, c, fmt.Errorf("%s: %w", p, redisstore.ErrUnknown)
	}
	return a, c, nil
}

func candidate(c *resolver.Candidates, level resolver.Level) *resolver.Account {
	switch level {
	case resolver.Platform:
		return c.Platform
	case resolver.Tenant:
		return c.Tenant
	case resolver.User:
		return c.User
	}
	return nil
}

// Record is what is stored at a place, in the file or in Redis; of the file it is the
// entry alone. The error is redisstore.ErrUnknown if nothing is, and ErrOwn if an
// application keeps the accounts.
func (s *Service) Record(ctx context.Context, p resolver.Place) (*redisstore.Record, error) {
	switch {
	case s.store != nil:
		return s.store.Get(ctx, p)
	case s.own != nil:
		return nil, ErrOwn
	}
	for place, entry := range s.file.Entries() {
		if place == p {
			return &redisstore.Record{Place: p, Entry: *entry}, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", p, redisstore.ErrUnknown)
}

// Delete removes what is stored at a place, and the tokens that came of it.
// version is that of the record as it was seen.
func (s *Service) Delete(ctx context.Context, who redisstore.Actor, p resolver.Place, version int64) error {
	store, err := s.Store()
	if err != nil {
		return err
	}
	r, err := store.Get(ctx, p)
	if err != nil {
		return err
	}
	if err := store.Delete(ctx, who, p, version); err != nil || r.Account == nil {
		return err
	}
	if s.elsewhere {
		return nil // the workers see that it is gone; tokens that nobody uses end by themselves
	}
	return errors.Join(s.Release(ctx, p), s.route.Forget(ctx, r.Account))
}

// Release lets a parked account log in again, and the mails go that wait for it.
func (s *Service) Release(ctx context.Context, p resolver.Place) error {
	return s.breaker.Reset(ctx, p.String())
}

// ReleaseBy is Release for somebody, and stands in the history of an account in Redis.
// The error is that of Admit, or redisstore.ErrUnknown. Ask Admit before.
func (s *Service) ReleaseBy(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	if err := s.mayTry(ctx, who, p); err != nil {
		return err
	}
	if _, _, err := s.Find(ctx, p); err != nil {
		return err
	}
	if err := s.Release(ctx, p); err != nil || s.store == nil {
		return err
	}
	return s.store.Released(ctx, who, p)
}
