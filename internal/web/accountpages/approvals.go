package accountpages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// approvalsOfPage is how many lines a page of approvals has.
const approvalsOfPage = 50

// approval is a line of what waits for operators.
type approval struct {
	redisstore.Waiting
	Path string
}

// approvals is what waits for operators, over all tenants.
func (s *Pages) approvals(w http.ResponseWriter, r *http.Request, p signin.Person) {
	skip, _ := strconv.Atoi(r.URL.Query().Get("skip"))
	skip = max(0, skip)
	d := struct {
		Lines []approval
		Next  int
		First bool
		Fixed string
		Done  string
	}{First: skip == 0, Fixed: s.fixed(), Done: doneKey(r.URL.Query().Get("done"))}
	store, err := s.Accounts.Store()
	if err == nil {
		list, more, err := store.Waiting(r.Context(), p.Actor(), skip, approvalsOfPage)
		if err != nil {
			s.refuse(w, r, p, err)
			return
		}
		for _, waiting := range list {
			d.Lines = append(d.Lines, approval{waiting, decisionPath(waiting.Place)})
		}
		if more {
			d.Next = skip + approvalsOfPage
		}
	}
	s.set.Render(w, r, p, http.StatusOK, "approvals", ui.Page{Title: s.set.Say(r, p, "approvals"), Area: "approvals", Data: d})
}

func decisionPath(p resolver.Place) string {
	path := "/approvals/" + escaped(ui.TenantParameter(p.Tenant))
	if p.User != "" {
		path += "/user/" + escaped(p.User)
	}
	return path
}

// decisionData is what decision.html shows.
type decisionData struct {
	accounts.View
	Path    string // of this page
	Account string // path of the account's page
	Changes []fieldChange
	Reason  string
	Error   string
	Wrong   string // what is wrong with the reason
	Policy  redisstore.Policy
}

// decision shows what an operator has to decide at a place.
func (s *Pages) decision(w http.ResponseWriter, r *http.Request, p signin.Person) {
	s.showDecision(w, r, p, http.StatusOK, &decisionData{})
}

func (s *Pages) showDecision(w http.ResponseWriter, r *http.Request, p signin.Person, status int, d *decisionData) {
	place := placeOf(r)
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err == nil {
		err = v.Fixed
	}
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	store, err := s.Accounts.Store()
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	changes, err := store.SinceApproval(r.Context(), p.Actor(), place)
	if err != nil && !errors.Is(err, redisstore.ErrUnknown) {
		s.refuse(w, r, p, err)
		return
	}
	d.View, d.Path, d.Account, d.Policy = v, decisionPath(place), pathOf(place), store.Policy()
	d.Changes = fieldChanges(s.UI.Language(r, p), changes)
	s.set.Render(w, r, p, status, "decision", ui.Page{Title: s.set.Say(r, p, "decision") + ": " + place.String(), Area: "approvals", Data: d})
}

// decide does what an operator has decided.
func (s *Pages) decide(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place, who := placeOf(r), p.Actor()
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	store, err := s.Accounts.Store()
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	if err := r.ParseForm(); err != nil {
		s.badForm(w, r, p)
		return
	}
	version, _ := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	reason := entered(r.PostForm, "reason")
	decisions := map[string]struct {
		action audit.Action
		done   string
		do     func() error
	}{
		"approve": {audit.Approve, "approved", func() error { return store.Approve(r.Context(), who, place, version) }},
		"refuse":  {audit.Refuse, "refused", func() error { return store.Refuse(r.Context(), who, place, version, reason) }},
		"unlock":  {audit.Unlock, "unlocked", func() error { return store.Unlock(r.Context(), who, place.Tenant, true) }},
		"lock":    {audit.Lock, "locked", func() error { return store.Unlock(r.Context(), who, place.Tenant, false) }},
	}
	decided, ok := decisions[r.PostForm.Get("do")]
	if !ok {
		s.badForm(w, r, p)
		return
	}
	if err := s.audited(r, p, decided.action, place, decided.do); err != nil {
		told := s.problemOf(w, r, p, err)
		d := &decisionData{Reason: reason, Error: told.text}
		if len(told.fields) > 0 {
			d.Wrong = newBuilder(s.UI.Language(r, p), "", false, told.fields).wrong["reason"]
		}
		s.showDecision(w, r, p, told.status, d)
		return
	}
	s.done(w, r, "/approvals", decided.done)
}
