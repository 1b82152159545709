package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// ErrorLog is what the pages read; *errorlog.Log does it.
type ErrorLog interface {
	Query(context.Context, errorlog.Filter) iter.Seq2[errorlog.Entry, error]
	Export(context.Context, io.Writer, errorlog.Filter, errorlog.Format, string) (errorlog.Summary, error)
	Tenants(context.Context) ([]string, error)
}

// Options of New. OpenRedis, Redis, ErrorLog and Mails are required.
type Options struct {
	// OpenRedis makes a client that nobody else closes: asynqmon closes its own.
	OpenRedis func() (redis.UniversalClient, error)
	// Redis is asked by /readyz. It is not closed.
	Redis    redis.UniversalClient
	ErrorLog ErrorLog
	Mails    Mails          // what the buttons of the dashboard act through; required
	Accounts Accounts       // nil: /api/accounts/ is not found
	Metrics  http.Handler   // nil: /metrics is not found
	Users    []configs.User // none: who has the Link is the operator, or Socket says otherwise
	// Socket says that nobody but the operator can connect: without users every
	// request is theirs.
	Socket bool
	// TrustedProxies are believed what they write into X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// MetricsToken opens /metrics, as a Bearer token. Empty: operators alone read it.
	MetricsToken secret.String
	Language     string // for whom the browser names no known one: en (also if empty) or de
	// Retention of the error log, for the words on the pages. Zero: 24 h.
	Retention time.Duration
	Version   string // shown in the foot of the pages
	Logger    zerolog.Logger
	Now       func() time.Time // nil: time.Now
	// Extra are further pages for operators, by path: "/mails/". Each sets its own
	// security headers, and sees the path below its own.
	Extra map[string]http.Handler
}

// A Server is the pages. Serve its Handler with NewHTTPServer.
type Server struct {
	options Options
	login   *login
	pages   *pages
	queues  *queues
	turns   *turns
	handler http.Handler
}

// New puts the pages together. It does not connect to Redis.
func New(o Options) (*Server, error) {
	o.Language = cmp.Or(o.Language, "en")
	if o.Now == nil {
		o.Now = time.Now
	}
	var errs []error
	if o.OpenRedis == nil || o.Redis == nil {
		errs = append(errs, errors.New("web: no Redis"))
	}
	if o.ErrorLog == nil {
		errs = append(errs, errors.New("web: no error log"))
	}
	login, err := newLogin(loginOptions{
		users: o.Users, socket: o.Socket, metrics: o.MetricsToken, proxies: o.TrustedProxies, now: o.Now, logger: o.Logger,
	})
	errs = append(errs, err)
	pages, err := newPages(o.Language, o.Version, cmp.Or(o.Retention, errorlog.DefaultRetention))
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	queues, err := newQueues(o, pages)
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, login: login, pages: pages, queues: queues, turns: newTurns()}
	s.handler = guard(s.routes(), o.Logger, o.Now)
	return s, nil
}

// Handler serves the pages.
func (s *Server) Handler() http.Handler { return s.handler }

// Link lets a browser in, at base ("http://127.0.0.1:8080/errors"), as long as this
// server lives. It is empty where people sign in, or come by a unix socket.
func (s *Server) Link(base string) string {
	if s.login.link == nil {
		return ""
	}
	return s.login.link.at(base)
}

// Close ends asynqmon's connections to Redis.
func (s *Server) Close() error {
	if err := s.queues.Close(); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	addProbes(mux, s.options.Redis, s.options.Logger)
	if s.options.Metrics != nil {
		mux.Handle("GET /metrics", s.metrics(s.options.Metrics))
	}
	mux.Handle("GET /{$}", s.signedIn(s.start))
	mux.Handle("GET /errors", s.signedIn(s.errors))
	mux.Handle("GET /errors/export", s.signedIn(s.export))
	if s.options.Accounts != nil {
		s.accountRoutes(mux)
	}
	mux.HandleFunc("GET /assets/style.css", asset("assets/style.css"))
	mux.HandleFunc("GET /assets/icon.svg", asset("assets/icon.svg"))
	mux.HandleFunc("GET /assets/queues.css", asset("assets/queues.css"))
	mux.HandleFunc("GET /assets/queues.js", asset("assets/queues.js"))
	mux.Handle("GET /queues", http.RedirectHandler("/queues/", http.StatusMovedPermanently))
	mux.Handle("/queues/", s.operator(s.queues))
	for path, pages := range s.options.Extra {
		mux.Handle(path, s.operator(http.StripPrefix(strings.TrimSuffix(path, "/"), pages)))
	}
	mux.Handle("/", s.signedIn(s.notFound))
	return mux
}

type personal func(http.ResponseWriter, *http.Request, person)

// signedIn lets in whoever can say who they are, or comes by the link.
func (s *Server) signedIn(next personal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.login.byLink(w, r) {
			return
		}
		p, err := s.login.who(w, r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		note(r, p.name)
		next(w, r, p)
	})
}

// operator lets in operators only.
func (s *Server) operator(next http.Handler) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, p person) {
		if !p.operator() {
			s.pages.problem(w, r, p, http.StatusForbidden, "forbidden_queues")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// metrics lets in operators, and programs that have the token for it.
func (s *Server) metrics(next http.Handler) http.Handler {
	guarded := s.operator(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.login.scraper(r) {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// refuse answers somebody whom login does not know.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, key := http.StatusUnauthorized, "unauthorized"
	challenge := `Basic realm="rohrpost", charset="UTF-8"`
	tooSoon, isTooSoon := errors.AsType[*paused](err)
	switch {
	case isTooSoon:
		status, key, challenge = http.StatusTooManyRequests, "paused", ""
		retryAfter(w, tooSoon.wait)
	case errors.Is(err, errBusy):
		status, key, challenge = http.StatusServiceUnavailable, "busy", ""
		retryAfter(w, busyFor)
	case errors.Is(err, errTooLong):
		key = "password_long"
	case errors.Is(err, errNoLink):
		key, challenge = "no_link", `Bearer realm="rohrpost"`
	}
	if challenge != "" {
		w.Header().Set("WWW-Authenticate", challenge)
	}
	s.pages.problem(w, r, person{}, status, key)
}

// retryAfter says after how many whole seconds to come again (RFC 9110 §10.2.3).
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request, p person) {
	s.pages.problem(w, r, p, http.StatusNotFound, "not_found")
}

func (s *Server) start(w http.ResponseWriter, r *http.Request, p person) {
	s.pages.render(w, r, p, http.StatusOK, "start", s.holds(r, p))
}

// busyFor is when to come again to what too many do at a time.
const busyFor = 3 * time.Second

const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 30 * time.Second // of an export: of each piece
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
)

// NewHTTPServer is a server with the time limits that these pages need. The
// caller sets nothing, calls Serve and Shutdown.
func NewHTTPServer(h http.Handler, logger zerolog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          newErrorLog(logger),
	}
}
