package route

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/resolver"
)

// parking is what the gate knows of one account, for the transport that opens its
// connections. It implements smtp.Guard.
type parking struct {
	gate    *gate.Gate
	leases  *gate.Leases
	account *resolver.Account
	log     zerolog.Logger
}

// Take implements smtp.Guard. Mails that passed the gate just before another's
// login was refused do not log in after it.
func (p parking) Take(ctx context.Context, limit int) (smtp.Lease, error) {
	if f := p.refused(); f != nil {
		return nil, f
	}
	lease, err := p.leases.Take(ctx, p.account.ID(), p.account.Fingerprint(), limit)
	switch {
	case errors.Is(err, gate.ErrFull):
		return nil, transport.ErrBusy
	case err != nil:
		return nil, err
	case lease.First():
		// Another worker may have tried before: what it found stands in Redis, but
		// perhaps not here yet.
		if err := p.gate.Load(ctx); err != nil {
			p.log.Warn().Err(err).Str("account", p.account.ID()).Msg("whether the login was refused elsewhere is not known; it is tried")
		}
		if f := p.refused(); f != nil {
			lease.Release()
			return nil, f
		}
	}
	return &entrance{parking: p, lease: lease}, nil
}

func (p parking) refused() *failure.Failure {
	if n := p.gate.Parked(p.account.ID(), p.account.Fingerprint); n != nil {
		return n.Failure()
	}
	return nil
}

// An entrance is a lease and where its refusal goes to. It implements smtp.Lease.
type entrance struct {
	parking
	lease *gate.Lease
}

// Opened implements smtp.Lease.
func (e *entrance) Opened(ctx context.Context, f *failure.Failure) {
	var err error
	switch {
	case f == nil:
		err = e.lease.Proven(ctx)
	case f.NeedsPerson():
		e.lease.Refused()
		err = e.gate.Park(ctx, e.account.ID(), e.account.Fingerprint(), f)
	}
	if err != nil {
		e.log.Warn().Err(err).Str("account", e.account.ID()).Msg("how the login went is not known to other workers yet")
	}
}

// Release implements smtp.Lease.
func (e *entrance) Release() { e.lease.Release() }
