package accountpages

import (
	"net/http"
	"net/url"

	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// tenantsOfPage is how many tenants a page has.
const tenantsOfPage = 50

// tenants lists them by name.
func (s *Pages) tenants(w http.ResponseWriter, r *http.Request, p signin.Person) {
	q := r.URL.Query()
	d := struct {
		Lines        []line
		Prefix, Next string
		First        bool
	}{Prefix: entered(q, "prefix"), First: q.Get("after") == ""}
	if tenant := entered(q, "open"); tenant != "" { // one that is not known here yet
		s.UI.Redirect(w, r, ui.TenantPath(tenant, "/accounts"))
		return
	}
	names, err := s.Accounts.Tenants(r.Context(), d.Prefix, q.Get("after"), tenantsOfPage+1)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	if len(names) > tenantsOfPage {
		names = names[:tenantsOfPage]
		d.Next = url.Values{"prefix": {d.Prefix}, "after": {names[tenantsOfPage-1]}}.Encode()
	}
	lines, err := s.Accounts.TenantLines(r.Context(), p.Actor(), names)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	d.Lines = linesOf(lines)
	s.set.Render(w, r, p, http.StatusOK, "tenants", ui.Page{Title: s.set.Say(r, p, "tenants"), Area: "tenants", Data: d})
}
