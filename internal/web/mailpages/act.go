package mailpages

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// maxForm bounds what is read of a form.
const maxForm = 64 << 10

// actions are what the buttons ask for, by their values.
func action(name string) mails.Action {
	return map[string]mails.Action{"retry": mails.Retry, "cancel": mails.Cancel, "putoff": mails.PutOff}[name]
}

// deed is an action of the person who has sent a request.
func deed(r *http.Request, who signin.Person, a mails.Action) mails.Deed {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return mails.Deed{Action: a, Who: who.Name, Source: audit.Pages, Remote: host}
}

// act does to one mail what its page asks for.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, who signin.Person) {
	tenant, _ := ui.TenantOf(r)
	id := r.PathValue("id")
	if !p.parse(w, r, who) {
		return
	}
	name := r.PostForm.Get("do")
	v := mailPage{At: r.PostForm.Get("at"), Failed1: r.PostForm.Get("failed"), Corrected: r.PostForm.Get("corrected")}
	d := deed(r, who, action(name))
	var err error
	switch name {
	case "putoff":
		v.Field = "at"
		if d.At, err = p.time(r, who, v.At); err == nil {
			err = p.mails.Act(r.Context(), tenant, id, d)
		}
	case "correct":
		v.Field = "corrected"
		receipt, failed := p.mails.Correct(r.Context(), tenant, id, v.Failed1, v.Corrected, d)
		if err = failed; err == nil {
			id, name = receipt.ID, "corrected"
		}
	case "retry", "cancel":
		err = p.mails.Act(r.Context(), tenant, id, d)
	default:
		p.ui.Redirect(w, r, ui.TenantPath(tenant, "/mails/"+url.PathEscape(id)))
		return
	}
	var known bool
	v.Fault, known = fault(err)
	switch {
	case err == nil:
		p.ui.Redirect(w, r, ui.TenantPath(tenant, "/mails/"+url.PathEscape(id)+"?done="+name))
	case known:
		p.showMail(w, r, who, http.StatusUnprocessableEntity, v)
	case errors.Is(err, mails.ErrNotFound):
		p.show(w, r, who, http.StatusNotFound, "none", p.set.Say(r, who, "area_mails"), id)
	default:
		p.unavailable(w, r, who, err)
	}
}

// parse reads a form, or answers that it is none.
func (p *Pages) parse(w http.ResponseWriter, r *http.Request, who signin.Person) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.ui.Problem(w, r, who, http.StatusBadRequest, "not_found")
		return false
	}
	return true
}

var errTime = errors.New("is no time")

// time is what somebody has entered, in their zone.
func (p *Pages) time(r *http.Request, who signin.Person, text string) (time.Time, error) {
	at, err := time.ParseInLocation(clock, text[:min(len(text), len(clock))], p.ui.Zone(r, who))
	if err != nil {
		return at, errTime
	}
	return at, nil
}
