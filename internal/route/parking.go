package route

import (
	"context"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/resolver"
)

// parking is the gate's knowledge of one account: mails that passed the gate just
// before another's login was refused do not log in after it.
type parking struct {
	gate    *gate.Gate
	account *resolver.Account
	log     zerolog.Logger
}

// Refused implements smtp.LoginGuard.
func (p parking) Refused() *failure.Failure {
	if n := p.gate.Parked(p.account.ID(), p.account.Fingerprint); n != nil {
		return n.Failure()
	}
	return nil
}

// Refuse implements smtp.LoginGuard.
func (p parking) Refuse(ctx context.Context, f *failure.Failure) {
	if !gate.Parks(f) {
		return
	}
	if err := p.gate.Park(ctx, p.account.ID(), p.account.Fingerprint(), f); err != nil {
		p.log.Warn().Err(err).Str("account", p.account.ID()).Msg("the refused login is not known to other workers yet")
	}
}
