package signin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/session"
)

// Keep keeps a secret for ten minutes with the session that p has come by, for one purpose:
// where it goes. It is not kept if there is no session, or if it is too long. The error is
// that of Redis.
func (l *Login) Keep(r *http.Request, p Person, purpose seal.Purpose, s secret.String) (kept bool, err error) {
	id := l.idOf(r, p)
	if id == "" || s.IsZero() {
		return false, nil
	}
	err = l.sessions.Keep(r.Context(), id, textOf(purpose), s.Reveal())
	if errors.Is(err, session.ErrTooLong) {
		return false, nil
	}
	return err == nil, err
}

// Kept takes a secret out that Keep has kept with this session for this purpose; zero:
// there is none, or none any more. The error is that of Redis.
func (l *Login) Kept(r *http.Request, p Person, purpose seal.Purpose) (secret.String, error) {
	id := l.idOf(r, p)
	if id == "" {
		return secret.String{}, nil
	}
	text, err := l.sessions.Take(r.Context(), id, textOf(purpose))
	return secret.New(text), err
}

// idOf is that of the session which p has come by; empty: they have come another way.
func (l *Login) idOf(r *http.Request, p Person) string {
	if !p.Session {
		return ""
	}
	if of, err := l.bySession(r); err != nil || of.Name != p.Name {
		return ""
	}
	return l.options.Cookies.session(r)
}

// textOf is the same for equal purposes: JSON sorts the names.
func textOf(p seal.Purpose) string {
	text, _ := json.Marshal(p) // of strings alone
	return string(text)
}
