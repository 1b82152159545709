package accountpages

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// settingsData is what settings.html shows.
type settingsData struct {
	accounts.View
	Path     string
	Version  int64
	Fields   []field
	Faults   []fault
	Error    string
	Conflict []change
	Done     string
	Policy   redisstore.Policy
	Text     string // of a request for own servers, as it was entered
	Fixed    string
}

// orders are what the page offers; another one, which somebody has stored, is kept.
var orders = map[string][]resolver.Level{
	"user-tenant-platform": {resolver.User, resolver.Tenant, resolver.Platform},
	"tenant-user-platform": {resolver.Tenant, resolver.User, resolver.Platform},
	"user-tenant":          {resolver.User, resolver.Tenant},
	"tenant-user":          {resolver.Tenant, resolver.User},
	"user-platform":        {resolver.User, resolver.Platform},
	"tenant-platform":      {resolver.Tenant, resolver.Platform},
	"user":                 {resolver.User},
	"tenant":               {resolver.Tenant},
	"platform":             {resolver.Platform},
}

// settings shows what else is a tenant's.
func (s *Pages) settings(w http.ResponseWriter, r *http.Request, p signin.Person) {
	d := &settingsData{Done: doneKey(r.URL.Query().Get("done"))}
	s.showSettings(w, r, p, http.StatusOK, d, nil)
}

// showSettings renders them: what was entered, if errs say that something is wrong with
// it, else what is stored.
func (s *Pages) showSettings(w http.ResponseWriter, r *http.Request, p signin.Person, status int, d *settingsData, errs []*rohrpost.FieldError) {
	place := placeOf(r)
	if place.Tenant == "" {
		s.UI.Redirect(w, r, pathOf(place))
		return
	}
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	d.View, d.Path, d.Fixed = v, "/settings", s.fixed()
	if d.Version == 0 {
		d.Version = v.Version
	}
	if store, err := s.Accounts.Store(); err == nil {
		d.Policy = store.Policy()
	}
	entry := v.Entry
	entry.Account = v.Entry.Account.Clone()
	if r.PostForm.Get("do") == "save" {
		applySettings(r, &entry)
	}
	b := newBuilder(s.UI.Language(r, p), "", v.Fixed != nil, errs)
	fallback := ""
	if entry.Account != nil {
		fallback = string(entry.Account.Fallback)
	}
	order := resolver.Order{}
	if entry.Order != nil {
		order = *entry.Order
	}
	t := func(key string) string { return s.set.Say(r, p, key) }
	d.Fields = []field{
		b.field("email", "admin_address", entry.AdminAddress),
		b.choice("fallback", fallback, option{"", t("fallback_never")}, option{string(resolver.FallbackPlatform), t("fallback_platform")}),
		b.choice("order.manual", nameOf(order.Manual), orderOptions(t, order.Manual)...),
		b.choice("order.automatic", nameOf(order.Automatic), orderOptions(t, order.Automatic)...),
	}
	d.Faults = b.faults(errs, d.Fields)
	s.set.Render(w, r, p, status, "settings", s.page(p, place, "settings", t("settings"), d))
}

// nameOf is the value of an order in a select: empty is the usual one.
func nameOf(levels []resolver.Level) string {
	for name, order := range orders {
		if slices.Equal(order, levels) {
			return name
		}
	}
	if len(levels) == 0 {
		return ""
	}
	return "kept"
}

func orderOptions(t func(string) string, stored []resolver.Level) []option {
	options := []option{{"", t("order_usual")}}
	if nameOf(stored) == "kept" {
		options = append(options, option{"kept", t("order_kept")})
	}
	for _, name := range []string{
		"user-tenant-platform", "tenant-user-platform", "user-tenant", "tenant-user", "user-platform", "tenant-platform", "user", "tenant", "platform",
	} {
		options = append(options, option{name, t("order_" + name)})
	}
	return options
}

// saveSettings stores them, or does what another button asks for.
func (s *Pages) saveSettings(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || place.Tenant == "" {
		s.badForm(w, r, p)
		return
	}
	d := &settingsData{Text: r.PostForm.Get("text")}
	key := "saved"
	var err error
	switch r.PostForm.Get("do") {
	case "save":
		d.Version, _ = strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
		_, err = s.Accounts.Save(r.Context(), accounts.Edit{
			Who: p.Actor(), Place: place, Version: d.Version, Part: []string{"admin_address", "order", "account.fallback"},
			Apply: func(e *resolver.Entry) { applySettings(r, e) },
		})
	case "request":
		key, err = "requested", s.request(r.Context(), p, place.Tenant, r.PostForm.Get("accept") != "", d.Text)
	default:
		s.badForm(w, r, p)
		return
	}
	if err == nil {
		s.done(w, r, ui.TenantPath(place.Tenant, "/settings"), key)
		return
	}
	told := s.problemOf(w, r, p, err)
	d.Error = told.text
	d.Conflict, d.Version = s.conflictOf(r, p, err, d.Version)
	s.showSettings(w, r, p, told.status, d, told.fields)
}

// request accepts that the tenant answers for its own server, and asks for one if that
// has to be unlocked.
func (s *Pages) request(ctx context.Context, p signin.Person, tenant string, accept bool, text string) error {
	store, err := s.Accounts.Store()
	if err != nil {
		return err
	}
	if !accept {
		return redisstore.ErrNotAccepted
	}
	if err := store.Accept(ctx, p.Actor(), tenant); err != nil || !store.Policy().Unlock {
		return err
	}
	return store.Request(ctx, p.Actor(), tenant, text)
}

// applySettings puts what was sent into an entry.
func applySettings(r *http.Request, e *resolver.Entry) {
	form := r.PostForm
	e.AdminAddress = entered(form, "admin_address")
	order := resolver.Order{}
	if e.Order != nil {
		order = *e.Order
	}
	for key, levels := range map[string]*[]resolver.Level{"order.manual": &order.Manual, "order.automatic": &order.Automatic} {
		if name := form.Get(key); name != "kept" {
			*levels = slices.Clone(orders[name])
		}
	}
	e.Order = nil
	if len(order.Manual)+len(order.Automatic) > 0 {
		e.Order = &order
	}
	fallback := resolver.Fallback(form.Get("fallback"))
	switch {
	case e.Account != nil:
		e.Account.Fallback = fallback
	case fallback != "": // of its users' accounts: the tenant itself has none
		e.Account = &resolver.Settings{UsePlatformDefault: true, Fallback: fallback}
	}
}
