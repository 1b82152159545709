package delivery

import (
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// became tells the index of mails what an attempt has come to. A new mail that was
// accepted at once needs no note: the journal has it for as long as its record stays.
func (a *attempt) became(state rohrpost.State) {
	w := a.w
	w.becomes.Count(a.job.Tenant, state)
	atOnce := a.record == nil && !a.job.NotBefore.After(a.job.EnqueuedAt) && w.now().Sub(a.job.EnqueuedAt) < mailindex.Slack
	if state == rohrpost.Accepted && atOnce {
		return
	}
	w.becomes.Note(mailindex.Note{Mail: mailindex.Of(a.job), State: state, Ends: w.ledger.Ends(a.job, a.due(), state)})
}

// note writes down anew what the index should know of a mail: a worker that was killed has
// taken some of it along, and an older version has written nothing.
func (w *Worker) note(r *ledger.Record) {
	const settled = time.Minute // what has changed since is on its way to the index
	if !mailindex.Noted(r.State) || r.Key.Bare() && r.Tenant != "" || w.now().Sub(r.UpdatedAt) < settled {
		return
	}
	job := &payload.Job{EnqueuedAt: r.EnqueuedAt}
	due := r.Due
	if due.IsZero() {
		due = r.EnqueuedAt
	}
	ends := w.ledger.HorizonFrom(job, due)
	if r.State.Final() && r.State != rohrpost.Uncertain {
		ends = r.UpdatedAt.Add(w.opts.Keep)
	}
	w.becomes.Note(mailindex.Note{Mail: r.Mail(), State: r.State, Ends: ends})
}
