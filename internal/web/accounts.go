package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/trial"
	"github.com/rohrpost/rohrpost/internal/web/accountpages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// maxSettings is far above every account, its logo included.
const maxSettings = 1 << 20

// tryTimeout is how long a test mail or an examination may take.
const tryTimeout = 2 * time.Minute

// Accounts is what the account routes ask; *accounts.Service does it, and *trial.Client
// has workers do it.
type Accounts interface {
	Admit(ctx context.Context, who redisstore.Actor, p resolver.Place) error
	Explain(ctx context.Context, who redisstore.Actor, req resolver.Request, lang string) (resolver.Explanation, error)
	TestMail(ctx context.Context, t accounts.Try) (accounts.Result, error)
	Examine(ctx context.Context, t accounts.Try) (doctor.Report, error)
	ReleaseBy(ctx context.Context, who redisstore.Actor, p resolver.Place) error
}

// accountPages are the pages about accounts.
func (s *Server) accountPages() (*accountpages.Pages, error) {
	log, err := audit.New(audit.Options{Redis: s.options.Redis, Now: s.options.Now})
	if err != nil {
		return nil, err
	}
	return accountpages.New(accountpages.Options{
		UI: s.ui, Accounts: s.options.Service, Trier: s.options.Accounts, Audit: log, Keeper: s.login, Cookies: s.options.cookies(),
		MaxConnections: s.options.MaxConnections, PublicURL: strings.TrimRight(s.options.PublicURL, "/"), Logger: s.options.Logger,
	})
}

// tryRequest is the body of POST /api/accounts/test and /api/accounts/doctor.
type tryRequest struct {
	Tenant   string          `json:"tenant"`
	User     string          `json:"user"`
	To       string          `json:"to"`
	Language string          `json:"language"`
	Settings json.RawMessage `json:"settings"` // unsaved: the keys of accounts.yaml at this place
}

// accountRoutes are JSON alone: what stands behind them is the same as behind the
// command line.
func (s *Server) accountRoutes(r ui.Router) {
	r.Handle("GET /api/accounts/explain", ui.SignedIn, s.explain)
	r.Handle("POST /api/accounts/test", ui.SignedIn, s.try(func(ctx context.Context, t accounts.Try) (any, error) {
		return s.options.Accounts.TestMail(ctx, t)
	}))
	r.Handle("POST /api/accounts/doctor", ui.SignedIn, s.try(func(ctx context.Context, t accounts.Try) (any, error) {
		return s.options.Accounts.Examine(ctx, t)
	}))
}

func (s *Server) explain(w http.ResponseWriter, r *http.Request, p signin.Person) {
	q := r.URL.Query()
	req := resolver.Request{
		Tenant: q.Get("tenant"), User: rohrpost.User{ID: q.Get("user")},
		Origin: rohrpost.Origin(q.Get("origin")), Category: rohrpost.Category(q.Get("category")),
		From: rohrpost.Address{Address: q.Get("from")},
	}
	if !p.MayRead(req.Tenant) {
		s.respond(w, nil, redisstore.ErrForbidden)
		return
	}
	e, err := s.options.Accounts.Explain(r.Context(), p.Actor(), req, s.languageOf(q.Get("language")))
	s.respond(w, e, err)
}

// try reads a request, has it done, and answers.
func (s *Server) try(do func(context.Context, accounts.Try) (any, error)) ui.Handler {
	return func(w http.ResponseWriter, r *http.Request, p signin.Person) {
		t, err := s.readTry(w, r, p)
		if err != nil {
			s.respond(w, nil, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), tryTimeout)
		defer cancel()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(tryTimeout + writeTimeout))
		result, err := do(ctx, t)
		s.respond(w, result, err)
	}
}

func (s *Server) readTry(w http.ResponseWriter, r *http.Request, p signin.Person) (accounts.Try, error) {
	t := accounts.Try{Who: p.Actor(), Person: p.Address}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return t, &rohrpost.FieldError{Field: "Content-Type", Problem: "must be application/json"}
	}
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSettings))
	dec.DisallowUnknownFields()
	var body tryRequest
	if err := dec.Decode(&body); err != nil {
		return t, &rohrpost.FieldError{Field: "body", Problem: "is no JSON with tenant, user, to, language, settings"}
	}
	t.Place = resolver.Place{Tenant: body.Tenant, User: body.User}
	t.Language, t.To.Address = s.languageOf(body.Language), body.To
	// Counted before the settings are read, which is the work.
	if err := s.options.Accounts.Admit(r.Context(), t.Who, t.Place); err != nil || len(body.Settings) == 0 {
		return t, err
	}
	entry, err := resolver.ParseEntry("settings", body.Settings, t.Place.Level())
	t.Unsaved = entry
	return t, err
}

func (s *Server) languageOf(asked string) string {
	if asked == "" {
		return cmp.Or(s.options.Language, "en")
	}
	return asked
}

// respond writes a result, or an error with the status that fits. What is not told
// stands in the log.
func (s *Server) respond(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	if err != nil {
		var text string
		status, text = problemOf(err)
		if status >= http.StatusInternalServerError {
			s.options.Logger.Warn().Err(err).Msg("web: accounts")
		}
		if tooOften, ok := errors.AsType[*doctor.TooOften](err); ok {
			w.Header().Set("Retry-After", strconv.Itoa(int(tooOften.RetryAfter.Seconds())+1))
		}
		result = map[string]string{"error": text}
	}
	writeJSON(w, status, result)
}

func writeJSON(w http.ResponseWriter, status int, result any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // whoever asked has gone
}

// problemOf is the status of an error and the text that may be told.
func problemOf(err error) (int, string) {
	_, field := errors.AsType[*rohrpost.FieldError](err)
	_, line := errors.AsType[*resolver.LineError](err)
	why, unavailable := errors.AsType[trial.Unavailable](err)
	switch {
	case errors.Is(err, redisstore.ErrForbidden):
		return http.StatusForbidden, "not allowed for this login"
	case errors.Is(err, redisstore.ErrLocked), errors.Is(err, accounts.ErrRecipient):
		return http.StatusForbidden, err.Error()
	case errors.Is(err, redisstore.ErrUnknown), errors.Is(err, resolver.ErrNoAccount):
		return http.StatusNotFound, err.Error()
	case errors.Is(err, redisstore.ErrConflict):
		return http.StatusConflict, err.Error()
	case errors.Is(err, failure.ErrMisplaced):
		return http.StatusConflict, "the account's stored secret was entered for another server or login: enter it again"
	case errors.Is(err, resolver.ErrUnusable):
		return http.StatusConflict, "the account's secret cannot be read; the operator finds the reason with: rohrpost account show"
	case errors.Is(err, doctor.ErrTooOften), errors.Is(err, trial.ErrRunning):
		return http.StatusTooManyRequests, err.Error()
	case unavailable:
		return http.StatusServiceUnavailable, why.Error()
	case errors.Is(err, doctor.ErrUncounted):
		return http.StatusServiceUnavailable, doctor.ErrUncounted.Error()
	case field, line:
		return http.StatusBadRequest, err.Error()
	}
	return http.StatusInternalServerError, "it could not be done now; the operator finds the reason in the log"
}
