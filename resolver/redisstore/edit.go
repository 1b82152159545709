package redisstore

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/fields"
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
	// ErrNotAccepted says that the tenant's administrator has to accept first that the
	// tenant answers for its own servers.
	ErrNotAccepted = errors.New("the tenant's administrator must accept first that the tenant answers for its own mail server")
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
		if err := s.mayChange(who, p, st, tenant, e); err != nil {
			return err
		}
		return s.enter(p, st, e)
	})
}

// mayChange says whether the policy lets the actor enter this. What is no server of
// their own, as an address or a look, a locked tenant may change.
func (s *Store) mayChange(who Actor, p resolver.Place, st, tenant *stored, e *resolver.Entry) error {
	switch {
	case who.Role == Operator || p.Tenant == "" || e.Account == nil || reflect.DeepEqual(st.Entry.Account, e.Account):
		return nil
	case s.policy.Unlock && !tenant.Unlocked:
		return ErrLocked
	case s.policy.Accept && tenant.Accepted == nil:
		return ErrNotAccepted
	}
	return nil
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
	_, err = s.write(ctx, p, version, st, nil, Change{Actor: who, Action: "delete", Place: p, Fields: diff(st, &stored{})})
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
	changes := diff(old, changed)
	if len(changes) == 0 && old.version > 0 {
		return old.version, nil
	}
	return s.write(ctx, p, version, old, changed, Change{Actor: who, Action: action, Place: p, Fields: changes})
}

// write stores what has changed in place of old, or with nil deletes the record.
func (s *Store) write(ctx context.Context, p resolver.Place, version int64, old, changed *stored, c Change) (int64, error) {
	var value []byte
	var err error
	c.Time = s.now().UTC()
	if changed != nil {
		changed.Changed = c.Time
		c.Version = version + 1
		if value, err = json.Marshal(changed); err != nil {
			return 0, fmt.Errorf("%s: %w", p, err)
		}
	}
	entry, err := json.Marshal(c)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p, err)
	}
	waits := changed != nil && s.policy.mayWait(p, changed)
	if err := s.enlist(ctx, p, waits, c.Time); err != nil {
		return 0, err
	}
	answer, err := putScript.Run(ctx, s.redis, []string{recordsKey(p), auditKey(p), usersKey(p)},
		field(p), version, value, channel, formatPlace(p), entry, maxAudit, p.User).Int64Slice()
	if err != nil {
		return 0, err
	}
	if answer[0] == 0 {
		return 0, fmt.Errorf("%s: %w", p, ErrConflict)
	}
	s.forget(p)
	if !waits && s.policy.mayWait(p, old) {
		err = s.redis.ZRem(ctx, waitingKey, formatPlace(p)).Err()
	}
	return answer[1], err
}

// enter puts a new entry into a stored record. The error joins everything that is wrong
// with it.
func (s *Store) enter(p resolver.Place, st *stored, e *resolver.Entry) error {
	old := st.Entry.Account
	st.Entry = *e
	st.Entry.Account = e.Account.Clone()
	err := e.Validate(p.Level())
	if b := e.Branding; b != nil && b.LogoFile != "" {
		err = errors.Join(err, &rohrpost.FieldError{Field: "branding.logo_file", Problem: "only accounts.yaml can name files: give the logo itself, in base64"})
	}
	settings := st.Entry.Account
	if settings == nil {
		st.Secrets, st.Checked, st.Approved = nil, false, false
		if old != nil {
			st.Refused = nil
		}
		return err
	}
	kept, mergeErr := merge(p, old, settings, st.Secrets)
	if err := errors.Join(err, mergeErr, validate(p, settings, kept, mergeErr)); err != nil {
		return err
	}
	if !sameSending(old, settings) {
		st.Checked, st.Approved, st.Refused = false, false, nil
	}
	st.Secrets = kept
	return s.sealSecrets(p, st)
}

// validate finds what keeps settings from sending. kept are the secrets that stay;
// what merge has found is not said again.
func validate(p resolver.Place, settings *resolver.Settings, kept map[string]string, merged error) error {
	full := settings.Clone()
	secrets := full.Secrets()
	for key := range kept {
		*secrets[key] = resolver.NewSecret("kept") // there is one
	}
	for _, f := range fields.Errors(merged) {
		if secret := secrets[strings.TrimSuffix(f.Field, "_file")]; secret != nil {
			*secret = resolver.NewSecret("missing, as merge says")
		}
	}
	return full.Account(p.Level(), p.Tenant, p.User).Validate()
}

// merge finds the stored secrets that new settings keep, sealed, by key. The error joins
// what must be given again.
func merge(p resolver.Place, old, settings *resolver.Settings, sealed map[string]string) (map[string]string, error) {
	var errs []error
	for _, key := range settings.Files() {
		errs = append(errs, &rohrpost.FieldError{Field: key, Problem: "only accounts.yaml can name files: give the secret itself"})
	}
	kept := map[string]string{}
	secrets := settings.Secrets()
	for _, key := range slices.Sorted(maps.Keys(secrets)) {
		switch {
		case !secrets[key].IsZero() || sealed[key] == "":
		case !sameTarget(key, p, old, settings):
			errs = append(errs, &rohrpost.FieldError{Field: key, Problem: "must be given again, because the server or login it belongs to has changed"})
		default:
			kept[key] = sealed[key]
		}
	}
	return kept, errors.Join(errs...)
}

// sealSecrets moves the secrets that settings bring to where they are sealed.
func (s *Store) sealSecrets(p resolver.Place, st *stored) error {
	settings := st.Entry.Account
	for key, given := range settings.Secrets() {
		if given.IsZero() {
			continue
		}
		sealed, err := s.box.Seal(*given, Purpose(key, p, settings))
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
