package system

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
)

const (
	// fresh is for how long a count is shown again: there may be thousands of backlogs.
	fresh = 10 * time.Second
	// countTimeout bounds a count. It is shorter than what a page waits for Redis, so
	// that the page can tell that it has failed.
	countTimeout = 1500 * time.Millisecond
	// patience is how long Read waits for a count.
	patience = 50 * time.Millisecond
	// longest is how many accounts are named.
	longest = 20
)

// ErrCounting says that the backlogs are being counted for the first time.
var ErrCounting = errors.New("the backlogs are being counted")

// A Group is what waits for one reason.
type Group struct {
	Reason dispatch.Reason
	Mails  int64
	Oldest time.Time // when the oldest of the mails began to wait; zero: there is none
}

// A Backlog is what waits for one account.
type Backlog struct {
	Account string
	Group
}

// A Count says what waits for accounts.
type Count struct {
	At       time.Time
	Mails    int64
	Accounts int
	Reasons  []Group   // all that there are, in their order
	Longest  []Backlog // at most 20, the longest first
	// More says that there are more accounts with backlogs than were counted.
	More bool
}

// BacklogsOptions are those of NewBacklogs. Redis is required.
type BacklogsOptions struct {
	Redis  redis.UniversalClient
	States func() []*breaker.State // of accounts and servers, as the process knows them; nil: none
	Now    func() time.Time        // nil: time.Now
}

// Backlogs count what waits for accounts. They count in the background, and at most
// every ten seconds.
type Backlogs struct {
	store  *backlog.Store
	states func() []*breaker.State
	now    func() time.Time

	counts sync.WaitGroup

	mu       sync.Mutex
	last     Count
	err      error     // of the latest count
	ended    time.Time // when that has ended
	counting *counting // nil: there is none under way
	closed   bool
}

// A counting is a count under way.
type counting struct {
	done   chan struct{}
	cancel context.CancelFunc
}

// NewBacklogs makes them; it does no I/O.
func NewBacklogs(o BacklogsOptions) (*Backlogs, error) {
	if o.Redis == nil {
		return nil, errors.New("system: no Redis")
	}
	b := &Backlogs{store: backlog.New(o.Redis, nil), states: o.States, now: o.Now}
	if b.states == nil {
		b.states = func() []*breaker.State { return nil }
	}
	if b.now == nil {
		b.now = time.Now
	}
	return b, nil
}

// Close ends the count under way.
func (b *Backlogs) Close() {
	b.mu.Lock()
	b.closed = true
	if b.counting != nil {
		b.counting.cancel()
	}
	b.mu.Unlock()
	b.counts.Wait()
}

// Begin has the backlogs counted, if the last count is older than ten seconds.
func (b *Backlogs) Begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beginLocked()
}

func (b *Backlogs) beginLocked() {
	again := fresh
	if b.err != nil {
		again = countTimeout
	}
	if b.closed || b.counting != nil || b.now().Sub(b.ended) < again {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	c := &counting{make(chan struct{}), cancel}
	b.counting = c
	b.counts.Go(func() {
		defer cancel()
		count, err := b.count(ctx)
		b.mu.Lock()
		defer b.mu.Unlock()
		defer close(c.done)
		b.counting, b.err, b.ended = nil, err, b.now()
		if err == nil {
			b.last = count
		}
	})
}

// Read is the latest count. It waits a moment for a new one, and then answers with the
// one before. The error is ErrCounting if there is none yet, or that of the latest count.
func (b *Backlogs) Read(ctx context.Context) (Count, error) {
	b.mu.Lock()
	b.beginLocked()
	counting := b.counting
	b.mu.Unlock()
	if counting != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-counting.done:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return Count{}, b.err
	case b.last.At.IsZero():
		return Count{}, ErrCounting
	}
	return b.last, nil
}

func (b *Backlogs) count(ctx context.Context) (Count, error) {
	kinds := dispatch.Kinds(b.states())
	count := Count{At: b.now()}
	groups := map[dispatch.Reason]Group{}
	err := b.store.Stats(ctx, func(s backlog.Stat) {
		account := Backlog{s.Account, Group{dispatch.ReasonNow(s.Reason, kinds[s.Account]), s.Mails, s.Oldest}}
		count.Accounts++
		count.Mails += s.Mails
		count.Longest = append(count.Longest, account)
		g := groups[account.Reason]
		g.Mails += s.Mails
		if g.Oldest.IsZero() || s.Oldest.Before(g.Oldest) {
			g.Oldest = s.Oldest
		}
		groups[account.Reason] = g
	})
	if err != nil {
		return Count{}, err
	}
	for _, reason := range dispatch.Reasons() {
		g := groups[reason]
		g.Reason = reason
		count.Reasons = append(count.Reasons, g)
	}
	slices.SortFunc(count.Longest, func(a, b Backlog) int {
		return cmp.Or(cmp.Compare(b.Mails, a.Mails), a.Oldest.Compare(b.Oldest), cmp.Compare(a.Account, b.Account))
	})
	count.More = count.Accounts >= backlog.MostStats
	count.Longest = slices.Clone(count.Longest[:min(len(count.Longest), longest)])
	return count, nil
}
