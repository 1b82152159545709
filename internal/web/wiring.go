package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/internal/web/dashboard"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/signinpages"
	"github.com/rohrpost/rohrpost/internal/web/systempages"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// open makes what the pages ask, and the pages.
func (s *Server) open() error {
	o := s.options
	acts, err := audit.New(audit.Options{Redis: o.Redis, Now: o.Now})
	if err != nil {
		return err
	}
	var holdsErr, backlogsErr, checksErr error
	s.pauses, holdsErr = system.NewHolds(system.HoldsOptions{Redis: o.Redis, Audit: acts, Logger: o.Logger})
	s.backlogs, backlogsErr = system.NewBacklogs(system.BacklogsOptions{Redis: o.Redis, States: o.States, Now: o.Now})
	s.checks, checksErr = system.NewChecks(system.ChecksOptions{Redis: o.Redis, Audit: acts, Keep: o.Keep, Logger: o.Logger, Now: o.Now})
	if err := errors.Join(holdsErr, backlogsErr, checksErr); err != nil {
		return err
	}
	s.system, err = systempages.New(systempages.Options{
		Redis: o.Redis, UI: s.ui, Audit: acts, Holds: s.pauses, Backlogs: s.backlogs, Checks: s.checks, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	s.dashboard, err = dashboard.New(dashboard.Options{
		OpenRedis: o.OpenRedis, Redis: o.Redis, Mails: o.Mails, Audit: acts, Holds: s.pauses, UI: s.ui, Logger: o.Logger, Now: o.Now,
	})
	return err
}

// problemPages are the overview, the problems and the log.
func (s *Server) problemPages() (*problempages.Pages, error) {
	o := s.options
	overviews, err := overview.New(overview.Options{
		Redis: o.Redis, Problems: o.Problems, PausedBy: s.pauses.By, Counts: o.Counts, Approvals: o.Approvals, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	return problempages.New(problempages.Options{
		UI: s.ui, ErrorLog: o.ErrorLog, Problems: o.Problems, Overviews: overviews, Logger: o.Logger, Now: o.Now, PieceTime: writeTimeout,
	})
}

func (s *Server) routes(people *signinpages.Pages) http.Handler {
	mux := http.NewServeMux()
	addProbes(mux, s.options.Redis, s.options.Logger)
	r := router{s, mux}
	if s.options.Metrics != nil {
		mux.Handle("GET /metrics", s.metrics(s.options.Metrics))
		s.ui.AddArea(ui.Area{Key: "metrics", Path: "/metrics", Need: ui.Operator})
	}
	s.ui.Register(r)
	s.problems.Register(r)
	if s.options.Accounts != nil {
		s.accountRoutes(r)
	}
	if s.mails != nil {
		s.mails.Register(r)
	}
	if s.accounts != nil {
		s.accounts.Register(r)
	}
	s.dashboard.Register(r)
	s.system.Register(r)
	people.Register(r)
	for path, pages := range s.options.Extra {
		below := http.StripPrefix(strings.TrimSuffix(path, "/"), pages)
		r.Handle(path, ui.Operator, func(w http.ResponseWriter, r *http.Request, _ signin.Person) { below.ServeHTTP(w, r) })
	}
	r.Handle("/", ui.SignedIn, s.notFound)
	return mux
}
