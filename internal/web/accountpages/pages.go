package accountpages

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A Trier tries accounts and releases them: *accounts.Service, or *trial.Client, which
// has a worker do it.
type Trier interface {
	Admit(ctx context.Context, who redisstore.Actor, p resolver.Place) error
	TestMail(ctx context.Context, t accounts.Try) (accounts.Result, error)
	Examine(ctx context.Context, t accounts.Try) (doctor.Report, error)
	ReleaseBy(ctx context.Context, who redisstore.Actor, p resolver.Place) error
}

// Options of New. UI, Accounts, Trier and Audit are required.
type Options struct {
	UI       *ui.UI
	Accounts *accounts.Service
	Trier    Trier
	Audit    *audit.Log // what operators decide
	// Keeper keeps a password between a test and saving. Nil: it is entered twice.
	Keeper Keeper
	// Cookies say how the pages set theirs.
	Cookies signin.Cookies
	// MaxConnections is the most that an account may have which is not the platform's; 0:
	// any number.
	MaxConnections int
	// PublicURL is where browsers find the pages, without a slash at its end; empty: as
	// each request says.
	PublicURL string
	Logger    zerolog.Logger
}

// Pages are the handlers.
type Pages struct {
	Options
	set *ui.Set
}

//go:embed assets
var assets embed.FS

// New reads the templates.
func New(o Options) (*Pages, error) {
	if o.UI == nil || o.Accounts == nil || o.Trier == nil || o.Audit == nil {
		return nil, errors.New("accountpages: ui, accounts, trier and audit are required")
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	set, err := o.UI.Set(files, texts)
	if err != nil {
		return nil, err
	}
	return &Pages{Options: o, set: set}, nil
}

// Register adds the routes and the entries of the navigation.
func (s *Pages) Register(r ui.Router) {
	for _, a := range []ui.Area{
		{Key: "accounts", Path: "/t/{tenant}/accounts", Need: ui.Reader},
		{Key: "account", Path: "/t/{tenant}/accounts/user/{user}", Need: ui.Owner},
		{Key: "branding", Path: "/t/{tenant}/branding", Need: ui.Admin},
		{Key: "settings", Path: "/t/{tenant}/settings", Need: ui.Admin},
		{Key: "tenants", Path: "/tenants", Need: ui.Operator},
		{Key: "approvals", Path: "/approvals", Need: ui.Operator},
	} {
		s.UI.AddArea(a)
	}
	for _, name := range []string{"try.js", "branding.js"} {
		r.Handle("GET /assets/"+name, ui.Anyone, ui.Asset(assets, "assets/"+name))
	}
	r.Handle("GET /t/{tenant}/accounts", ui.Reader, s.list)
	r.Handle("GET /t/{tenant}/accounts/explain", ui.Reader, s.explain)
	r.Handle("GET /t/{tenant}/accounts/tenant", ui.Reader, s.account)
	r.Handle("POST /t/{tenant}/accounts/tenant", ui.Admin, s.act)
	r.Handle("GET /t/{tenant}/accounts/user/{user}", ui.SignedIn, s.account) // of readers too: the service knows
	r.Handle("POST /t/{tenant}/accounts/user/{user}", ui.Owner, s.act)
	r.Handle("GET /system/account", ui.Operator, s.account)
	r.Handle("POST /system/account", ui.Operator, s.act)
	r.Handle("GET /oauth/callback", ui.SignedIn, s.connected)
	r.Handle("GET /t/{tenant}/branding", ui.Admin, s.branding)
	r.Handle("POST /t/{tenant}/branding", ui.Admin, s.saveBranding)
	r.Handle("GET /t/{tenant}/branding/preview", ui.Admin, s.preview)
	r.Handle("POST /t/{tenant}/branding/preview", ui.Admin, s.preview)
	r.Handle("GET /t/{tenant}/settings", ui.Admin, s.settings)
	r.Handle("POST /t/{tenant}/settings", ui.Admin, s.saveSettings)
	r.Handle("GET /tenants", ui.Operator, s.tenants)
	r.Handle("GET /approvals", ui.Operator, s.approvals)
	for _, path := range []string{"/approvals/{tenant}", "/approvals/{tenant}/user/{user}"} {
		r.Handle("GET "+path, ui.Operator, s.decision)
		r.Handle("POST "+path, ui.Operator, s.decide)
	}
}

// placeOf is the place that a request is about; without {tenant} it is the platform's.
func placeOf(r *http.Request) resolver.Place {
	tenant, _ := ui.TenantOf(r)
	return resolver.Place{Tenant: tenant, User: r.PathValue("user")}
}

// pathOf is the path of a place's page.
func pathOf(p resolver.Place) string {
	switch p.Level() {
	case resolver.Tenant:
		return ui.TenantPath(p.Tenant, "/accounts/tenant")
	case resolver.User:
		return ui.TenantPath(p.Tenant, "/accounts/user/"+escaped(p.User))
	case resolver.Platform:
	}
	return "/system/account"
}

// page is the frame of a page about a place.
func (s *Pages) page(who signin.Person, p resolver.Place, area, title string, data any) ui.Page {
	page := ui.Page{Title: title, Area: area, Tenant: p.Tenant, TenantSet: p.Tenant != "", Data: data}
	switch {
	case p.Tenant == "" && area == "accounts":
		page.Area = "system"
	case who.User != "" && who.User == p.User && !who.MayRead(p.Tenant):
		page.Area = "account"
	}
	return page
}

// done leads the browser to a page that says what was done.
func (s *Pages) done(w http.ResponseWriter, r *http.Request, path, key string) {
	s.UI.Redirect(w, r, path+"?done="+key)
}
