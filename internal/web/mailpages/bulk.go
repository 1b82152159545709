package mailpages

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mails"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// A bulkPage is the question, or what came of it.
type bulkPage struct {
	form
	Action string
	Count  int
	Exact  bool
	At     string
	Fault  string
	Done   bool
	Result mails.Result
}

// ask counts the mails that a filter picks, and asks whether to do it.
func (p *Pages) ask(w http.ResponseWriter, r *http.Request, who signin.Person) {
	v := bulkPage{form: p.read(r, who, r.URL.Query()), Action: r.PathValue("action")}
	p.question(w, r, who, http.StatusOK, v)
}

func (p *Pages) question(w http.ResponseWriter, r *http.Request, who signin.Person, status int, v bulkPage) {
	tenant, _ := ui.TenantOf(r)
	if action(v.Action) == "" {
		p.ui.Problem(w, r, who, http.StatusNotFound, "not_found")
		return
	}
	var err error
	v.Count, v.Exact, err = p.mails.Count(r.Context(), tenant, v.filter)
	if _, wrong := errors.AsType[rohrpost.FieldErrors](err); wrong || len(v.Wrong) > 0 {
		p.ui.Redirect(w, r, ui.TenantPath(tenant, "/mails"+v.Query())) // where the list says what is wrong
		return
	}
	if err != nil {
		p.unavailable(w, r, who, err)
		return
	}
	p.show(w, r, who, status, "bulk", p.set.Say(r, who, "bulk_"+v.Action), v)
}

// bulk does it, even if the person does not wait for the answer: what was begun is
// written down, and ends by its own time.
func (p *Pages) bulk(w http.ResponseWriter, r *http.Request, who signin.Person) {
	tenant, _ := ui.TenantOf(r)
	if !p.parse(w, r, who) {
		return
	}
	v := bulkPage{form: p.read(r, who, r.PostForm), Action: r.PathValue("action"), At: r.PostForm.Get("at")}
	d := deed(r, who, action(v.Action))
	var err error
	if d.Action == mails.PutOff {
		d.At, err = p.time(r, who, v.At)
	}
	if d.Action == "" || len(v.Wrong) > 0 {
		p.question(w, r, who, http.StatusUnprocessableEntity, v)
		return
	}
	if err == nil {
		v.Result, err = p.mails.Bulk(context.WithoutCancel(r.Context()), tenant, v.filter, d)
	}
	var known bool
	if v.Fault, known = fault(err); known {
		p.question(w, r, who, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		p.unavailable(w, r, who, err)
		return
	}
	more := ""
	if v.Result.Left {
		more = "1"
	}
	p.ui.Redirect(w, r, ui.TenantPath(tenant, "/mails"+v.Query(
		"done", "bulk", "n", strconv.Itoa(v.Result.Done), "refused", strconv.Itoa(v.Result.Refused), "left", more)))
}
