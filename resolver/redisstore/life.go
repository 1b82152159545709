package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Role is what an actor may do.
type Role string

// The roles.
const (
	Operator Role = "operator" // of the platform: everything
	Admin    Role = "admin"    // of a tenant: its own account and those of its users
)

// An Actor changes accounts; its name stands in the audit stream.
type Actor struct {
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	Tenant string `json:"tenant,omitempty"` // of an Admin
}

// MayTry says whether the actor may try the settings of a place with a test mail.
// The error is ErrForbidden.
func MayTry(who Actor, p resolver.Place) error { return who.may(check, p) }

// MayTry says whether the actor may try the settings of a place, stored ones or
// others: MayTry of the package, and a tenant that is locked tries nothing. The
// error is ErrForbidden or ErrLocked.
func (s *Store) MayTry(ctx context.Context, who Actor, p resolver.Place) error {
	err := MayTry(who, p)
	if err != nil || who.Role == Operator || !s.policy.Unlock {
		return err
	}
	tenant, _, err := s.fetch(ctx, resolver.Place{Tenant: p.Tenant})
	if err == nil && (tenant == nil || !tenant.Unlocked) {
		err = ErrLocked
	}
	return err
}

// A step in the life of an account.
type step string

const (
	unlock  step = "unlock"
	enter   step = "enter or delete settings"
	check   step = "note a check"
	approve step = "approve"
	review  step = "see changes"
)

// may says whether the actor may do a step at a place. The error is ErrForbidden.
func (a Actor) may(s step, p resolver.Place) error {
	switch {
	case a.Role == Operator:
		return nil
	case a.Role == Admin && p.Tenant != "" && a.Tenant == p.Tenant && (s == enter || s == check || s == review):
		return nil
	}
	return fmt.Errorf("%s may not %s at %s: %w", a.Name, s, p, ErrForbidden)
}

// checkPlace checks ids by the rules of rohrpost.Message.
func checkPlace(p resolver.Place) error {
	var errs []error
	for field, id := range map[string]string{"tenant": p.Tenant, "user": p.User} {
		if len(id) > 128 || strings.ContainsFunc(id, unicode.IsControl) {
			errs = append(errs, &rohrpost.FieldError{Field: field, Problem: "an id must have 1 to 128 bytes and no control characters"})
		}
	}
	if p.Tenant == "" && p.User != "" {
		errs = append(errs, &rohrpost.FieldError{Field: "tenant", Problem: "is missing: a user belongs to one"})
	}
	return errors.Join(errs...)
}

// Unlock lets a tenant use mail servers of its own, or with on false no longer.
// A tenant that has nothing stored yet can be unlocked too.
func (s *Store) Unlock(ctx context.Context, who Actor, tenant string, on bool) error {
	p := resolver.Place{Tenant: tenant}
	if err := errors.Join(who.may(unlock, p), checkPlace(p)); err != nil {
		return err
	}
	if tenant == "" {
		return &rohrpost.FieldError{Field: "tenant", Problem: "is missing: the platform needs no unlocking"}
	}
	return s.mark(ctx, who, map[bool]string{true: "unlock", false: "lock"}[on], p, func(st *stored) error {
		st.Unlocked = on
		return nil
	})
}

// MarkChecked notes that a test with the settings of this version succeeded. The
// error is ErrConflict when the settings have changed meanwhile.
func (s *Store) MarkChecked(ctx context.Context, who Actor, p resolver.Place, version int64) error {
	if err := who.may(check, p); err != nil {
		return err
	}
	_, err := s.change(ctx, who, "check", p, version, func(st, _ *stored) error {
		if st.Entry.Account == nil {
			return fmt.Errorf("%s: %w", p, ErrUnknown)
		}
		st.Checked = true
		return nil
	})
	return err
}

// Approve lets the settings of this version carry mail.
func (s *Store) Approve(ctx context.Context, who Actor, p resolver.Place, version int64) error {
	if err := who.may(approve, p); err != nil {
		return err
	}
	_, err := s.change(ctx, who, "approve", p, version, func(st, tenant *stored) error {
		switch state := s.policy.state(p, st, tenant); {
		case st.Entry.Account == nil:
			return fmt.Errorf("%s: %w", p, ErrUnknown)
		case state == resolver.Locked:
			return ErrLocked
		case state == resolver.Entered:
			return fmt.Errorf("%s: its settings are not checked yet: send a test mail first", p)
		}
		st.Approved = true
		return nil
	})
	return err
}

// mark changes a flag of whatever version is there.
func (s *Store) mark(ctx context.Context, who Actor, action string, p resolver.Place, do func(st *stored) error) error {
	const tries = 10 // somebody else may be faster now and then
	var err error
	for range tries {
		var st *stored
		if st, _, err = s.fetch(ctx, p); err != nil {
			return err
		}
		version := int64(0)
		if st != nil {
			version = st.version
		}
		if _, err = s.change(ctx, who, action, p, version, func(st, _ *stored) error { return do(st) }); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return err
}
