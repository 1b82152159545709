package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
)

// Resealed counts secrets.
type Resealed struct {
	Secrets int `json:"secrets"`         // that are stored
	Done    int `json:"done"`            // that were sealed anew
	Bound   int `json:"bound,omitempty"` // of those, that had been sealed for no server in particular
}

// Reseal seals every secret anew that was sealed for other keys than today's, or for
// no server in particular. It can be repeated and interrupted; workers go on
// meanwhile, as long as they hold the old identity beside the new one and are of a
// version that knows bound secrets. A record whose secrets cannot be opened is named
// in the error, and does not keep the others. Each of seen is told meanwhile how many
// secrets were looked at.
func (s *Store) Reseal(ctx context.Context, who Actor, seen ...func(secrets int)) (Resealed, error) {
	var n Resealed
	var failed []error
	if err := who.may(unlock, resolver.Place{}); err != nil {
		return n, err
	}
	for f, err := range s.everywhere(ctx) {
		if err != nil {
			return n, err
		}
		n.Secrets += len(f.st.Secrets)
		for _, tell := range seen {
			tell(n.Secrets)
		}
		if len(f.st.Secrets) == 0 {
			continue
		}
		var done Resealed
		err = s.mark(ctx, who, "reseal", f.place, func(st *stored) (err error) {
			done, err = s.reseal(f.place, st)
			return err
		})
		switch {
		case errors.Is(err, seal.ErrOpen), errors.Is(err, seal.ErrPurpose), errors.Is(err, seal.ErrUnbound):
			failed = append(failed, fmt.Errorf("%s: %w", f.place, err))
			continue
		case err != nil:
			return n, fmt.Errorf("%s: %w", f.place, err)
		}
		n.Done, n.Bound = n.Done+done.Done, n.Bound+done.Bound
	}
	return n, errors.Join(failed...)
}

func (s *Store) reseal(p resolver.Place, st *stored) (n Resealed, err error) {
	if st.Entry.Account == nil {
		return n, nil
	}
	for key, sealed := range st.Secrets {
		if s.box.Current(sealed) && seal.IsBound(sealed) {
			continue
		}
		what := Purpose(key, p, st.Entry.Account)
		value, err := s.box.Open(sealed, what)
		if err != nil {
			return n, fmt.Errorf("%s: %w", key, err)
		}
		if st.Secrets[key], err = s.box.Seal(value, what); err != nil {
			return n, err
		}
		n.Done++
		if !seal.IsBound(sealed) {
			n.Bound++
		}
	}
	return n, nil
}

// Unbound are the places whose secrets are sealed for no server in particular. It
// needs no key.
func (s *Store) Unbound(ctx context.Context) ([]resolver.Place, error) {
	var places []resolver.Place
	for f, err := range s.everywhere(ctx) {
		if err != nil {
			return nil, err
		}
		if f.st.anyUnbound() {
			places = append(places, f.place)
		}
	}
	return places, nil
}
