package route

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// A trialGuard lets a test have a connection of an account, also of one that is parked, and
// tells nobody how its login went. It implements transport.Guard.
type trialGuard struct {
	leases   *lease.Leases
	account  string
	patience time.Duration
	log      zerolog.Logger
}

func (r *Route) trialGuard(a *resolver.Account) trialGuard {
	return trialGuard{leases: r.options.Leases, account: a.ID(), patience: r.options.TestPatience, log: r.options.Logger}
}

// Take implements transport.Guard.
func (g trialGuard) Take(ctx context.Context, limit int) (transport.Lease, error) {
	waiting, cancel := context.WithTimeout(ctx, g.patience)
	defer cancel()
	taken, err := g.leases.TakeTrial(waiting, g.account, limit)
	switch {
	case ctx.Err() != nil && err != nil:
		return nil, ctx.Err()
	case errors.Is(err, lease.ErrFull):
		return nil, failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: &failure.Busy{Connections: limit}})
	case err != nil: // nobody can count it, and no mail leaves either
		g.log.Warn().Err(err).Str("account", g.account).Msg("an account is tested over a connection that is not counted")
		return uncounted{}, nil
	}
	return tested{taken}, nil
}

// tested is the lease of a test.
type tested struct{ *lease.Lease }

// Opened implements transport.Lease: the caller of the test draws the conclusions.
func (tested) Opened(context.Context, *failure.Failure) {}

// uncounted is a lease that is none.
type uncounted struct{}

// Opened implements transport.Lease.
func (uncounted) Opened(context.Context, *failure.Failure) {}

// Release implements transport.Lease.
func (uncounted) Release() {}
