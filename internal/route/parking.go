package route

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// parking is what is known of one account over all processes, for the transport that
// opens its connections. It implements transport.Guard.
type parking struct {
	breaker *breaker.Breaker
	leases  *lease.Leases
	account *resolver.Account
	log     zerolog.Logger
}

func (r *Route) parking(a *resolver.Account) parking {
	return parking{breaker: r.options.Breaker, leases: r.options.Leases, account: a, log: r.options.Logger}
}

// Take implements transport.Guard. Mails that were admitted just before another's
// login was refused do not log in after it.
func (p parking) Take(ctx context.Context, limit int) (transport.Lease, error) {
	if f := p.refused(); f != nil {
		return nil, f
	}
	taken, err := p.leases.Take(ctx, p.account.ID(), p.account.Fingerprint(), limit)
	switch {
	case errors.Is(err, lease.ErrFull):
		return nil, transport.ErrBusy
	case err != nil:
		return nil, err
	case taken.First():
		// Another worker may have tried before: what it found stands in Redis, but
		// perhaps not here yet.
		if err := p.breaker.Refresh(ctx, p.account.ID()); err != nil {
			p.log.Warn().Err(err).Str("account", p.account.ID()).Msg("whether the login was refused elsewhere is not known; it is tried")
		}
		if f := p.refused(); f != nil {
			taken.Release()
			return nil, f
		}
	}
	return &entrance{parking: p, lease: taken}, nil
}

func (p parking) refused() *failure.Failure {
	if n := p.breaker.Parked(p.account.ID(), p.account.Fingerprint); n != nil {
		return n.Failure()
	}
	return nil
}

// An entrance is a lease and where its refusal goes to. It implements transport.Lease.
type entrance struct {
	parking
	lease *lease.Lease
}

// Opened implements transport.Lease.
func (e *entrance) Opened(ctx context.Context, f *failure.Failure) {
	var err error
	switch {
	case f == nil:
		err = e.lease.Proven(ctx)
	case f.NeedsPerson():
		e.lease.Refused()
		err = e.breaker.Park(ctx, e.account.ID(), e.account.Fingerprint(), f)
	}
	if err != nil {
		e.log.Warn().Err(err).Str("account", e.account.ID()).Msg("how the login went is not known to other workers yet")
	}
}

// Release implements transport.Lease.
func (e *entrance) Release() { e.lease.Release() }
