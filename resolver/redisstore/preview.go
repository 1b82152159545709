package redisstore

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/resolver"
)

// Preview is the account that Put would make of an entry, with the secrets that
// were left out as they are stored: to try it. Nothing is stored, and no key is
// needed for secrets that are given. The errors are those of Put.
func (s *Store) Preview(ctx context.Context, who Actor, p resolver.Place, e *resolver.Entry) (*resolver.Account, error) {
	if err := who.may(enter, p); err != nil {
		return nil, err
	}
	st, tenant, err := s.fetch(ctx, p)
	if err != nil {
		return nil, err
	}
	if st == nil {
		st = &stored{}
	}
	err = e.Validate(p.Level())
	if e.Account == nil {
		return nil, err
	}
	kept, mergeErr := merge(p, st.Entry.Account, e.Account, st.Secrets)
	if err := errors.Join(err, mergeErr, validate(p, e.Account, kept, mergeErr)); err != nil {
		return nil, err
	}
	tried := &stored{Entry: resolver.Entry{Account: e.Account}, Secrets: kept}
	return s.record(p, tried, tenant).Account, nil
}
