package web

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/accountpages"
	"github.com/rohrpost/rohrpost/internal/web/dashboard"
	"github.com/rohrpost/rohrpost/internal/web/mailpages"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/signinpages"
	"github.com/rohrpost/rohrpost/internal/web/systempages"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// A Server is the pages. Serve its Handler with NewHTTPServer.
type Server struct {
	options   Options
	login     *signin.Login
	ui        *ui.UI
	dashboard *dashboard.Dashboard
	accounts  *accountpages.Pages // nil: there are none
	problems  *problempages.Pages
	pauses    *system.Holds
	backlogs  *system.Backlogs
	checks    *system.Checks
	system    *systempages.Pages
	mails     *mailpages.Pages // nil: there are none
	handler   http.Handler
}

// New puts the pages together. It does not connect to Redis.
func New(o Options) (*Server, error) {
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
	if o.Problems == nil {
		errs = append(errs, errors.New("web: no problems"))
	}
	login, err := signin.New(o.signIn())
	errs = append(errs, err)
	pages, err := ui.New(ui.Options{
		Language: o.Language, Version: o.Version, BasePath: o.BasePath, Cookies: o.cookies(), Retention: cmp.Or(o.Retention, errorlog.DefaultRetention), Now: o.Now,
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	s := &Server{options: o, login: login, ui: pages}
	if err := s.open(); err != nil {
		return nil, err
	}
	if s.problems, err = s.problemPages(); err != nil {
		return nil, err
	}
	if o.Service != nil {
		if s.accounts, err = s.accountPages(); err != nil {
			return nil, err
		}
	}
	people, err := signinpages.New(login, pages)
	if err != nil {
		return nil, err
	}
	if o.MailService != nil {
		if s.mails, err = mailpages.New(mailpages.Options{UI: pages, Mails: o.MailService, Logger: o.Logger, Now: o.Now}); err != nil {
			return nil, err
		}
	}
	s.handler = guard{
		next: below(o.BasePath, s.routes(people)), logger: o.Logger, now: o.Now, embedders: o.EmbedOrigins, fromElsewhere: o.BasePath + signinpages.SSO,
	}.handler()
	return s, nil
}

// Handler serves the pages.
func (s *Server) Handler() http.Handler { return s.handler }

// Link lets a browser in, at base ("http://127.0.0.1:8080/problems"), as long as this
// server lives. It is empty where people sign in, or come by a unix socket.
func (s *Server) Link(base string) string { return s.login.Link(base) }

// Close ends what the pages have begun, and asynqmon's connections to Redis.
func (s *Server) Close() error {
	s.checks.Close()
	s.backlogs.Close()
	if err := s.dashboard.Close(); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// A router asks who sends a request before a handler has it.
type router struct {
	server *Server
	mux    *http.ServeMux
}

// Handle implements ui.Router.
func (r router) Handle(pattern string, need ui.Need, h ui.Handler) {
	r.mux.Handle(pattern, r.server.let(need, h))
}

// let lets in whoever is what a handler needs.
func (s *Server) let(need ui.Need, h ui.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if need == ui.Anyone {
			h(w, r, signin.Person{})
			return
		}
		if s.login.ByLink(w, r) {
			return
		}
		p, err := s.login.Who(w, r)
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		note(r, p.Name)
		if !need.Met(r, p) {
			key := "forbidden_tenant"
			if need == ui.Operator {
				key = "forbidden_operator"
			}
			s.ui.Problem(w, r, p, http.StatusForbidden, key)
			return
		}
		h(w, r, p)
	})
}

// metrics lets in operators, and programs that have the token for it.
func (s *Server) metrics(next http.Handler) http.Handler {
	guarded := s.let(ui.Operator, func(w http.ResponseWriter, r *http.Request, _ signin.Person) { next.ServeHTTP(w, r) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.login.Scraper(r) {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request, p signin.Person) {
	s.ui.Problem(w, r, p, http.StatusNotFound, "not_found")
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
