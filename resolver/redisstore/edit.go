package redisstore

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
)

var (
	// ErrConflict says that somebody else has changed the record meanwhile: read
	// it again and repeat the change.
	ErrConflict = errors.New("somebody else has changed it meanwhile: look at it again")
	// ErrUnknown says that nothing is stored at the place.
	ErrUnknown = errors.New("there is no such account")
	// ErrForbidden says that the actor must not do this.
	ErrForbidden = errors.New("not allowed")
	// ErrLocked says that the platform has to unlock the tenant first.
	ErrLocked = errors.New("own mail servers are locked for this tenant: ask an operator of the platform to unlock them (rohrpost account unlock)")
)

//go:embed put.lua
var putSource string

var putScript = redis.NewScript(putSource)

// maxAudit is about how many changes of a tenant are kept.
const maxAudit = 10_000

// Get reads the record of a place from Redis. The error is ErrUnknown if there
// is none.
func (s *Store) Get(ctx context.Context, p resolver.Place) (*Record, error) {
	r, err := s.read(ctx, p)
	if err == nil && r == nil {
		err = fmt.Errorf("%s: %w", p, ErrUnknown)
	}
	return r, err
}

// Put stores an entry at a place. version is that of the record it was made from,
// 0 for a new one; the answer is the new version.
//
// A secret that is left out stays as it is stored, unless the server or login it
// was meant for has changed: then it must be given again, so that nobody can
// send another's password to a server of their own. The error is ErrConflict,
// ErrForbidden, ErrLocked, or one *rohrpost.FieldError per problem, joined.
func (s *Store) Put(ctx context.Context, who Actor, p resolver.Place, version int64, e *resolver.Entry) (int64, error) {
	if err := errors.Join(who.may(enter, p), checkPlace(p)); err != nil {
		return 0, err
	}
	return s.change(ctx, who, "set", p, version, func(st, tenant *stored) error {
		if s.policy.Unlock && p.Tenant != "" && who.Role != Operator && !tenant.Unlocked {
			return ErrLocked
		}
		return s.enter(p, st, e)
	})
}

// Delete removes the record of a place. version is that of the record as it was
// seen.
func (s *Store) Delete(ctx context.Context, who Actor, p resolver.Place, version int64) error {
	if err := who.may(enter, p); err != nil {
		return err
	}
	st, _, err := s.fetch(ctx, p)
	if err != nil {
		return err
	}
	if st == nil {
		return fmt.Errorf("%s: %w", p, ErrUnknown)
	}
	_, err = s.write(ctx, p, version, "", Change{Actor: who, Action: "delete", Place: p, Fields: diff(st, &stored{})})
	return err
}

// change applies do to what is stored and writes it, if it still has the version.
func (s *Store) change(ctx context.Context, who Actor, action string, p resolver.Place, version int64, do func(st, tenant *stored) error) (int64, error) {
	old, tenant, err := s.fetch(ctx, p)
	if err != nil {
		return 0, err
	}
	if old == nil {
		old = &stored{}
	}
	if old.version != version {
		return 0, fmt.Errorf("%s: %w", p, ErrConflict)
	}
	changed := old.clone()
	if tenant == nil {
		tenant = &stored{}
	}
	if err := do(changed, tenant); err != nil {
		return 0, err
	}
	fields := diff(old, changed)
	if len(fields) == 0 && old.version > 0 {
		return old.version, nil
	}
	changed.Changed = s.now().UTC()
	value, err := json.Marshal(changed)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p, err)
	}
	return s.write(ctx, p, version, string(value), Change{Actor: who, Action: action, Place: p, Fields: fields})
}

func (s *Store) write(ctx context.Context, p resolver.Place, version int64, value string, c Change) (int64, error) {
	if p.Tenant != "" {
		// First, so that no record is ever out of the list's sight.
		if err := s.redis.SAdd(ctx, tenantsKey, p.Tenant).Err(); err != nil {
			return 0, err
		}
	}
	c.Time = s.now().UTC()
	entry, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p, err)
	}
	answer, err := putScript.Run(ctx, s.redis, []string{recordsKey(p), auditKey(p)},
		field(p), version, value, channel, formatPlace(p), entry, maxAudit).Int64Slice()
	if err != nil {
		return 0, err
	}
	if answer[0] == 0 {
		return 0, fmt.Errorf("%s: %w", p, ErrConflict)
	}
	s.forget(p)
	return answer[1], nil
}

// enter puts a new entry into a stored record.
func (s *Store) enter(p resolver.Place, st *stored, e *resolver.Entry) error {
	old := st.Entry.Account
	st.Entry = *e
	st.Entry.Account = e.Account.Clone()
	if err := e.Validate(p.Level()); err != nil {
		return err
	}
	if b := e.Branding; b != nil && b.LogoFile != "" {
		return &rohrpost.FieldError{Field: "branding.logo_file", Problem: "only accounts.yaml can name files: give the logo itself, in base64"}
	}
	settings := st.Entry.Account
	if settings == nil {
		st.Secrets, st.Checked, st.Approved = nil, false, false
		return nil
	}
	kept, err := merge(p, old, settings, st.Secrets)
	if err != nil {
		return err
	}
	full := settings.Clone()
	secrets := full.Secrets()
	for key, sealed := range kept {
		*secrets[key] = resolver.NewSecret(sealed) // there is one: for Validate
	}
	if err := full.Account(p.Level(), p.Tenant, p.User).Validate(); err != nil {
		return err
	}
	if !sameSending(old, settings) {
		st.Checked, st.Approved = false, false
	}
	st.Secrets = kept
	return s.sealSecrets(p, st)
}

// merge finds the stored secrets that new settings keep, sealed, by key.
func merge(p resolver.Place, old, settings *resolver.Settings, sealed map[string]string) (map[string]string, error) {
	if keys := settings.Files(); len(keys) > 0 {
		return nil, &rohrpost.FieldError{Field: keys[0], Problem: "only accounts.yaml can name files: give the secret itself"}
	}
	kept := map[string]string{}
	for key, given := range settings.Secrets() {
		switch {
		case !given.IsZero() || sealed[key] == "":
		case !sameTarget(key, p, old, settings):
			return nil, &rohrpost.FieldError{Field: key, Problem: "must be given again, because the server or login it belongs to has changed"}
		default:
			kept[key] = sealed[key]
		}
	}
	return kept, nil
}

// sealSecrets moves the secrets that settings bring to where they are sealed.
func (s *Store) sealSecrets(p resolver.Place, st *stored) error {
	settings := st.Entry.Account
	for key, given := range settings.Secrets() {
		if given.IsZero() {
			continue
		}
		sealed, err := s.box.Seal(*given, purpose(key, p, settings))
		if err != nil {
			return &rohrpost.FieldError{Field: key, Problem: err.Error()}
		}
		st.Secrets[key], *given = sealed, resolver.Secret{}
	}
	return nil
}

// sameSending reports whether two settings send the same way, so that what was
// checked still holds. A secret that is given reads as "[redacted]", one that is
// kept as nothing, like those that are stored: so a new one is a difference.
func sameSending(a, b *resolver.Settings) bool {
	if a == nil || b == nil {
		return a == b
	}
	neutral := func(s *resolver.Settings) string {
		c := s.Clone()
		c.UsePlatformDefault, c.Fallback, c.Name, c.ReplyToUser = false, "", "", false
		text, _ := json.Marshal(c) // of strings, numbers and flags alone
		return string(text)
	}
	return neutral(a) == neutral(b)
}

func (s *stored) clone() *stored {
	c := *s
	c.Secrets = maps.Clone(s.Secrets)
	c.Entry.Account = s.Entry.Account.Clone()
	if s.Entry.Order != nil {
		c.Entry.Order = &resolver.Order{Manual: slices.Clone(s.Entry.Order.Manual), Automatic: slices.Clone(s.Entry.Order.Automatic)}
	}
	return &c
}
