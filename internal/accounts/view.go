package accounts

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A View is a place as its pages show it.
type View struct {
	Line
	// Entry is what was entered, without secrets; empty if nothing was, or if an
	// application keeps the accounts.
	Entry   resolver.Entry
	Secrets []string // keys of those that are stored, as "smtp.password"
	// Fixed says why nothing can be edited here: ErrFile or ErrOwn; nil: it can.
	Fixed error
	// Barred is why this person may not enter an account here now:
	// redisstore.ErrForbidden, redisstore.ErrLocked or redisstore.ErrNotAccepted.
	Barred error
	// Record is what is stored at the place, and Owner at that of the tenant; never nil
	// with accounts in Redis.
	Record, Owner *redisstore.Record
}

// Look is a place as somebody may see it. The error is redisstore.ErrForbidden, or that
// of the store.
func (s *Service) Look(ctx context.Context, who redisstore.Actor, p resolver.Place) (View, error) {
	if err := redisstore.MaySee(who, p); err != nil {
		return View{}, err
	}
	v := View{Line: nothingAt(p)}
	var err error
	if _, v.Fixed = s.Store(); v.Fixed == nil {
		err = s.lookStored(ctx, who, p, &v)
	} else {
		err = s.lookFixed(ctx, p, &v)
	}
	if err != nil {
		return v, err
	}
	lines := []Line{v.Line}
	err = s.measure(ctx, lines)
	v.Line = lines[0]
	return v, err
}

func (s *Service) lookStored(ctx context.Context, who redisstore.Actor, p resolver.Place, v *View) error {
	records, err := s.store.GetAll(ctx, []resolver.Place{p, {Tenant: p.Tenant}})
	if err != nil {
		return err
	}
	v.Record, v.Owner = orNothing(records[0], p), orNothing(records[1], resolver.Place{Tenant: p.Tenant})
	v.Line, v.Entry, v.Secrets = lineOf(v.Record), v.Record.Entry, v.Record.Secrets
	if a := v.Record.Account; a != nil {
		v.Item, v.Account = s.item(a, v.Record.Version), true
	}
	switch err := s.store.MayEnter(ctx, who, p); {
	case errors.Is(err, redisstore.ErrForbidden), errors.Is(err, redisstore.ErrLocked), errors.Is(err, redisstore.ErrNotAccepted):
		v.Barred = err
	case err != nil:
		return err
	}
	return nil
}

func orNothing(r *redisstore.Record, p resolver.Place) *redisstore.Record {
	if r == nil {
		return &redisstore.Record{Place: p}
	}
	return r
}

func (s *Service) lookFixed(ctx context.Context, p resolver.Place, v *View) error {
	lines, err := s.linesElsewhere(ctx, []resolver.Place{p})
	if err != nil {
		return err
	}
	v.Line = lines[0]
	record, err := s.Record(ctx, p)
	switch {
	case errors.Is(err, redisstore.ErrUnknown), errors.Is(err, ErrOwn):
		return nil
	case err != nil:
		return err
	}
	v.Entry = *record.Entry.WithoutSecrets()
	return nil
}
