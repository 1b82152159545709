package signin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/session"
)

// The ways in that a session remembers.
const (
	byPassword = "password"
	byLink     = "link"
	byOIDC     = "oidc"
)

// begin signs in a browser under a new id: one that somebody has planted there before is
// worth nothing. What the browser was signed in to ends.
func (l *Login) begin(w http.ResponseWriter, r *http.Request, s session.Session) error {
	id, err := l.sessions.Begin(r.Context(), s)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if before := l.options.Cookies.session(r); before != "" {
		if err := l.sessions.End(r.Context(), before); err != nil {
			l.options.Logger.Warn().Err(err).Msg("web: the session before lives on until its time is up")
		}
	}
	l.options.Cookies.setSession(w, r, id, session.Longest)
	return nil
}

// bySession is the person who has signed in with this browser.
func (l *Login) bySession(r *http.Request) (Person, error) {
	id := l.options.Cookies.session(r)
	if id == "" || l.sessions == nil {
		return Person{}, ErrNoLogin
	}
	s, err := l.sessions.Get(r.Context(), id)
	switch {
	case errors.Is(err, session.ErrNone):
		return Person{}, ErrNoLogin
	case err != nil:
		l.options.Logger.Warn().Err(err).Msg("web: who has signed in cannot be read")
		return Person{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	p, ok := l.still(s)
	if !ok {
		return Person{}, ErrNoLogin
	}
	p.Session = true
	return p, nil
}

// still is who a session belongs to, as the configuration has it now. It is not ok if
// they would not be let in any more.
func (l *Login) still(s session.Session) (p Person, ok bool) {
	switch s.Way {
	case byPassword:
		u, known := l.users[s.Name]
		return personOf(u), known && s.Proof == proofOf(u)
	case byLink:
		issuer, known := l.links.Issuer(s.Issuer)
		return Person{
			Name: s.Issuer + ":" + s.Name, Called: s.Called, Role: s.Role, Tenant: s.Tenant, User: s.User, Address: s.Address,
			Language: s.Language, Zone: s.Zone, ReturnURL: s.Return,
		}, known && s.Proof == issuer.Fingerprint() && issuer.Allows(s.Role, s.Tenant)
	case byOIDC:
		return Person{Name: byOIDC + ":" + s.Name, Called: s.Called, Role: configs.RoleOperator, Address: s.Name}, l.isOperator(s.Name)
	}
	return Person{}, false
}

// isOperator reports whether the owner of an address may come in by OIDC.
func (l *Login) isOperator(address string) bool {
	return l.oidc != nil && slices.ContainsFunc(l.options.OIDC.Operators, func(known string) bool { return strings.EqualFold(known, address) })
}

// proofOf changes with a user's password. It tells nothing of it: bcrypt has salted it.
func proofOf(u configs.User) string {
	sum := sha256.Sum256([]byte(u.PasswordBcrypt.Reveal()))
	return hex.EncodeToString(sum[:])
}

// SignOut ends the session of this browser, or all sessions of its person, and says
// where the person came from, "" if that is not known. The error is ErrUnavailable:
// nobody is signed out then.
func (l *Login) SignOut(w http.ResponseWriter, r *http.Request, everywhere bool) (returnURL string, err error) {
	if id := l.options.Cookies.session(r); id != "" {
		if returnURL, err = l.end(r.Context(), id, everywhere); err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	l.options.Cookies.setSession(w, r, "", gone)
	return returnURL, nil
}

func (l *Login) end(ctx context.Context, id string, everywhere bool) (returnURL string, err error) {
	s, err := l.sessions.Get(ctx, id)
	switch {
	case errors.Is(err, session.ErrNone):
		return "", nil
	case err == nil && everywhere:
		err = l.sessions.EndAll(ctx, s)
	}
	if err == nil {
		err = l.sessions.End(ctx, id)
	}
	return s.Return, err
}
