package chaos

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
)

// A mailing is a mail that was sent, and what servers have taken of it.
type mailing struct {
	id         string
	recipients []string
	hold       bool

	receipt       rohrpost.Receipt // zero: Send has not answered yet
	tried         bool             // somebody has tried to cancel it
	canceled      time.Time        // when Cancel answered nil
	copies        []*parcel
	afterAccepted []string // recipients to whom it went although the ledger had their acceptance
	broken        []string // what servers noticed
}

// A parcel is one mail that a server took.
type parcel struct {
	messageID  string
	recipients []string
	at         time.Time // before the 250 was sent
	seen       bool      // the client went on, so it has read the 250
}

// has counts the copies that a recipient has.
func (m *mailing) has(recipient string) (n int) {
	for _, p := range m.copies {
		if slices.Contains(p.recipients, recipient) {
			n++
		}
	}
	return n
}

// The books know every mail and every copy.
type books struct {
	mu     sync.Mutex
	mails  map[string]*mailing
	visits map[string]int
}

func newBooks() *books {
	return &books{mails: map[string]*mailing{}, visits: map[string]int{}}
}

// with is for a mail's reader or writer.
func (b *books) with(id string, do func(*mailing)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.mails[id]; m != nil {
		do(m)
	}
}

func (b *books) open(m *mailing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mails[m.id] = m
}

// list is all mails; nobody writes any more.
func (b *books) list() []*mailing {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*mailing, 0, len(b.mails))
	for _, m := range b.mails {
		out = append(out, m)
	}
	slices.SortFunc(out, func(x, y *mailing) int { return strings.Compare(x.id, y.id) })
	return out
}

// visit numbers the visits of a place from 1.
func (b *books) visit(place string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.visits[place]++
	return b.visits[place]
}

// enqueued counts the mails that the queue has accepted.
func (b *books) enqueued() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mails {
		if m.receipt.ID != "" {
			n++
		}
	}
	return n
}

func (b *books) copies() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.mails {
		n += len(m.copies)
	}
	return n
}

// idOf is the mail of a recipient: the part between "." and "@".
func idOf(recipient string) string {
	local, _, _ := strings.Cut(recipient, "@")
	_, id, _ := strings.Cut(local, ".")
	return id
}
