package mails

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/payload"
)

const (
	// MaxLimit is how many mails a page may have.
	MaxLimit = 500
	// firstChunk is how many records are read at once in the beginning, and mostChunk
	// later.
	firstChunk, mostChunk = 100, 1600
	// mostLooked is how many entries of the index a page looks at, mostRecords how many
	// records it compares, and mostCounted how many entries its total may cost beside: on
	// a quiet machine it answers within a tenth of a second, whatever is looked for.
	mostLooked, mostRecords, mostCounted = 250_000, 5000, 100_000
)

// bounds are how much a look may cost; 0: whatever its time allows.
type bounds struct{ entries, records int }

// An Item is a mail in a list.
type Item struct {
	rohrpost.Status
	User    string // the id of the person who caused it
	Subject Subject
}

// A Subject is as much of a mail's as is known.
type Subject struct {
	Text   string
	Sealed bool // it is kept, and this process has no key for it
}

// A Page of mails, the newest first.
type Page struct {
	Items []Item
	// Next is the cursor of the page behind it; empty: there is none.
	Next string
	// Total is how many mails the filter picks. Exact is false if there may be more than
	// that; only the first page has a total at all (Counted).
	Total   int64
	Exact   bool
	Counted bool
	// Reached is how far back the look for mails came when it had cost as much as a page
	// may; Next goes on there. Zero: it came to the end of the page.
	Reached time.Time
}

// List is a page of a tenant's mails, from a cursor on: "" or a Next. It reads no more than
// a page may, and takes no longer than the budget, whatever it looks for. Mails that were
// enqueued by an older version are in it only if there is something to say about them; by
// their id they are found. The error is rohrpost.FieldErrors, mailindex.ErrCursor, or
// Redis's.
func (s *Service) List(ctx context.Context, tenant string, f Filter, cursor string, limit int) (Page, error) {
	if err := f.Check(); err != nil {
		return Page{}, err
	}
	from, err := mailindex.ParseCursor(cursor)
	if err != nil {
		return Page{}, err
	}
	limit = min(max(limit, 1), MaxLimit)
	if f.one() {
		return s.one(ctx, tenant, f)
	}
	budget, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	var page Page
	err = s.scan(budget, tenant, f, from, bounds{mostLooked, mostRecords}, func(r *ledger.Record, next mailindex.Cursor) bool {
		if len(page.Items) == limit {
			return false
		}
		page.Items = append(page.Items, s.item(r))
		page.Next = next.String()
		return true
	}, &page)
	if err == nil && from.IsZero() {
		err = s.total(budget, tenant, f, &page)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return page, err
}

// total counts what the filter picks, unless looking for a page has cost too much already.
func (s *Service) total(ctx context.Context, tenant string, f Filter, page *Page) error {
	page.Counted = true
	shown := int64(len(page.Items))
	if page.Next == "" {
		page.Total, page.Exact = shown, true
		return nil
	}
	q := f.query(tenant)
	q.Most = mostCounted
	if !page.Reached.IsZero() && (q.Recipient != "" || q.User != "") {
		page.Total = shown
		return nil
	}
	n, exact, err := s.index.Count(ctx, q)
	if err != nil && ctx.Err() == nil {
		return err
	}
	page.Total, page.Exact = max(n, shown), exact && err == nil
	return nil
}

// scan hands out the records that a filter picks, the newest first, until visit has
// enough. Where the time of ctx is over, or it has cost what it may, the page says how far
// it came and where to go on.
func (s *Service) scan(ctx context.Context, tenant string, f Filter, from mailindex.Cursor, most bounds, visit func(*ledger.Record, mailindex.Cursor) bool, page *Page) error {
	l := look{service: s, tenant: tenant, filter: f, visit: visit, seen: map[string]bool{}, done: from, most: most.records}
	q := f.query(tenant)
	q.Most = most.entries
	size := firstChunk
	var failed error
	err := s.index.Walk(ctx, q, from, func(e mailindex.Entry) bool {
		if l.found = append(l.found, e); len(l.found) >= size || l.spent() {
			failed, size = l.read(ctx), min(2*size, mostChunk)
		}
		return failed == nil && !l.enough && !l.spent()
	})
	ended, stopped := errors.AsType[*mailindex.Unfinished](err)
	if stopped && ctx.Err() == nil {
		err = nil // it has looked at enough entries
	}
	if err = errors.Join(err, failed); err == nil {
		err = l.read(ctx)
	}
	switch {
	case l.enough:
		return nil
	case err == nil && !stopped && !l.spent():
		page.Next = ""
		return nil
	case err != nil && ctx.Err() == nil:
		return err
	}
	if stopped && len(l.found) == 0 && !ended.Next.IsZero() {
		l.done, l.reached = ended.Next, ended.At
	}
	if l.done.IsZero() {
		return err // it came nowhere
	}
	page.Next, page.Reached = l.done.String(), l.reached
	return nil
}

// A look goes through what the index has found.
type look struct {
	service *Service
	tenant  string
	filter  Filter
	visit   func(*ledger.Record, mailindex.Cursor) bool
	seen    map[string]bool
	found   []mailindex.Entry // and not read yet
	done    mailindex.Cursor  // behind what was read
	reached time.Time
	most    int // records that may be read; 0: any number
	records int // that were read
	enough  bool
}

// spent reports whether it has read as many records as it may, with what was found.
func (l *look) spent() bool { return l.most > 0 && l.records+len(l.found) >= l.most }

// read reads the records of what was found, and shows those that are picked.
func (l *look) read(ctx context.Context) error {
	if len(l.found) == 0 {
		return nil
	}
	picked, err := l.service.pick(ctx, l.tenant, l.filter, l.found)
	if err != nil {
		return err
	}
	for i, r := range picked {
		if l.enough || r == nil || l.seen[r.ID] {
			continue
		}
		l.seen[r.ID] = true
		l.enough = !l.visit(r, l.found[i].Next)
	}
	l.records += len(l.found)
	last := l.found[len(l.found)-1]
	l.done, l.reached, l.found = last.Next, last.EnqueuedAt, l.found[:0]
	return nil
}

// pick reads the records of entries; nil stands for those that the filter does not pick.
// Where states must be compared, records are read only of those that have the right one.
func (s *Service) pick(ctx context.Context, tenant string, f Filter, found []mailindex.Entry) ([]*ledger.Record, error) {
	keys := make([]payload.Key, len(found))
	for i, e := range found {
		keys[i] = payload.KeyOf(tenant, e.ID)
	}
	wanted := keys
	if f.State != "" {
		states, err := s.ledger.States(ctx, keys)
		if err != nil {
			return nil, err
		}
		wanted = nil
		for i, state := range states {
			if state == f.State {
				wanted = append(wanted, keys[i])
			}
		}
	}
	records, err := s.ledger.LoadAll(ctx, wanted)
	if err != nil {
		return nil, err
	}
	byKey := make(map[payload.Key]*ledger.Record, len(records))
	for _, r := range records {
		if f.picks(tenant, r) {
			byKey[r.Key] = r
		}
	}
	picked := make([]*ledger.Record, len(keys))
	for i, key := range keys {
		picked[i] = byKey[key]
	}
	return picked, nil
}

// one is the page of a filter that names a mail, which needs no index.
func (s *Service) one(ctx context.Context, tenant string, f Filter) (Page, error) {
	page := Page{Exact: true, Counted: true}
	for _, id := range f.ids() {
		r, err := s.ledger.Find(ctx, tenant, id)
		if errors.Is(err, ledger.ErrUnknown) {
			continue
		}
		if err != nil {
			return Page{}, err
		}
		if f.picks(tenant, r) {
			page.Items, page.Total = append(page.Items, s.item(r)), page.Total+1
		}
	}
	return page, nil
}

func (s *Service) item(r *ledger.Record) Item {
	return Item{Status: r.Status, User: r.User, Subject: s.subject(r)}
}

func (s *Service) subject(r *ledger.Record) Subject {
	if !envelope.IsSealed(r.Subject) {
		return Subject{Text: r.Subject}
	}
	if s.subjects != nil {
		if text, err := s.subjects.Line(r.Subject, r.Key); err == nil {
			return Subject{Text: text}
		}
	}
	return Subject{Sealed: true}
}
