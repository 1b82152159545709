package problempages

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
)

// groupsPage is what the template of the grouped problems shows.
type groupsPage struct {
	question
	*problems.Report
	Open, Over []card
}

// Grouped tells the views apart.
func (groupsPage) Grouped() bool { return true }

// A card is one problem.
type card struct {
	*problems.Problem
	ID     string // in the page
	All    bool   // it stands among those of other tenants
	Mend   string // the path of the page where it is mended; empty: the person may not
	Sums   string // what became of the mails
	Latest []latest
}

// A latest mail of a problem.
type latest struct {
	problems.Example
	Path string
}

func (s *Pages) groups(w http.ResponseWriter, r *http.Request, p signin.Person) {
	report, err := s.options.Problems.Report(r.Context(), whose(r))
	if err != nil {
		s.unread(w, r, p, err)
		return
	}
	view := groupsPage{question: s.question(r, p), Report: report}
	for i := range report.Problems {
		problem := &report.Problems[i]
		c := card{
			Problem: problem, ID: "p" + strconv.Itoa(i+1), All: view.whose.All, Mend: accountPath(p, problem.Account), Sums: s.sums(r, p, problem.Became),
		}
		for _, x := range problem.Examples {
			c.Latest = append(c.Latest, latest{x, mailPath(x.Tenant, x.ID)})
		}
		if problem.Over() {
			view.Over = append(view.Over, c)
		} else {
			view.Open = append(view.Open, c)
		}
	}
	s.set.Render(w, r, p, http.StatusOK, "problems", s.page(r, p, "problems", view))
}

// sums is "3 accepted, 1 waiting".
func (s *Pages) sums(r *http.Request, p signin.Person, b problems.Became) string {
	lang := s.ui.Language(r, p)
	var parts []string
	for _, n := range []struct {
		count int
		key   string
	}{
		{b.Accepted, "n_accepted"},
		{b.Partly, "n_partly"},
		{b.Waiting, "n_waiting"},
		{b.Held, "n_held"},
		{b.Failed, "n_failed"},
		{b.Canceled, "n_canceled"},
		{b.Unknown, "n_unknown"},
	} {
		if n.count > 0 {
			parts = append(parts, s.set.Say(r, p, n.key, ui.Number(lang, int64(n.count))))
		}
	}
	return strings.Join(parts, ", ")
}

// accountPath is the page of an account, for those who may change it.
func accountPath(p signin.Person, account string) string {
	place, err := resolver.ParsePlace(account)
	if err != nil || !p.MayManage(place.Tenant) {
		return ""
	}
	switch place.Level() {
	case resolver.Tenant:
		return ui.TenantPath(place.Tenant, "/accounts/tenant")
	case resolver.User:
		return ui.TenantPath(place.Tenant, "/accounts/user/"+url.PathEscape(place.User))
	}
	return "/system/account"
}

// mailPath is the page of a mail.
func mailPath(tenant, id string) string { return ui.TenantPath(tenant, "/mails/"+url.PathEscape(id)) }

// Colour is the class of a card.
func (c card) Colour() string {
	switch {
	case c.Problem.Over():
		return "over"
	case c.Person, c.Became.Failed > 0, c.Became.Partly > 0:
		return "final"
	}
	return ""
}
