package mailindex

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
)

// A Query picks mails of a tenant. What is set must match.
type Query struct {
	Tenant string
	// State is compared only if it is Noted: else what is found may be in any.
	State     rohrpost.State
	Recipient string    // an address or, beginning with an @, a domain
	User      string    // the id
	From, To  time.Time // when it was enqueued, both inclusive
	// Most is how many entries of the index are looked at, whether they match or not; 0:
	// as many as there are. A million take some tenth of a second.
	Most int
}

// all reports whether the query picks all mails of a time.
func (q *Query) all() bool { return q.State == "" && q.Recipient == "" && q.User == "" }

// span is From and To in Unix ms.
func (q *Query) span() (from, to int64) {
	to = stateWidth - 1
	if !q.From.IsZero() {
		from = q.From.UnixMilli()
	}
	if !q.To.IsZero() {
		to = q.To.UnixMilli()
	}
	return from, to
}

// Noted reports whether the notes have every mail of a state.
func Noted(s rohrpost.State) bool {
	switch s {
	case "", rohrpost.Queued, rohrpost.Sending, rohrpost.Accepted:
		return false
	}
	return true
}

// An Entry is a mail that a query has found.
type Entry struct {
	ID         string
	EnqueuedAt time.Time
	Next       Cursor // goes on behind it
}

// Unfinished is the error of a reading that its context or Query.Most ended.
type Unfinished struct {
	Next  Cursor    // goes on where it ended
	At    time.Time // no mail that was enqueued after it is left; zero: it came nowhere
	cause error
}

// Error says how far the reading came.
func (u *Unfinished) Error() string {
	return fmt.Sprintf("mailindex: read: ended at %s: %v", u.At.Format(time.RFC3339), u.cause)
}

// Unwrap is what ended it.
func (u *Unfinished) Unwrap() error { return u.cause }

// Walk hands out the mails that a query picks, the newest first, from a cursor on, until
// visit has enough. A mail may be handed out twice, and one whose record has ended may be
// as well. The error is an [*Unfinished] when ctx ended a reading that was under way, or
// when it has looked at Query.Most entries.
func (x *Index) Walk(ctx context.Context, q Query, from Cursor, visit func(Entry) (more bool)) error {
	return x.walk(ctx, q, from, func(e entry, next Cursor) bool {
		return visit(Entry{ID: e.id(), EnqueuedAt: time.UnixMilli(e.ms()).UTC(), Next: next})
	})
}

func (x *Index) walk(ctx context.Context, q Query, from Cursor, visit func(entry, Cursor) bool) error {
	w, err := x.newWalker(ctx, q, visit)
	if err != nil || w == nil {
		return err
	}
	w.at = from
	switch {
	case Noted(q.State):
		err = w.notes(ctx, []rohrpost.State{q.State}, w.to)
	case from.notes:
		err = w.older(ctx)
	default:
		if err = w.journal(ctx); err == nil && !w.enough {
			w.at = Cursor{}
			err = w.older(ctx)
		}
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return w.unfinished(err)
	case err != nil:
		return fmt.Errorf("mailindex: read: %w", err)
	case w.bounded:
		return w.unfinished(errors.New("it has looked at as many entries as it may"))
	}
	return nil
}

// A walker is one reading.
type walker struct {
	index   *Index
	tenant  string
	state   rohrpost.State
	visit   func(entry, Cursor) bool
	match   func(entry) bool
	from    int64 // Unix ms, both inclusive
	to      int64
	first   int64  // the oldest hour whose journal may be there
	most    int    // entries to look at; 0: all
	looked  int    // entries
	at      Cursor // where it goes on
	reached int64  // how far it came, Unix ms; 0: nowhere
	enough  bool
	bounded bool // it has had enough because of most
}

func (w *walker) unfinished(cause error) error {
	u := &Unfinished{Next: w.at, cause: cause}
	if w.reached > 0 {
		u.At = time.UnixMilli(w.reached).UTC()
	}
	return u
}

// newWalker is nil if nothing is indexed that could match.
func (x *Index) newWalker(ctx context.Context, q Query, visit func(entry, Cursor) bool) (*walker, error) {
	now := x.now()
	w := &walker{
		index: x, tenant: q.Tenant, state: q.State, visit: visit, most: q.Most,
		first: hourOf(now.Add(-x.keep - Slack)),
	}
	w.from, w.to = q.span()
	if q.Recipient == "" && q.User == "" {
		w.match = func(entry) bool { return true }
		return w, nil
	}
	if err := x.Prepare(ctx); err != nil {
		return nil, err
	}
	p := x.printer(q.Tenant)
	if p == nil {
		return nil, errors.New("mailindex: redis does not give the key of the index")
	}
	w.match = p.matcher(q)
	return w, nil
}

// matcher compares recipient and user.
func (p *printer) matcher(q Query) func(entry) bool {
	user := p.user(q.User)
	looked := Fold(q.Recipient)
	domain, isDomain := strings.CutPrefix(looked, "@")
	recipient := p.print(kindAddress, looked)
	if isDomain {
		recipient = p.print(kindDomain, domain)
	}
	return func(e entry) bool {
		return (q.User == "" || e.user() == user) && (looked == "" || e.concerns(recipient, isDomain))
	}
}

// show hands out an entry if it is picked, and reports whether to go on behind it.
func (w *walker) show(e entry, next Cursor) bool {
	ms := e.ms()
	w.at, w.reached = next, ms
	if ms >= w.from && ms <= w.to && w.match(e) {
		w.enough = !w.visit(e, next)
	}
	if w.looked++; w.looked == w.most && !w.enough {
		w.enough, w.bounded = true, true
	}
	return !w.enough
}

// older goes through the notes of mails that are older than the journal.
func (w *walker) older(ctx context.Context) error {
	of := states()
	if w.state != "" {
		of = []rohrpost.State{w.state}
	}
	return w.notes(ctx, of, min(w.to, hourTime(w.first).UnixMilli()-1))
}
