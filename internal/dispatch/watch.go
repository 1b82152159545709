package dispatch

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// Run hears which backlogs have mails that may go, until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) {
	redisconn.Listen(ctx, d.redis, backlog.Channel, d.occupied)
}

// occupied notes that an account's backlog holds mails.
func (d *Dispatcher) occupied(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.markLocked(account)
	d.wake()
}

// markLocked notes that an account's backlog may hold mails.
func (d *Dispatcher) markLocked(account string) *budget {
	b := d.budgetLocked(account)
	d.marked[account] = b
	return b
}

// lookLater notes that an account's backlog holds mails that cannot go before a moment.
func (d *Dispatcher) lookLater(account string, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.markLocked(account).look = due
}

// Parked implements breaker.Watcher: the mails that wait for a connection of the account
// must hear of it.
func (d *Dispatcher) Parked(account string) { d.announce(account) }

// Reset implements breaker.Watcher: the mails that waited for the account or server go.
func (d *Dispatcher) Reset(account, server string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, b := range d.budgets {
		if id == account || server != "" && b.target.Server == server {
			d.markLocked(id).look = time.Time{}
		}
	}
	if b := d.budgets[account]; b != nil {
		b.target.Fingerprint = nil // its settings may be new: the next mail knows them
	}
	d.wake()
}

// wake lets Serve look.
func (d *Dispatcher) wake() {
	select {
	case d.signal <- struct{}{}:
	default:
	}
}
