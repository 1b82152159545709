package dispatch

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// patience is how long a mail may wait in a worker for a connection. A mail that
	// would wait for longer waits in the backlog.
	patience = 50 * time.Millisecond
	// hopedPace is the time from one mail to the next of an account of which nothing is
	// known.
	hopedPace = 5 * time.Millisecond
	// caution is for how long an account gets fewer connections after its server
	// had enough of them; briefCaution if other processes have them.
	caution, briefCaution = 10 * time.Minute, 250 * time.Millisecond
	// usualConnections are those of an account that this process has not met.
	usualConnections = 4
	// forgetAfter is when an account that sends nothing is forgotten.
	forgetAfter = 10 * time.Minute
)

// A budget is what this process may have in flight of one account.
type budget struct {
	target    Target
	mails     int       // admitted and not done
	received  int       // and not admitted
	full      time.Time // since when there have been as many as there are connections
	last      time.Time // when a mail ended
	pace      time.Duration
	capped    int // connections that the server has shown to allow, until cappedEnd
	cappedEnd time.Time
	left      int // mails for which other processes leave connections, until leftEnd
	leftEnd   time.Time
	look      time.Time // not before: the rates have no place
}

// limitLocked is how many mails of the account may be with its server; 0 if other
// processes have all its connections.
func (d *Dispatcher) limitLocked(b *budget) int {
	limit := b.target.Connections
	if limit <= 0 {
		limit = usualConnections
	}
	if d.workers > 0 {
		limit = min(limit, max(1, d.workers-d.workers/4))
	}
	now := d.now()
	if now.Before(b.cappedEnd) {
		limit = min(limit, b.capped)
	}
	if now.Before(b.leftEnd) {
		limit = min(limit, b.left)
	}
	return limit
}

// mostLocked is how many mails may be in flight, those included that wait for a
// connection.
func (d *Dispatcher) mostLocked(b *budget, now time.Time) int {
	if now.Before(b.leftEnd) { // a mail that waits for one here does not get it
		return d.limitLocked(b)
	}
	return d.limitLocked(b) + b.beyond(now)
}

// beyond is how many mails more may wait for a connection here, by the pace at
// which the account's mails end. None waits for an account that has stood still.
func (b *budget) beyond(now time.Time) int {
	since := b.last
	if b.full.After(since) {
		since = b.full
	}
	if !b.full.IsZero() && now.Sub(since) > patience {
		return 0
	}
	return int(patience / max(b.pace, time.Microsecond))
}

// take takes a mail into its account's budget if there is room. A received one has its
// room already.
func (d *Dispatcher) take(t *Target, m queue.Ref) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	b := d.budgetLocked(t.Account)
	b.target = *t
	r := d.received[m]
	expected := r != nil && r.begun
	if expected {
		d.strikeLocked(m) // it is no promise any more
	}
	if d.spareLocked(b, &asked{}) <= 0 || d.silentLocked(t.Server) {
		d.pressed = true
		return false
	}
	if expected && t.Limits.None() { // else Acquire acknowledges
		d.ackLocked(m, r.account, r.handle)
	}
	if !expected && b.mails+b.received >= d.mostLocked(b, now) {
		return false
	}
	d.countLocked(b, 1)
	if b.mails >= d.limitLocked(b) && b.full.IsZero() {
		b.full = now
	}
	return true
}

// giveBack undoes take.
func (d *Dispatcher) giveBack(p *Permit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.landLocked(p)
	b := d.budgetLocked(p.target.Account)
	d.countLocked(b, -1)
	if b.mails < d.limitLocked(b) {
		b.full = time.Time{}
	}
}

// finish is giveBack after a mail: it learns the pace, and lets waiting mails go.
func (d *Dispatcher) finish(p *Permit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	b := d.budgetLocked(p.target.Account)
	d.landLocked(p)
	if limit := d.limitLocked(b); b.mails >= limit {
		since := b.last
		if b.full.After(since) {
			since = b.full
		}
		b.pace += (now.Sub(since) - b.pace) / 5
		if b.mails == limit {
			b.full = time.Time{}
		}
	}
	b.last = now
	d.countLocked(b, -1)
	if d.marked[p.target.Account] != nil || d.pressed {
		d.wake()
	}
}

// fewer notes that the server wants fewer connections than there are; false if there
// is only one.
func (d *Dispatcher) fewer(account string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.budgetLocked(account)
	n := min(b.mails, d.limitLocked(b))
	if n <= 1 {
		return false
	}
	b.capped, b.cappedEnd = n-1, d.now().Add(caution)
	return true
}

// crowded notes that a mail has found no connection: other processes have them.
func (d *Dispatcher) crowded(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.budgetLocked(account)
	now := d.now()
	if !now.Before(b.leftEnd) || b.left >= b.mails {
		b.left = b.mails - 1
	}
	b.leftEnd = now.Add(briefCaution)
}

// budgetLocked is that of an account.
func (d *Dispatcher) budgetLocked(account string) *budget {
	b := d.budgets[account]
	if b == nil {
		b = &budget{pace: hopedPace, last: d.now()}
		d.budgets[account] = b
	}
	return b
}
