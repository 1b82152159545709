package ui

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// A Page is what a handler shows.
type Page struct {
	Title     string // in the window's title; the heading is the template's
	Area      string // the key of the navigation's entry that it belongs to
	Tenant    string // whose page it is, with TenantSet
	TenantSet bool
	Data      any
}

// A view is what a template is given.
type view struct {
	Page
	Person  signin.Person
	Lang    string
	Zone    *time.Location
	Version string
	Log     time.Duration // how long the error log holds an entry

	ui   *UI
	set  *Set
	here string
	ask  url.Values
}

// Known reports whether somebody has signed in.
func (v view) Known() bool { return v.Person.Role != "" }

// Called is the person's name, or what they sign in by.
func (v view) Called() string { return cmp.Or(v.Person.Called, v.Person.Name) }

// ReturnHost is the host that "back" leads to.
func (v view) ReturnHost() string {
	u, err := url.Parse(v.Person.ReturnURL)
	if err != nil {
		return ""
	}
	return u.Host
}

// Operator is for the templates.
func (v view) Operator() bool { return v.Person.Operator() }

// Reader reports whether the person may read what is the tenant's, of whom the page is.
func (v view) Reader() bool { return v.Person.MayRead(v.Tenant) }

// Admin reports whether the person may change it.
func (v view) Admin() bool { return v.Person.MayManage(v.Tenant) }

// Navigation has what is nobody's, or of all tenants.
func (v view) Navigation() []Entry {
	if v.Person.Operator() {
		return v.entries(false, "")
	}
	return append(v.entries(true, v.Person.Tenant), v.entries(false, "")...)
}

// TenantNavigation is an operator's on the pages of a tenant.
func (v view) TenantNavigation() []Entry {
	if !v.TenantSet || !v.Person.Operator() {
		return nil
	}
	return v.entries(true, v.Tenant)
}

// Other is a link to this page in another language.
func (v view) Other(lang string) string {
	values := url.Values{}
	maps.Copy(values, v.ask)
	values.Set("lang", lang)
	return v.here + "?" + values.Encode()
}

// Asked is a parameter of the address.
func (v view) Asked(key string) string { return v.ask.Get(key) }

func (v view) text(key string) string {
	s, err := v.set.Text(v.Lang, key)
	if err != nil {
		panic(err) // the guard answers 500 and logs it
	}
	return s
}

func (s *Set) view(r *http.Request, p signin.Person, page Page) view {
	return view{
		Page: page, Person: p, Lang: s.ui.Language(r, p), Zone: s.ui.Zone(r, p), Version: s.ui.options.Version, Log: s.ui.options.Retention,
		ui: s.ui, set: s, here: s.ui.here(r), ask: r.URL.Query(),
	}
}
