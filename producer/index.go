package producer

import (
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
)

// firstKey appends the question for the key of the index to a batch that runs before the
// mails are enqueued, if it was never answered. Later it is asked on the way.
func (c *Client) firstKey(b *lua.Batch) mailindex.Question {
	if c.index.Known() {
		return mailindex.Question{}
	}
	return c.index.Ask(b)
}

// A listing is what is learned when entries were written into the index.
type listing struct {
	key       mailindex.Question
	additions []mailindex.Addition
}

func (l listing) learn() {
	l.key.Learn()
	for _, a := range l.additions {
		a.Learn()
	}
}

// list appends to a batch that entries are on their way, once for each: those of a tenant
// that follow one another together. Ids that were known before are listed already. A mail that Redis does not list is sent all the same.
func (c *Client) list(b *lua.Batch, entries []*entry) listing {
	var l listing
	var mails []mailindex.Mail
	var scheduled []mailindex.Note
	add := func() {
		if len(mails) > 0 {
			l.additions = append(l.additions, c.index.Add(b, mails[0].Tenant, mails))
		}
		if len(scheduled) > 0 {
			c.index.Note(b, scheduled[0].Tenant, scheduled)
		}
		mails, scheduled = mails[:0], scheduled[:0]
	}
	for _, e := range entries {
		if e.listed || e.result.Receipt.Duplicate && !e.late {
			continue
		}
		e.listed = true
		m := mailindex.Of(e.job)
		if len(mails) > 0 && (mails[0].Tenant != m.Tenant || !mailindex.SameHour(mails[0].EnqueuedAt, m.EnqueuedAt)) {
			add()
		}
		mails = append(mails, m)
		if e.job.NotBefore.After(e.job.EnqueuedAt) {
			scheduled = append(scheduled, mailindex.Note{Mail: m, State: rohrpost.Scheduled, Ends: c.ledger.Horizon(e.job)})
		}
	}
	if add(); len(l.additions) > 0 {
		l.key = c.index.Ask(b)
	}
	return l
}

// became notes what a person has done to a mail.
func (c *Client) became(r *ledger.Record, state rohrpost.State, ends time.Time) {
	c.becomes.Note(mailindex.Note{Mail: r.Mail(), State: state, Ends: ends})
	if state.Final() {
		c.becomes.Count(r.Tenant, state)
	}
}

// canceled is the state of a mail that was canceled.
func canceled(r *ledger.Record) rohrpost.State {
	for _, s := range r.Recipients {
		if s.State == rohrpost.RecipientAccepted {
			return rohrpost.Partly
		}
	}
	return rohrpost.Canceled
}
