package redisstore

import (
	"cmp"
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
	Reader   Role = "reader"   // of a tenant: sees its accounts, and changes nothing
	Person   Role = "user"     // of a tenant: their own account alone
)

// An Actor changes accounts; its name stands in the audit stream.
type Actor struct {
	Name   string `json:"name"`
	Role   Role   `json:"role"`
	Tenant string `json:"tenant,omitempty"` // of all but an Operator
	User   string `json:"user,omitempty"`   // id of a Person
}

// MayTry says whether the actor may try the settings of a place with a test mail.
// The error is ErrForbidden.
func MayTry(who Actor, p resolver.Place) error { return who.may(check, p) }

// MaySee says whether the actor may see what is stored at a place, but for secrets. The
// error is ErrForbidden.
func MaySee(who Actor, p resolver.Place) error { return who.may(see, p) }

// MayEnter says whether the actor may enter an account of its own at a place now. The
// error is ErrForbidden, ErrLocked or ErrNotAccepted.
func (s *Store) MayEnter(ctx context.Context, who Actor, p resolver.Place) error {
	if err := who.may(enter, p); err != nil {
		return err
	}
	tenant, _, err := s.fetch(ctx, resolver.Place{Tenant: p.Tenant})
	if err != nil {
		return err
	}
	return s.mayChange(who, p, &stored{}, cmp.Or(tenant, &stored{}), &resolver.Entry{Account: &resolver.Settings{}})
}

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
	see     step = "see settings"
	ask     step = "ask for own servers"
)

// may says whether the actor may do a step at a place. The error is ErrForbidden.
func (a Actor) may(s step, p resolver.Place) error {
	switch {
	case a.Role == Operator:
		return nil
	case p.Tenant == "" || a.Tenant != p.Tenant || s == unlock || s == approve:
	case a.Role == Admin:
		return nil
	case a.Role == Reader && s == see:
		return nil
	case a.Role == Person && a.User != "" && a.User == p.User && s != ask:
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

// Accept notes that a tenant's administrator has accepted that the tenant answers for
// its own servers. Accepting again changes nothing.
func (s *Store) Accept(ctx context.Context, who Actor, tenant string) error {
	p := resolver.Place{Tenant: tenant}
	if err := errors.Join(who.may(ask, p), checkPlace(p)); err != nil {
		return err
	}
	return s.mark(ctx, who, "accept", p, func(st *stored) error {
		if st.Accepted == nil {
			st.Accepted = &Remark{Time: s.now().UTC(), By: who.Name}
		}
		return nil
	})
}

// maxRemark bounds what people write beside what they do, in bytes.
const maxRemark = 2000

// Request asks the operators to unlock own servers for a tenant; text is for them. The
// error is ErrForbidden, ErrNotAccepted or a *rohrpost.FieldError. A tenant that is
// unlocked already has nothing to ask for.
func (s *Store) Request(ctx context.Context, who Actor, tenant, text string) error {
	p := resolver.Place{Tenant: tenant}
	if err := errors.Join(who.may(ask, p), checkPlace(p), checkRemark("text", text)); err != nil {
		return err
	}
	return s.mark(ctx, who, "request", p, func(st *stored) error {
		switch {
		case st.Accepted == nil:
			return ErrNotAccepted
		case st.Unlocked:
			return nil
		}
		st.Requested, st.Refused = &Remark{Time: s.now().UTC(), By: who.Name, Text: text}, nil
		return nil
	})
}

func checkRemark(field, text string) error {
	if len(text) > maxRemark || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
		return &rohrpost.FieldError{Field: field, Problem: "must have at most 2,000 bytes, and no control characters but line breaks"}
	}
	return nil
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
		st.Unlocked, st.Requested = on, nil
		if on {
			st.Refused = nil
		}
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
		st.Checked, st.Refused = true, nil
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
		st.Approved, st.Refused = true, nil
		return nil
	})
	return err
}

// Refuse refuses what waits for an operator at a place: a tenant's request for own
// servers, or the settings of this version. reason is for the administrator. The error
// is ErrForbidden, ErrConflict, ErrNothingWaits or a *rohrpost.FieldError.
func (s *Store) Refuse(ctx context.Context, who Actor, p resolver.Place, version int64, reason string) error {
	if err := errors.Join(who.may(approve, p), checkRemark("reason", reason)); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" {
		return &rohrpost.FieldError{Field: "reason", Problem: "is missing: the administrator must know what to change"}
	}
	_, err := s.change(ctx, who, "refuse", p, version, func(st, tenant *stored) error {
		if s.policy.waits(p, st, tenant) == "" {
			return fmt.Errorf("%s: %w", p, ErrNothingWaits)
		}
		st.Requested, st.Checked = nil, false
		st.Refused = &Remark{Time: s.now().UTC(), By: who.Name, Text: reason}
		return nil
	})
	return err
}

// ErrNothingWaits says that nothing waits for an operator at a place.
var ErrNothingWaits = errors.New("nothing waits for an operator here: somebody else has decided meanwhile")

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
