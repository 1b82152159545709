package accounts

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Recheck resets the accounts with mails that wait for settings, if those are new since
// or gone, so that the mails go at once. It costs nothing while none waits, and reads
// accounts from memory.
func (s *Service) Recheck(ctx context.Context) error {
	var errs []error
	for _, n := range s.breaker.States() {
		if n.Kind != breaker.Parked && n.Kind != breaker.Settings {
			continue
		}
		p, err := resolver.ParsePlace(n.Account())
		if err != nil {
			continue // not of this version: an operator releases it
		}
		a, _, err := s.Find(ctx, p)
		switch {
		case err == nil && (a.Unusable != "" || a.Fingerprint() == n.Fingerprint): // what cannot be read is not known to be new
		case err == nil, errors.Is(err, redisstore.ErrUnknown):
			errs = append(errs, s.breaker.Reset(ctx, n.Account()))
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
