package accounts

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Recheck releases the parked accounts whose settings are new since the refusal,
// or gone, so that their mails go at once. It costs nothing while nobody is
// parked, and reads accounts from memory.
func (d *Desk) Recheck(ctx context.Context) error {
	var errs []error
	for _, n := range d.Gate.Notices() {
		if n.Kind != gate.Parked {
			continue
		}
		p, err := resolver.ParsePlace(n.Subject)
		if err != nil {
			continue // not of this version: an operator releases it
		}
		a, _, err := d.Find(ctx, p)
		switch {
		case err == nil && (a.Unusable != "" || a.Fingerprint() == n.Fingerprint): // what cannot be read is not known to be new
		case err == nil, errors.Is(err, redisstore.ErrUnknown):
			errs = append(errs, d.Gate.Release(ctx, n.Subject))
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
