package accountpages

import (
	"context"
	"net/http"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

const (
	// tryTimeout is how long a test mail or an examination may take.
	tryTimeout = 2 * time.Minute
	// answerTimeout is for sending the page after that.
	answerTimeout = 30 * time.Second
)

// try sends a test mail, or has the doctor look, and shows the result beside the form. It
// stores nothing. A script is told each step while it is done.
func (s *Pages) try(w http.ResponseWriter, r *http.Request, p signin.Person) {
	place := placeOf(r)
	v, err := s.Accounts.Look(r.Context(), p.Actor(), place)
	if err != nil {
		s.refuse(w, r, p, err)
		return
	}
	t := accounts.Try{
		Who: p.Actor(), Place: place, Person: p.Address, Language: s.UI.Language(r, p),
		To: rohrpost.Address{Address: entered(r.PostForm, "to")},
	}
	f, d := stored(place.Level(), v.Version, &v.Entry, ""), &accountData{To: t.To.Address}
	if r.PostForm.Get("stored") == "" {
		f = parsed(place.Level(), r.PostForm)
	}
	err = s.recall(r, p, place, f)
	if err := s.Trier.Admit(r.Context(), t.Who, place); err != nil { // counted before the settings are read
		s.failed(w, r, p, &v, f, d, err)
		return
	}
	s.bound(place, f)
	if err == nil && f.values != nil && (len(f.errs) > 0 || f.changes(&v.Entry)) {
		t.Unsaved, err = s.Accounts.Unsaved(r.Context(), f.edit(t.Who, place))
		if len(f.errs) > 0 {
			err = asErrors(f.errs)
		}
		if err == nil {
			err = s.Accounts.Check(r.Context(), f.edit(t.Who, place)) // all that is wrong, not the first alone
		}
		d.Unsaved = true
	}
	if err != nil {
		s.failed(w, r, p, &v, f, d, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), tryTimeout)
	defer cancel()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(tryTimeout + answerTimeout))
	if !wantsSteps(r) {
		s.tried(ctx, w, r, p, &v, f, d, t)
		return
	}
	l := newLive(w, t.Language)
	t.Seen = l.step
	s.tried(ctx, l, r, p, &v, f, d, t)
	l.end()
}

// tried tries, and shows what came of it.
func (s *Pages) tried(ctx context.Context, w http.ResponseWriter, r *http.Request, p signin.Person, v *accounts.View, f *form, d *accountData, t accounts.Try) {
	if err := s.tryNow(ctx, r, t, d); err != nil {
		s.failed(w, r, p, v, f, d, err)
		return
	}
	if after, err := s.Accounts.Look(r.Context(), p.Actor(), t.Place); err == nil {
		f.version, v = f.version+after.Version-v.Version, &after // a success is noted with the account
	}
	s.show(w, r, p, http.StatusOK, v, f, d, nil)
}

func (s *Pages) tryNow(ctx context.Context, r *http.Request, t accounts.Try, d *accountData) error {
	if r.PostForm.Get("do") == "doctor" {
		t.To = rohrpost.Address{}
		report, err := s.Trier.Examine(ctx, t)
		d.Report = &report
		return err
	}
	result, err := s.Trier.TestMail(ctx, t)
	d.Result = &result
	return err
}
