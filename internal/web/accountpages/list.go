package accountpages

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/resolver"
)

// line is one of the list, with where it leads.
type line struct {
	accounts.Line
	Path string
}

// listData is what list.html shows.
type listData struct {
	Tenant    string
	Path      string // of this page
	Lines     []line
	Filter    string
	Filters   []string
	Prefix    string
	Next      string // query of the next page; empty: there is none
	First     bool   // it is the first page
	MayChange bool
	Fixed     string // key of why nothing can be edited; empty: it can
}

// list is the accounts of a tenant.
func (s *Pages) list(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place, q := placeOf(r), r.URL.Query()
	if place.Tenant == "" {
		s.UI.Redirect(w, r, pathOf(place))
		return
	}
	if user := entered(q, "open"); user != "" { // somebody who is not known here yet
		s.UI.Redirect(w, r, pathOf(resolver.Place{Tenant: place.Tenant, User: user}))
		return
	}
	d := listData{
		Tenant: place.Tenant, Path: "/accounts", Filter: q.Get("filter"), Prefix: entered(q, "prefix"), First: q.Get("after") == "", MayChange: p.MayManage(place.Tenant),
		Filters: []string{string(accounts.Everything), string(accounts.Troubled), string(accounts.NoAccount), string(accounts.Undecided)},
	}
	if !slices.Contains(d.Filters, d.Filter) {
		d.Filter = ""
	}
	page, err := s.Accounts.Page(r.Context(), p.Actor(), accounts.Query{
		Tenant: place.Tenant, Prefix: d.Prefix, Filter: accounts.Filter(d.Filter), After: q.Get("after"),
	})
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	d.Lines = linesOf(page.Lines)
	if page.Next != "" {
		d.Next = url.Values{"filter": {d.Filter}, "prefix": {d.Prefix}, "after": {page.Next}}.Encode()
	}
	d.Fixed = s.fixed()
	s.set.Render(w, r, p, http.StatusOK, "list", s.page(p, place, "accounts", s.set.Say(r, p, "accounts"), d))
}

// fixed is the key of the text that says why nothing can be edited.
func (s *Pages) fixed() string {
	switch _, err := s.Accounts.Store(); {
	case err == nil:
		return ""
	case s.Accounts.InFile():
		return "fixed_file"
	}
	return "fixed_own"
}

func linesOf(lines []accounts.Line) []line {
	out := make([]line, len(lines))
	for i, l := range lines {
		out[i] = line{Line: l, Path: pathOf(l.Place)}
	}
	return out
}
