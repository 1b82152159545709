package problempages

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

const (
	pageEntries = 50
	maxPages    = 100 // beyond, the download is the better way
	// searchTime is how long one page may search the log. A search that takes longer
	// shows what it has found and how far it came, and goes on by a link.
	searchTime = 1500 * time.Millisecond
	// outcomeTime is how long it may take to learn what became of its mails.
	outcomeTime = 800 * time.Millisecond
)

// logPage is what the template of the log shows.
type logPage struct {
	question
	Tenants    []string // of an operator's choice
	Categories []string
	Entries    []logged
	Older      string // links; empty: none
	Newer      string
	Page       int
	Last       bool      // the page beyond which only the download goes
	Beyond     bool      // a page that the log does not have
	Back       time.Time // how far a search came whose time was up; zero: to the end
	Further    string    // the link by which it goes on
}

// A logged entry is one with what became of its mail.
type logged struct {
	errorlog.Entry
	Outcome problems.Outcome
}

func (s *Pages) problems(w http.ResponseWriter, r *http.Request, p signin.Person) {
	if r.FormValue("view") == "log" {
		s.log(w, r, p)
		return
	}
	s.groups(w, r, p)
}

func (s *Pages) log(w http.ResponseWriter, r *http.Request, p signin.Person) {
	view := logPage{question: s.question(r, p), Categories: failure.Categories(), Page: 1}
	if n, err := strconv.Atoi(r.FormValue("page")); err == nil {
		view.Page = min(max(n, 1), maxPages)
	}
	// Pages after the first are of the log as the first one showed it.
	until := s.options.Now()
	if ms, err := strconv.ParseInt(r.FormValue("until"), 10, 64); err == nil {
		until = time.UnixMilli(ms)
		view.filter.To = until
	}
	more, err := s.search(r, p, &view)
	if err != nil {
		s.unread(w, r, p, err)
		return
	}
	view.Beyond = view.Page > 1 && len(view.Entries) == 0 && view.Back.IsZero()
	if !view.Back.IsZero() {
		view.Further = view.pageLink(1, view.Back)
	}
	if more && view.Page < maxPages {
		view.Older = view.pageLink(view.Page+1, until)
	}
	view.Last = more && view.Page == maxPages
	if view.Page > 1 && !view.Beyond {
		view.Newer = view.pageLink(view.Page-1, until)
	}
	s.set.Render(w, r, p, http.StatusOK, "log", s.page(r, p, "problems", view))
}

// busyFor is when to come again to what too many do at a time.
const busyFor = 3 * time.Second

// unread answers when the log was not read.
func (s *Pages) unread(w http.ResponseWriter, r *http.Request, p signin.Person, err error) {
	key := "unavailable"
	switch {
	case errors.Is(err, errNoTurn), errors.Is(err, problems.ErrBusy):
		key = "searching"
		w.Header().Set("Retry-After", strconv.Itoa(int(busyFor.Seconds())))
	case r.Context().Err() == nil: // else whoever asked has gone
		s.options.Logger.Error().Err(err).Msg("web: error log")
	}
	s.ui.Problem(w, r, p, http.StatusServiceUnavailable, key)
}

// search fills the page within a time, and reports whether there are older entries.
func (s *Pages) search(r *http.Request, p signin.Person, view *logPage) (more bool, err error) {
	if view.Narrowed() { // else nothing is read but what is shown
		back, err := s.turns.take(p)
		if err != nil {
			return false, err
		}
		defer back()
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchTime)
	defer cancel()
	if view.whose.All {
		if view.Tenants, err = s.options.ErrorLog.Tenants(ctx); err != nil {
			return false, err
		}
	}
	more, err = s.fill(ctx, view)
	if unfinished, ok := errors.AsType[*errorlog.Unfinished](err); ok && r.Context().Err() == nil {
		view.Back, err = unfinished.At, nil
	}
	s.settle(r.Context(), view)
	return more, err
}

// fill reads the entries of one page, and whether there are older ones.
func (s *Pages) fill(ctx context.Context, view *logPage) (more bool, err error) {
	filter, skip := view.filter, (view.Page-1)*pageEntries
	filter.Limit = skip + pageEntries + 1
	n := 0
	for entry, err := range s.options.ErrorLog.Query(ctx, filter) {
		if err != nil {
			return false, err
		}
		if n++; n > skip && len(view.Entries) < pageEntries {
			view.Entries = append(view.Entries, logged{Entry: entry})
		}
	}
	return n == filter.Limit, nil
}

// settle says of each entry what became of its mail. Without an answer the entries say
// so little as the log does.
func (s *Pages) settle(ctx context.Context, view *logPage) {
	ctx, cancel := context.WithTimeout(ctx, outcomeTime)
	defer cancel()
	names := make([]ledger.Name, len(view.Entries))
	for i := range view.Entries {
		names[i] = ledger.Name{Tenant: view.Entries[i].Tenant, ID: view.Entries[i].JobID}
	}
	outcomes, err := s.options.Problems.Outcomes(ctx, names)
	if err != nil {
		s.options.Logger.Warn().Err(err).Msg("web: what became of mails is not known")
		return
	}
	for i, o := range outcomes {
		view.Entries[i].Outcome = o
	}
}

func (v logPage) pageLink(page int, until time.Time) string {
	return v.link("", "view", "log", "page", strconv.Itoa(page), "until", strconv.FormatInt(until.UnixMilli(), 10))
}

// Grouped tells the views apart.
func (logPage) Grouped() bool { return false }

// First is the link to the first page.
func (v logPage) First() string { return v.link("", "view", "log") }

// MailPath is the page of a mail.
func (logPage) MailPath(tenant, id string) string { return mailPath(tenant, id) }

// Colour is the class of an entry: how it stands with its mail.
func (l logged) Colour() string { return colour(l.Outcome, l.Final) }

// colour is the class for an outcome; final says whether the attempt was the last.
func colour(o problems.Outcome, final bool) string {
	switch {
	case o.State == "" && final, o.State == "failed", o.State == "expired", o.State == "bounced", o.State == "uncertain", o.State == "partly":
		return "final"
	case o.State == "accepted", o.State == "canceled":
		return "over"
	}
	return ""
}
