package dispatch

import (
	"context"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// mostTold is how many mails hear at a time that their account is parked.
	mostTold = 16
	// lateFor is how much later a mail may be enqueued that was turned away before its
	// account was parked. lateClock allows for clocks that differ.
	lateFor, lateClock = 2 * time.Second, 10 * time.Second
)

// A notice goes to the mails in a backlog: their account is parked. A worker takes each
// of them, so that its record says so; the mail keeps its place meanwhile. Mails that
// are enqueued later know it.
type notice struct {
	since time.Time   // when the account was parked
	next  int64       // place in the backlog
	again []queue.Ref // that another worker was just putting down, or that came late
}

// announce lets the mails that wait for a connection hear that their account is parked.
func (d *Dispatcher) announce(account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notices[account] = &notice{since: d.now()}
	d.wake()
}

// announceLate lets a mail hear that was turned away before the notice, and enqueued
// after it. It may stand anywhere, by its priority.
func (d *Dispatcher) announceLate(account string, m queue.Ref) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.notices[account]; n != nil {
		n.again = append(n.again, m)
	}
}

// announceOn lets the next mails hear.
func (d *Dispatcher) announceOn(ctx context.Context, t Taker) error {
	d.mu.Lock()
	all := make(map[string]*notice, len(d.notices))
	for account, n := range d.notices {
		if !d.breaker.IsParked(account) {
			delete(d.notices, account)
			continue
		}
		all[account] = n
	}
	d.mu.Unlock()
	for account, n := range all {
		mails, err := d.unaware(ctx, account, n)
		if err != nil {
			return err
		}
		if len(mails) > 0 {
			d.tell(t, account, n, mails)
		}
	}
	return nil
}

// unaware are some of the mails that have not heard.
func (d *Dispatcher) unaware(ctx context.Context, account string, n *notice) ([]queue.Ref, error) {
	d.mu.Lock()
	room := max(0, mostTold-d.budgetLocked(account).received)
	mails := slices.Clone(n.again[:min(len(n.again), room)])
	n.again = n.again[len(mails):]
	from, more := n.next, room-len(mails)
	d.mu.Unlock()
	var waiting []backlog.Waiting
	if more > 0 {
		var err error
		if waiting, err = d.backlog.Peek(ctx, account, from, int64(more)); err != nil {
			return nil, err
		}
	}
	for _, w := range waiting {
		if !w.Since().After(n.since.Add(lateClock)) {
			mails = append(mails, w.Ref)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n.next += int64(len(waiting))
	d.expectLocked(account, "", mails)
	if len(waiting) < more && len(n.again) == 0 && d.now().After(n.since.Add(lateFor)) {
		delete(d.notices, account)
	}
	return mails, nil
}

// tell has workers take mails that keep their places.
func (d *Dispatcher) tell(t Taker, account string, n *notice, mails []queue.Ref) {
	t.Claim(mails, func(m queue.Ref, why queue.Miss) {
		d.missed(m, "")
		if why == queue.MissGone {
			return
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		n.again = append(n.again, m)
		d.notices[account] = n
		time.AfterFunc(missedPause, d.wake)
	})
}
