package dispatch

import (
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// beginTime is how long a received mail is expected to come to a worker.
const beginTime = 15 * time.Second

// A receipt is that of a received mail. A worker that has the same mail from before,
// and is just putting it down, has nothing to do with it: only a worker that begins
// with the mail after it was received uses the receipt.
type receipt struct {
	account string
	tenant  string // whose account it is, as far as that is known
	handle  string // empty: it keeps its place in the backlog
	until   time.Time
	begun   bool // a worker has begun with it
}

// expectLocked notes that mails are received.
func (d *Dispatcher) expectLocked(account, handle string, mails []queue.Ref) {
	until := d.now().Add(beginTime)
	for _, m := range mails {
		d.strikeLocked(m) // it was received before: that is no second mail
		b := d.budgetLocked(account)
		d.received[m] = &receipt{account: account, tenant: b.tenant(), handle: handle, until: until}
		b.received++
		d.shares.expect(b.tenant(), 1)
	}
}

// Begin notes that a worker begins with a mail, and reports whether this process has
// received it: it has waited before. End must follow.
func (d *Dispatcher) Begin(m queue.Ref) (received bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.received[m]
	if r != nil {
		r.begun = true
	}
	return r != nil
}

// End notes that a worker is done with a mail. If the mail was received and not
// admitted, its job has ended, or waits for something else.
func (d *Dispatcher) End(m queue.Ref) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.received[m]; r != nil && r.begun {
		d.strikeLocked(m)
		d.ackLocked(m, r.account, r.handle)
	}
}

// turnedAway notes that a mail must wait again, which ends its receipt. What stands in
// its way is that of its account, which is known now.
func (d *Dispatcher) turnedAway(t *Target, m queue.Ref) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.budgetLocked(t.Account).target = *t
	if r := d.received[m]; r != nil && r.begun {
		d.strikeLocked(m)
	}
}

// gone notes that a received mail does not wait any more.
func (d *Dispatcher) gone(m queue.Ref, account, handle string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dismissLocked(m, handle)
	d.ackLocked(m, account, handle)
}

// missed notes that no worker could take over a received mail.
func (d *Dispatcher) missed(m queue.Ref, handle string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dismissLocked(m, handle); len(d.notices) > 0 {
		d.wake()
	}
}

// dismissLocked no longer expects a mail that was received with that handle.
func (d *Dispatcher) dismissLocked(m queue.Ref, handle string) {
	if r := d.received[m]; r != nil && r.handle == handle {
		d.strikeLocked(m)
	}
}

// strikeLocked forgets the receipt of a mail.
func (d *Dispatcher) strikeLocked(m queue.Ref) {
	if r := d.received[m]; r != nil {
		delete(d.received, m)
		d.budgetLocked(r.account).received--
		d.shares.expect(r.tenant, -1)
	}
}

// ackLocked acknowledges a mail in the next round, if it was taken out of its backlog.
func (d *Dispatcher) ackLocked(m queue.Ref, account, handle string) {
	if handle != "" {
		d.acks[account] = append(d.acks[account], backlog.Receipt{Ref: m, Handle: handle})
		d.wake()
	}
}
