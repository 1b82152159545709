package accounts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// An Edit changes a part of what is stored at a place.
type Edit struct {
	Who     redisstore.Actor
	Place   resolver.Place
	Version int64 // of the record from which the change was made; 0: there was none
	// Part are the fields that Apply may change, each with those below it, as "account"
	// or "admin_address".
	Part []string
	// Apply changes a copy of what is stored, without its secrets. One that it leaves
	// empty stays.
	Apply func(*resolver.Entry)
}

// A Conflict says that somebody has changed the same part meanwhile. It wraps
// redisstore.ErrConflict.
type Conflict struct {
	Changes []redisstore.Change // since Edit.Version, the latest first
	Version int64               // of what is stored now
}

// Error names the others.
func (c *Conflict) Error() string {
	var names []string
	for _, change := range c.Changes {
		if !slices.Contains(names, change.Actor.Name) {
			names = append(names, change.Actor.Name)
		}
	}
	return fmt.Sprintf("%v (%s)", redisstore.ErrConflict, strings.Join(names, ", "))
}

// Unwrap is redisstore.ErrConflict.
func (*Conflict) Unwrap() error { return redisstore.ErrConflict }

// Save stores an edit, and answers with the new version. What others have changed
// meanwhile in other parts stays. The error is a *Conflict, ErrFile, ErrOwn, or one of
// redisstore.Store.Put.
func (s *Service) Save(ctx context.Context, e Edit) (int64, error) {
	store, err := s.Store()
	if err != nil {
		return 0, err
	}
	const tries = 5 // somebody else may be faster now and then
	for range tries {
		var version int64
		if version, err = s.save(ctx, store, &e); !errors.Is(err, redisstore.ErrConflict) {
			return version, err
		}
		if _, told := errors.AsType[*Conflict](err); told {
			return 0, err
		}
	}
	return 0, err
}

func (s *Service) save(ctx context.Context, store *redisstore.Store, e *Edit) (int64, error) {
	r, err := store.Get(ctx, e.Place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown):
		r = &redisstore.Record{}
	case err != nil:
		return 0, err
	}
	if r.Version != e.Version {
		if err := s.conflict(ctx, store, e, r.Version); err != nil {
			return 0, err
		}
	}
	entry := r.Entry
	entry.Account = r.Entry.Account.Clone()
	e.Apply(&entry)
	return store.Put(ctx, e.Who, e.Place, r.Version, &entry)
}

// conflict tells what others have changed of the edit's part since its version; nil: they
// have changed nothing of it.
func (s *Service) conflict(ctx context.Context, store *redisstore.Store, e *Edit, now int64) error {
	const most = 50
	history, err := store.HistoryOf(ctx, e.Who, e.Place, most)
	if err != nil {
		return err
	}
	c := &Conflict{Version: now}
	for _, change := range history {
		if change.Version != 0 && change.Version <= e.Version {
			break
		}
		if change.Action == "delete" || slices.ContainsFunc(change.Fields, func(f redisstore.FieldChange) bool { return e.touches(f.Field) }) {
			c.Changes = append(c.Changes, change)
		}
	}
	if len(c.Changes) == 0 && now != 0 {
		return nil
	}
	return c
}

// touches reports whether a field is of the edit's part.
func (e *Edit) touches(field string) bool {
	return slices.ContainsFunc(e.Part, func(part string) bool { return field == part || strings.HasPrefix(field, part+".") })
}

// Check finds what is wrong with an edit, and stores nothing. The error is that of Save,
// but no conflict.
func (s *Service) Check(ctx context.Context, e Edit) error {
	entry, err := s.Unsaved(ctx, e)
	if err != nil {
		return err
	}
	_, err = s.preview(ctx, &Try{Who: e.Who, Place: e.Place, Unsaved: entry})
	return err
}

// Unsaved is what an edit would store, for a Try: what it does not change is as it is
// stored now. The error is redisstore.ErrForbidden, or that of the store.
func (s *Service) Unsaved(ctx context.Context, e Edit) (*resolver.Entry, error) {
	if err := redisstore.MayTry(e.Who, e.Place); err != nil {
		return nil, err
	}
	entry := &resolver.Entry{}
	r, err := s.Record(ctx, e.Place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown), errors.Is(err, ErrOwn):
	case err != nil:
		return nil, err
	default:
		*entry = r.Entry
		entry.Account = r.Entry.Account.Clone()
	}
	e.Apply(entry)
	return entry, nil
}
