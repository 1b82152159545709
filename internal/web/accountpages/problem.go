package accountpages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/fields"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/trial"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A problem is an error as a page tells it.
type problem struct {
	status int
	text   string                 // of a text; empty: it is said by the fields
	fields []*rohrpost.FieldError // what is wrong with single fields
}

// problemOf tells what may be told of an error. What is not told stands in the log.
func (s *Pages) problemOf(w http.ResponseWriter, r *http.Request, p signin.Person, err error) problem {
	if errs := fields.Errors(err); len(errs) > 0 {
		return problem{status: http.StatusUnprocessableEntity, fields: errs}
	}
	key, status := "problem_failed", http.StatusInternalServerError
	tooOften, isTooOften := errors.AsType[*doctor.TooOften](err)
	unavailable, isUnavailable := errors.AsType[trial.Unavailable](err)
	refused, isRefused := errors.AsType[*failure.Failure](err)
	lang := s.UI.Language(r, p)
	switch {
	case isTooOften:
		seconds := int(tooOften.RetryAfter.Seconds()) + 1
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return problem{status: http.StatusTooManyRequests, text: s.set.Say(r, p, "problem_too_often", seconds)}
	case isUnavailable:
		return problem{status: http.StatusServiceUnavailable, text: words.Sentence(lang, unavailable.Error())}
	case isRefused:
		return problem{status: http.StatusUnprocessableEntity, text: refused.HintAt(failure.Test(), lang)}
	case errors.Is(err, seal.ErrNoRecipient):
		key, status = "problem_no_key", http.StatusConflict
	default:
		for _, known := range knownProblems() {
			if errors.Is(err, known.is) {
				key, status = known.key, known.status
				break
			}
		}
	}
	if status == http.StatusInternalServerError {
		s.Logger.Warn().Err(err).Str("path", r.URL.Path).Msg("web: accounts")
	}
	return problem{status: status, text: s.set.Say(r, p, key)}
}

// A known problem is an error with words of its own.
type known struct {
	is     error
	key    string
	status int
}

// knownProblems are those that there are; the first that fits counts.
func knownProblems() []known {
	return []known{
		{redisstore.ErrForbidden, "problem_forbidden", http.StatusForbidden},
		{redisstore.ErrLocked, "problem_locked", http.StatusForbidden},
		{redisstore.ErrNotAccepted, "problem_not_accepted", http.StatusForbidden},
		{redisstore.ErrNothingWaits, "problem_decided", http.StatusConflict},
		{redisstore.ErrConflict, "problem_conflict", http.StatusConflict},
		{redisstore.ErrUnknown, "problem_unknown", http.StatusNotFound},
		{accounts.ErrFile, "problem_file", http.StatusConflict},
		{accounts.ErrOwn, "problem_own", http.StatusConflict},
		{accounts.ErrRecipient, "problem_recipient", http.StatusForbidden},
		{accounts.ErrTooMany, "problem_too_many", http.StatusTooManyRequests},
		{oauth.ErrNoSignIn, "problem_no_sign_in", http.StatusBadRequest},
		{trial.ErrRunning, "problem_running", http.StatusTooManyRequests},
		{doctor.ErrUncounted, "problem_uncounted", http.StatusServiceUnavailable},
		{failure.ErrMisplaced, "problem_misplaced", http.StatusConflict},
		{resolver.ErrUnusable, "problem_unusable", http.StatusConflict},
		{resolver.ErrNoAccount, "problem_no_account", http.StatusNotFound},
		{failure.ErrSettings, "problem_application", http.StatusConflict},
	}
}

// refuse shows a page that says why there is no other.
func (s *Pages) refuse(w http.ResponseWriter, r *http.Request, p signin.Person, err error) {
	told := s.problemOf(w, r, p, err)
	if told.text == "" {
		told.text = words.Sentence(s.UI.Language(r, p), told.fields[0].Error())
	}
	s.set.Render(w, r, p, told.status, "refused", s.page(p, placeOf(r), "accounts", s.set.Say(r, p, "refused"), told.text))
}

// badForm says that what was sent is no form of these pages.
func (s *Pages) badForm(w http.ResponseWriter, r *http.Request, p signin.Person) {
	s.set.Render(w, r, p, http.StatusBadRequest, "refused", s.page(p, placeOf(r), "accounts", s.set.Say(r, p, "refused"), s.set.Say(r, p, "bad_form")))
}
