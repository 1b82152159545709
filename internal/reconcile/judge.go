package reconcile

import (
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// recoverAfter is after how long without a lease a task is abandoned. asynq brings
// it back 30 to 90 s after the lease has ended, if a worker runs.
const recoverAfter = 3 * time.Minute

// longestWait is more than a mail on its way waits in the retry set that is to run at
// once: one that is held as uncertain waits there for days.
const longestWait = 2 * time.Hour

// A judge says what is wrong with a view. It does no I/O.
type judge struct {
	now    time.Time
	keep   time.Duration // of records after the end
	settle time.Duration // for which a record may be without its task
	ledger *ledger.Ledger
}

// findings are what is wrong with a mail.
func (j *judge) findings(v *view) []Finding {
	var list []Finding
	var tasks []*task // with a mail in them
	held := false     // a worker has the mail, although somebody has deleted the task
	for k := range v.tasks {
		t := &v.tasks[k]
		switch {
		case !t.mail && j.leased(t):
			held = true
		case !t.mail:
			list = append(list, finding(v, t, Phantom))
		case t.foreign, v.record != nil && t.job != nil && t.job.Tenant != v.record.Tenant:
			list = append(list, finding(v, t, Foreign))
		default:
			tasks = append(tasks, t)
		}
	}
	switch {
	case v.record == nil:
		for _, t := range tasks {
			list = append(list, j.unrecorded(v, t)...)
		}
	case v.record.State.Final():
		for _, t := range tasks {
			list = append(list, j.ended(v, t)...)
		}
	case len(tasks) == 0 && held:
		list = append(list, finding(v, nil, InDoubt))
	default:
		list = append(list, j.onTheWay(v, tasks)...)
	}
	if v.endless {
		list = append(list, finding(v, nil, EndlessRecord))
	}
	if r := v.entry; r != nil && r.in && j.stale(v, r) {
		f := finding(v, nil, StaleEntry)
		f.Account = r.account
		f.Queue, _, _ = strings.Cut(r.member, "/")
		list = append(list, f)
	}
	return list
}

// leased reports whether a worker has a task, or had it a moment ago.
func (j *judge) leased(t *task) bool { return t.in(active) && j.now.Sub(t.lease) <= recoverAfter }

// stale reports whether a mail of a backlog neither waits nor is under way.
func (j *judge) stale(v *view, r *entry) bool {
	if v.record != nil && v.record.State.Final() {
		return true
	}
	for _, t := range v.tasks {
		if member(t.queue, v.key) == r.member && t.mail && t.state != archived && t.state != completed {
			return false
		}
	}
	return true
}

// onTheWay judges a mail that has not ended.
func (j *judge) onTheWay(v *view, tasks []*task) []Finding {
	r := v.record
	switch len(tasks) {
	case 0:
		kind := Lost
		if j.now.Sub(touched(r)) < j.settle {
			kind = InDoubt // it may be being enqueued
		}
		f := finding(v, nil, kind)
		f.Queue = r.Queue
		return []Finding{f}
	case 1:
	default:
		f := finding(v, nil, Twice)
		for _, t := range tasks {
			f.Where = append(f.Where, t.queue+": "+strings.Join(where(t), ", "))
		}
		f.Detail, f.Repairable = "there are tasks of it in several queues", false
		f.Remedy = "nothing: the ledger lets one of them send it, the others end by themselves"
		return []Finding{f}
	}
	t := tasks[0]
	list := j.placed(v, t)
	if v.missing > 0 {
		f := finding(v, t, ContentGone)
		f.Detail = fmt.Sprintf("%d of its attachments and large bodies are gone", v.missing)
		list = append(list, f)
	}
	if v.entry != nil && !v.entry.in && v.entry.blocked && r.State == rohrpost.Parked && t.in(retry) {
		f := finding(v, t, NotInBacklog)
		f.Account = v.entry.account
		list = append(list, f)
	}
	return list
}

// touched is when the mail was last known to have a task.
func touched(r *ledger.Record) time.Time {
	if r.UpdatedAt.After(r.EnqueuedAt) {
		return r.UpdatedAt
	}
	return r.EnqueuedAt
}

// placed judges where the only task of a mail on its way is.
func (j *judge) placed(v *view, t *task) []Finding {
	switch {
	case len(t.places) == 0:
		return []Finding{finding(v, t, Orphaned)}
	case len(t.places) > 1:
		return []Finding{finding(v, t, Twice)}
	case t.places[0].name != t.state:
		return []Finding{finding(v, t, Mislabeled)}
	case t.state == active && !j.leased(t):
		return []Finding{finding(v, t, Abandoned)}
	}
	held := t.state == retry && time.Unix(t.places[0].score, 0).Sub(j.now) > longestWait
	reopened := v.record.Reopened()
	if t.state != archived && t.state != completed && (!held || !reopened) {
		return nil
	}
	f := finding(v, t, Stopped)
	if reopened {
		f.Detail, f.Remedy, f.Repairable = "it is to be sent again, but its task is still put aside", mends, true
	}
	return []Finding{f}
}

// ended judges what is left of a mail at its end. Those that failed stay in the
// archive, those that are held wait in the retry set: their content may be wanted
// again.
func (j *judge) ended(v *view, t *task) []Finding {
	switch {
	case t.in(archived) && len(t.places) == 1:
		return nil
	case j.leased(t):
		return nil // it is just being acknowledged
	case v.record.State == rohrpost.Uncertain && len(t.places) > 0:
		return nil
	}
	f := finding(v, t, Leftover)
	if len(t.places) == 0 {
		f.Detail, f.Remedy = "the mail has ended, and its task is in none of the queue's sets", "nothing: it is deleted some time after its record"
		switch v.record.State {
		case rohrpost.Accepted, rohrpost.Canceled, rohrpost.Bounced: // nobody wants its content again
			f.Repairable, f.Remedy = true, mends
		}
	}
	return []Finding{f}
}

// unrecorded judges a task of which the ledger knows nothing (any more).
func (j *judge) unrecorded(v *view, t *task) []Finding {
	var over bool // the record has ended as it should
	switch {
	case len(t.places) == 1 && t.in(archived):
		over = j.now.Sub(time.Unix(t.places[0].score, 0)) > j.keep
	case len(t.places) == 0:
		over = t.job != nil && j.now.After(j.ledger.Horizon(t.job))
	}
	switch {
	case over:
		f := finding(v, t, Leftover)
		f.Detail, f.Remedy, f.Repairable = "the mail ended long ago, and the ledger has forgotten it", mends, true
		return []Finding{f}
	case len(t.places) == 0:
		f := finding(v, t, Orphaned)
		f.Detail = "its task is in none of the queue's sets, and the ledger has no record of it: it may have been sent"
		f.Remedy, f.Repairable = "nothing, or send it again; --repair deletes the task once the mail's time has run out", false
		return []Finding{f}
	}
	return []Finding{finding(v, t, Unrecorded)}
}

func where(t *task) []string {
	var list []string
	for _, p := range t.places {
		list = append(list, p.name)
	}
	return list
}

// finding is one of a kind about a mail, in the words that mostly fit.
func finding(v *view, t *task, kind Kind) Finding {
	f := words(kind)
	f.Key = v.key
	f.JobID, f.Tenant = v.key.Split()
	if v.record != nil {
		f.Tenant, f.State = v.record.Tenant, v.record.State
	}
	if t != nil {
		f.Queue, f.Where = t.queue, where(t)
		if v.record == nil && t.job != nil {
			f.Tenant = t.job.Tenant
		}
	}
	return f
}
