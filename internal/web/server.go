package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
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
	Users    []configs.User // none: only this machine may connect
	Language string         // for whom the browser names no known one: en (also if empty) or de
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
	login, err := newLogin(o.Users, o.Now)
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
	s := &Server{options: o, login: login, pages: pages, queues: queues}
	s.handler = guard(s.routes(), o.Logger, o.Now)
	return s, nil
}

// Handler serves the pages.
func (s *Server) Handler() http.Handler { return s.handler }

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
		mux.Handle("GET /metrics", s.operatorOrHere(s.options.Metrics))
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

// signedIn lets in whoever can say who they are.
func (s *Server) signedIn(next personal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := s.login.who(r)
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

// operatorOrHere lets in operators, and this machine without a login.
func (s *Server) operatorOrHere(next http.Handler) http.Handler {
	guarded := s.operator(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fromHere(r) {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

// refuse answers somebody whom login does not know.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, errNotHere):
		s.pages.problem(w, r, person{}, http.StatusForbidden, "forbidden_remote")
	case errors.Is(err, errBusy):
		s.pages.problem(w, r, person{}, http.StatusServiceUnavailable, "busy")
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="rohrpost", charset="UTF-8"`)
		s.pages.problem(w, r, person{}, http.StatusUnauthorized, "unauthorized")
	}
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request, p person) {
	s.pages.problem(w, r, p, http.StatusNotFound, "not_found")
}

func (s *Server) start(w http.ResponseWriter, r *http.Request, p person) {
	s.pages.render(w, r, p, http.StatusOK, "start", s.holds(r, p))
}

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
