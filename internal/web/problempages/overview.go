package problempages

import (
	"net/http"

	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
)

// shownWaiting is how many of the accounts that wait the overview lists.
const shownWaiting = 10

// overviewPage is what its template shows.
type overviewPage struct {
	*overview.Overview
	All       bool
	Sentence  string // the answer to "is all well?"
	Lines     []line
	MoreLines int    // accounts that wait beyond those
	Problems  string // path
	Bars      bars
}

// A line is an account or server that waits, and where that is mended.
type line struct {
	problems.Waiting
	Mend string // path; empty: the person may not, or there is no one place
}

// Where is what waits.
func (l line) Where() problems.Subject {
	if l.Account != "" {
		return problems.Subject{Account: l.Account}
	}
	return problems.Subject{Server: l.Server}
}

func (s *Pages) overview(w http.ResponseWriter, r *http.Request, p signin.Person) {
	of := whose(r)
	o := s.options.Overviews.Overview(r.Context(), of)
	view := overviewPage{Overview: o, All: of.All, Problems: question{whose: of}.link("")}
	say := func(key string, args ...any) string { return s.set.Say(r, p, key, args...) }
	number := func(n int64) string { return ui.Number(s.ui.Language(r, p), n) }
	view.Sentence = sentence(o, of.All, say, number)
	for _, waiting := range o.Waiting[:min(len(o.Waiting), shownWaiting)] {
		l := line{Waiting: waiting, Mend: accountPath(p, waiting.Account)}
		if waiting.Account == "" {
			l.Mend = view.Problems
		}
		view.Lines = append(view.Lines, l)
	}
	view.MoreLines = len(o.Waiting) - len(view.Lines) + o.More
	view.Bars = drawBars(o.Hours, s.ui.Zone(r, p), say, number)
	s.set.Render(w, r, p, http.StatusOK, "overview", s.page(r, p, "overview", view))
}

type (
	sayer    = func(key string, args ...any) string
	numberer = func(int64) string
)

// sentence says in one whether all is well.
func sentence(o *overview.Overview, all bool, say sayer, number numberer) string {
	count := func(n int64, one, many string) string {
		if n == 1 {
			return say(one)
		}
		return say(many, number(n))
	}
	waiting, queued := o.WaitingMails(), count(o.Queued, "mails_one", "mails_many")
	sent := count(o.Accepted(), "mails_one", "mails_many")
	switch state := o.State(); {
	case state == overview.Unknown:
		return say("not_known")
	case o.Workers.Processes == 0 && all:
		return say("no_worker")
	case o.Workers.Processes == 0:
		return say("no_worker_here")
	case state == overview.Stopped && waiting == 0:
		return say("stopped_none")
	case state == overview.Stopped:
		return say("stopped", count(waiting, "one_waits", "many_wait"))
	case state == overview.Waits:
		return say("waits_sentence", count(waiting, "one_waits", "many_wait"))
	case o.Hours != nil && o.Queued > 0:
		return say("well_queued", sent, number(o.Queued))
	case o.Hours != nil:
		return say("well_sent", sent)
	case o.Queued > 0:
		return say("well_on", queued)
	}
	return say("well")
}
