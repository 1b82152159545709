package accounts

import (
	"context"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Admit says whether somebody may try a place now, and counts it: ask once for each
// try, before anything else of it is read. The error is redisstore.ErrForbidden,
// redisstore.ErrLocked, *doctor.TooOften, or wraps doctor.ErrUncounted.
func (s *Service) Admit(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	if err := redisstore.MayTry(who, p); err != nil {
		return err
	}
	if err := s.limiter.Allow(ctx, resolver.Place{Tenant: p.Tenant}.String()); err != nil {
		return err
	}
	return s.mayTry(ctx, who, p)
}

// mayTry is Admit without counting. In a file nothing is locked.
func (s *Service) mayTry(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	if s.store == nil {
		return redisstore.MayTry(who, p)
	}
	return s.store.MayTry(ctx, who, p)
}
