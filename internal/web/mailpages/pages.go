package mailpages

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

//go:embed assets
var assets embed.FS

// Mails is what the pages ask; *mails.Service does it.
type Mails interface {
	List(ctx context.Context, tenant string, f mails.Filter, cursor string, limit int) (mails.Page, error)
	Get(ctx context.Context, tenant, id string) (*mails.Mail, error)
	Act(ctx context.Context, tenant, id string, d mails.Deed) error
	Correct(ctx context.Context, tenant, id, failed, corrected string, d mails.Deed) (rohrpost.Receipt, error)
	Count(ctx context.Context, tenant string, f mails.Filter) (n int, exact bool, err error)
	Bulk(ctx context.Context, tenant string, f mails.Filter, d mails.Deed) (mails.Result, error)
}

// Options of New. UI and Mails are required.
type Options struct {
	UI     *ui.UI
	Mails  Mails
	Logger zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Pages are a tenant's mails.
type Pages struct {
	ui    *ui.UI
	set   *ui.Set
	mails Mails
	log   zerolog.Logger
	now   func() time.Time
}

// New reads the templates; it asks nothing.
func New(o Options) (*Pages, error) {
	if o.UI == nil || o.Mails == nil {
		return nil, errors.New("mailpages: no UI, or no mails")
	}
	files, err := fs.Sub(assets, "assets")
	if err != nil {
		return nil, err
	}
	p := &Pages{ui: o.UI, mails: o.Mails, log: o.Logger, now: o.Now}
	if p.now == nil {
		p.now = time.Now
	}
	p.set, err = o.UI.Set(files, texts)
	return p, err
}

// Register mounts the pages.
func (p *Pages) Register(r ui.Router) {
	p.ui.AddArea(ui.Area{Key: area, Path: "/t/{tenant}/mails", Need: ui.Reader})
	r.Handle("GET /assets/mail.js", ui.Anyone, ui.Asset(assets, "assets/mail.js"))
	r.Handle("GET /t/{tenant}/mails", ui.Reader, p.list)
	r.Handle("GET /t/{tenant}/mails/{id...}", ui.Reader, p.mail)
	r.Handle("POST /t/{tenant}/mails/{id...}", ui.Admin, p.act)
	r.Handle("GET /t/{tenant}/mails/all/{action}", ui.Admin, p.ask)
	r.Handle("POST /t/{tenant}/mails/all/{action}", ui.Admin, p.bulk)
}

// area is the entry of the navigation.
const area = "mails"

// show renders a page of a tenant.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, who signin.Person, status int, name, title string, data any) {
	tenant, _ := ui.TenantOf(r)
	p.set.Render(w, r, who, status, name, ui.Page{Title: title, Area: area, Tenant: tenant, TenantSet: true, Data: data})
}

// unavailable answers when Redis does not.
func (p *Pages) unavailable(w http.ResponseWriter, r *http.Request, who signin.Person, err error) {
	if r.Context().Err() == nil {
		p.log.Error().Err(err).Str("path", r.URL.Path).Msg("a page of mails could not be read")
	}
	p.show(w, r, who, http.StatusServiceUnavailable, "away", p.set.Say(r, who, "area_mails"), nil)
}
