package mailpages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// pageMails is how many mails a page of the list has.
const pageMails = 50

// A listPage is the list as its template has it.
type listPage struct {
	form
	mails.Page
	Subjects bool // some mail has one
	Later    bool // it is not the first page
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request, who signin.Person) {
	tenant, _ := ui.TenantOf(r)
	v := listPage{form: p.read(r, who, r.URL.Query())}
	cursor := r.URL.Query().Get("after")
	v.Later = cursor != ""
	title := p.set.Say(r, who, "area_mails")
	if len(v.Wrong) > 0 {
		p.show(w, r, who, http.StatusUnprocessableEntity, "list", title, v)
		return
	}
	var err error
	v.Page, err = p.mails.List(r.Context(), tenant, v.filter, cursor, pageMails)
	problems, wrong := errors.AsType[rohrpost.FieldErrors](err)
	switch {
	case wrong:
		for _, f := range problems {
			v.Wrong[f.Field] = f.Problem
		}
		p.show(w, r, who, http.StatusUnprocessableEntity, "list", title, v)
		return
	case errors.Is(err, mailindex.ErrCursor): // a link that was cut: the first page
		p.ui.Redirect(w, r, ui.TenantPath(tenant, "/mails"+v.Query()))
		return
	case err != nil:
		p.unavailable(w, r, who, err)
		return
	}
	for _, item := range v.Items {
		v.Subjects = v.Subjects || item.Subject != mails.Subject{}
	}
	p.show(w, r, who, http.StatusOK, "list", title, v)
}

// Path is the rest of the address of a mail's page.
func (listPage) Path(id string) string { return "/mails/" + url.PathEscape(id) }

// First is a recipient for the list, and More how many there are beside.
func (listPage) First(item mails.Item) string {
	if len(item.Recipients) == 0 {
		return ""
	}
	return item.Recipients[0].Address
}

// More is how many recipients there are beside the first.
func (listPage) More(item mails.Item) int { return max(0, len(item.Recipients)-1) }
