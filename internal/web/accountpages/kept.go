package accountpages

import (
	"net/http"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// passwordKey is the field whose secret may be kept between a test and saving.
const passwordKey = "smtp.password"

// A Keeper keeps a secret with a person's session for some minutes, for where it goes, and
// gives it out once; *signin.Login does it.
type Keeper interface {
	Keep(r *http.Request, p signin.Person, purpose seal.Purpose, s secret.String) (kept bool, err error)
	Kept(r *http.Request, p signin.Person, purpose seal.Purpose) (secret.String, error)
}

// target is where the password of a form goes, as for one that is stored: to another
// place, server, port or login, or with another encryption, it does not.
func (f *form) target(place resolver.Place) seal.Purpose {
	return redisstore.Purpose(passwordKey, place, f.on)
}

// password is what was entered, else what was kept.
func (f *form) password() resolver.Secret {
	if text := f.values.Get(passwordKey); text != "" {
		return resolver.NewSecret(text) // as it is: a space may belong to it
	}
	return f.kept
}

// recall puts the password into a form that was kept with a test of the same server, and
// that its page has promised to use. That it is gone must be said: else the stored one
// would be saved in its place.
func (s *Pages) recall(r *http.Request, p signin.Person, place resolver.Place, f *form) error {
	if s.Keeper == nil || f.values.Get("kept") == "" || f.values.Get(passwordKey) != "" || !f.ticks("smtp.authentication") {
		return nil
	}
	var err error
	if f.kept, err = s.Keeper.Kept(r, p, f.target(place)); err != nil {
		return err
	}
	if f.kept.IsZero() {
		f.errs = append(f.errs, &rohrpost.FieldError{Field: passwordKey, Problem: "is not kept any more, or was entered for another server or login: enter it again"})
	}
	return nil
}

// keep keeps the password of a form until it is saved, and reports whether it has. A
// script keeps what was entered in the page; it asks for nothing of it.
func (s *Pages) keep(w http.ResponseWriter, r *http.Request, p signin.Person, place resolver.Place, f *form) bool {
	_, scripted := w.(*live)
	if s.Keeper == nil || f.values == nil || f.password().IsZero() || scripted && f.kept.IsZero() {
		return false
	}
	kept, err := s.Keeper.Keep(r, p, f.target(place), f.password())
	if err != nil {
		s.Logger.Warn().Err(err).Msg("web: a password is not kept until it is saved")
	}
	return kept
}
