package problempages

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// ErrorLog is what the pages read; *errorlog.Log does it.
type ErrorLog interface {
	Query(context.Context, errorlog.Filter) iter.Seq2[errorlog.Entry, error]
	Export(context.Context, io.Writer, errorlog.Filter, errorlog.Format, string) (errorlog.Summary, error)
	Tenants(context.Context) ([]string, error)
}

// Problems finds them; *problems.Service does.
type Problems interface {
	Report(context.Context, problems.Whose) (*problems.Report, error)
	Outcomes(context.Context, []ledger.Name) ([]problems.Outcome, error)
}

// Overviews makes them; *overview.Service does.
type Overviews interface {
	Overview(context.Context, problems.Whose) *overview.Overview
}

// Options of New. All but Logger and Now are required.
type Options struct {
	UI        *ui.UI
	ErrorLog  ErrorLog
	Problems  Problems
	Overviews Overviews
	Logger    zerolog.Logger
	Now       func() time.Time // nil: time.Now
	// PieceTime is how long a reader may take for each piece of a download.
	PieceTime time.Duration
}

// Pages are the handlers.
type Pages struct {
	options Options
	ui      *ui.UI
	set     *ui.Set
	turns   *turns
}

//go:embed assets
var assets embed.FS

// New reads the templates.
func New(o Options) (*Pages, error) {
	if o.UI == nil || o.ErrorLog == nil || o.Problems == nil || o.Overviews == nil {
		return nil, errors.New("problempages: ui, error log, problems and overviews are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	set, err := o.UI.Set(files, texts)
	return &Pages{options: o, ui: o.UI, set: set, turns: newTurns()}, err
}

// Register adds the pages, and their entries of the navigation.
func (s *Pages) Register(r ui.Router) {
	s.ui.AddArea(ui.Area{Key: "overview", Path: "/", Need: ui.Operator})
	s.ui.AddArea(ui.Area{Key: "overview", Path: "/t/{tenant}/", Need: ui.Reader})
	s.ui.AddArea(ui.Area{Key: "problems", Path: "/problems", Need: ui.Operator})
	s.ui.AddArea(ui.Area{Key: "problems", Path: "/t/{tenant}/problems", Need: ui.Reader})
	r.Handle("GET /{$}", ui.SignedIn, s.everybody("/", s.overview))
	r.Handle("GET /t/{tenant}/{$}", ui.Reader, s.overview)
	r.Handle("GET /problems", ui.SignedIn, s.everybody("/problems", s.problems))
	r.Handle("GET /t/{tenant}/problems", ui.Reader, s.problems)
	r.Handle("GET /problems/export", ui.SignedIn, s.everybody("/problems/export", s.export))
	r.Handle("GET /t/{tenant}/problems/export", ui.Reader, s.export)
	r.Handle("GET /errors", ui.SignedIn, s.moved("/problems", "view", "log"))
	r.Handle("GET /errors/export", ui.SignedIn, s.moved("/problems/export"))
}

// everybody lets operators have the page of all tenants, unless they name one. Others
// are led to their own.
func (s *Pages) everybody(path string, page ui.Handler) ui.Handler {
	return func(w http.ResponseWriter, r *http.Request, p signin.Person) {
		if p.Operator() && !r.URL.Query().Has("tenant") {
			page(w, r, p)
			return
		}
		http.Redirect(w, r, s.ui.URL(s.placeOf(r, p, path)), http.StatusSeeOther)
	}
}

// moved leads from an older address to the one of today, with its parameters.
func (s *Pages) moved(path string, more ...string) ui.Handler {
	return func(w http.ResponseWriter, r *http.Request, p signin.Person) {
		http.Redirect(w, r, s.ui.URL(s.placeOf(r, p, path, more...)), http.StatusMovedPermanently)
	}
}

// placeOf is where a person finds a page, with the parameters of the request but for
// tenant, and more in pairs: operators that of all tenants, if they name none.
func (s *Pages) placeOf(r *http.Request, p signin.Person, path string, more ...string) string {
	values := r.URL.Query()
	tenant := values.Get("tenant")
	values.Del("tenant")
	for i := 0; i+1 < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	switch {
	case tenant != "":
		path = ui.TenantPath(ui.ParseTenant(tenant), path)
	case p.User != "" && !p.MayRead(p.Tenant) && path == "/":
		path = ui.TenantPath(p.Tenant, "/accounts/user/"+url.PathEscape(p.User))
	case !p.Operator():
		path = ui.TenantPath(p.Tenant, path)
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// whose are the problems that a page is about.
func whose(r *http.Request) problems.Whose {
	tenant, ok := ui.TenantOf(r)
	return problems.Whose{Tenant: tenant, All: !ok}
}

// page is the frame of a page.
func (s *Pages) page(r *http.Request, p signin.Person, area string, data any) ui.Page {
	tenant, ok := ui.TenantOf(r)
	return ui.Page{Title: s.set.Say(r, p, "area_"+area), Area: area, Tenant: tenant, TenantSet: ok, Data: data}
}
