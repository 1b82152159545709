package accounts

import (
	"context"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Admit says whether somebody may try a place now, and counts it: ask once for each
// try, before anything else of it is read. The error is redisstore.ErrForbidden,
// redisstore.ErrLocked, *doctor.TooOften, or wraps doctor.ErrUncounted.
func (d *Desk) Admit(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	if err := redisstore.MayTry(who, p); err != nil {
		return err
	}
	if err := d.Limiter.Allow(ctx, resolver.Place{Tenant: p.Tenant}.String()); err != nil {
		return err
	}
	return d.mayTry(ctx, who, p)
}

// mayTry is Admit without counting. In a file nothing is locked.
func (d *Desk) mayTry(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	if d.Book == nil {
		return redisstore.MayTry(who, p)
	}
	return d.Book.MayTry(ctx, who, p)
}
