package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/signinpages"
)

// busyFor is when to come again to what too many do at a time.
const busyFor = 3 * time.Second

// refuse answers somebody whom login does not know. People are led to the page where
// they sign in; programs are told how.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, signin.ErrNoLogin) && visits(r) {
		s.ui.Redirect(w, r, signinpages.LoginPath(comeBack(r)))
		return
	}
	status, key, challenge := http.StatusUnauthorized, "unauthorized", `Basic realm="rohrpost", charset="UTF-8"`
	tooSoon, isTooSoon := errors.AsType[*signin.Paused](err)
	switch {
	case isTooSoon:
		status, key, challenge = http.StatusTooManyRequests, "paused", ""
		w.Header().Set("Retry-After", tooSoon.RetryAfter())
	case errors.Is(err, signin.ErrBusy):
		status, key, challenge = http.StatusServiceUnavailable, "busy", ""
		retryAfter(w, busyFor)
	case errors.Is(err, signin.ErrUnavailable):
		status, key, challenge = http.StatusServiceUnavailable, "no_redis", ""
		retryAfter(w, busyFor)
	case errors.Is(err, signin.ErrUnknownName):
		status, key, challenge = http.StatusForbidden, "unknown_name", ""
	case errors.Is(err, signin.ErrTooLong):
		key = "password_long"
	case errors.Is(err, signin.ErrNoApplication):
		key, challenge = "no_application", `Bearer realm="rohrpost"`
	case errors.Is(err, signin.ErrNoLink):
		key, challenge = "no_link", `Bearer realm="rohrpost"`
	}
	// A browser would ask for a password of its own when a script of a page meets the
	// end of a session.
	if challenge != "" && r.Header.Get("Sec-Fetch-Mode") == "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	s.ui.Problem(w, r, signin.Person{}, status, key)
}

// visits reports whether a person wants to see a page, and has sent no login with the
// request.
func visits(r *http.Request) bool {
	for _, prefix := range []string{"/api/", "/queues/api/", "/assets/", "/metrics"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	return r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// comeBack is the page to show after the sign-in: not that of a form, of which the
// answers are lost.
func comeBack(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return ""
	}
	return (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}).String()
}

// retryAfter says after how many whole seconds to come again (RFC 9110 §10.2.3).
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}
