package dispatch

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// lookEvery is how often the index of backlogs is asked for those that are due.
	lookEvery = 250 * time.Millisecond
	// mostBacklogs bounds one look.
	mostBacklogs = 64
	// A mail that another worker is just putting down goes behind those of the next
	// second, and is tried again a moment later.
	missedDelay = time.Second
	missedPause = 20 * time.Millisecond
)

// A Taker is the queue, whose tasks the free workers of this process take over: see
// queue.Pool.Claim.
type Taker interface {
	Claim(mails []queue.Ref, missed func(queue.Ref, queue.Miss))
}

// Serve receives mails whenever this process has room for them, and hands them to its
// workers, until ctx ends.
func (d *Dispatcher) Serve(ctx context.Context, t Taker) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		index := false
		select {
		case <-ctx.Done():
			return
		case <-d.signal:
		case <-tick.C:
			index = true
		}
		if err := d.serve(ctx, t, index); err != nil && ctx.Err() == nil {
			d.log.Debug().Err(err).Msg("mails that wait for their account were not looked at; soon again")
			select { // a Redis that is away is not hammered
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}
}

// serve is one round: it acknowledges, then receives what this process has room for.
func (d *Dispatcher) serve(ctx context.Context, t Taker, index bool) error {
	var due []string
	if index {
		d.tidy()
		accounts, err := d.backlog.Due(ctx, mostBacklogs)
		if err != nil {
			return err
		}
		due = accounts
		for _, a := range accounts {
			d.occupied(a)
		}
	}
	if err := errors.Join(d.acknowledge(ctx), d.announceOn(ctx, t)); err != nil {
		return err
	}
	requests := d.requests(due)
	if len(requests) == 0 {
		return nil
	}
	batches, err := d.backlog.Receive(ctx, requests)
	if err != nil {
		return err
	}
	for i := range batches {
		d.handOver(ctx, t, &batches[i])
	}
	return nil
}

// acknowledge tells Redis which received mails have come to a worker.
func (d *Dispatcher) acknowledge(ctx context.Context) error {
	d.mu.Lock()
	acks := d.acks
	d.acks = map[string][]backlog.Receipt{}
	d.mu.Unlock()
	if len(acks) == 0 {
		return nil
	}
	err := d.backlog.Ack(ctx, acks)
	if err != nil { // again in the next round
		d.mu.Lock()
		defer d.mu.Unlock()
		for account, list := range acks {
			d.acks[account] = append(d.acks[account], list...)
		}
	}
	return err
}

// requests ask for mails of the accounts whose backlogs may hold some and for which this
// process has room. Those that were due and have none are asked for no mail: another
// process looks later.
func (d *Dispatcher) requests(due []string) []backlog.Request {
	d.mu.Lock()
	accounts := slices.Collect(maps.Keys(d.marked))
	d.pressed = false
	d.mu.Unlock()
	var requests []backlog.Request
	round := &asked{tenants: map[string]int{}}
	for _, a := range accounts {
		n, limits := d.room(a, round)
		if n > 0 || slices.Contains(due, a) {
			requests = append(requests, backlog.Request{Account: a, N: n, Limits: limits})
		}
		if len(requests) >= mostBacklogs {
			d.wake()
			break
		}
	}
	return requests
}

// room is how many mails of an account this process can take now, and its limits, if
// this process has met it. round is what this round asks for already.
func (d *Dispatcher) room(account string, round *asked) (n int, limits *backlog.Limits) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	b := d.budgetLocked(account)
	target := b.target
	if target.Account == "" {
		target.Account = account
	} else {
		limits = &target.Limits
	}
	if now.Before(b.look) {
		return 0, limits
	}
	most := d.mostLocked(b, now)
	if state, halfOpen := d.breaker.Blocked(&target.Target); state != nil {
		if !halfOpen {
			return 0, limits
		}
		most = 1
	}
	if d.workers > 0 {
		most = min(most, d.workers)
	}
	if d.silentLocked(target.Server) {
		d.pressed = true
		return 0, limits
	}
	n = max(0, most-b.mails-b.received)
	if spare := max(0, d.spareLocked(b, round)); spare < n {
		n, d.pressed = spare, true
	}
	round.all += n
	if tenant := b.tenant(); tenant != "" {
		round.tenants[tenant] += n
	}
	return n, limits
}

// handOver hands received mails to the workers.
func (d *Dispatcher) handOver(ctx context.Context, t Taker, batch *backlog.Batch) {
	d.mu.Lock()
	d.budgetLocked(batch.Account).look = batch.Due
	if batch.Left == 0 {
		delete(d.marked, batch.Account)
	}
	places := make(map[queue.Ref]backlog.Waiting, len(batch.Mails))
	mails := make([]queue.Ref, len(batch.Mails))
	for i, w := range batch.Mails {
		mails[i], places[w.Ref] = w.Ref, w
	}
	d.expectLocked(batch.Account, batch.Handle, mails)
	d.mu.Unlock()
	if len(mails) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	t.Claim(mails, func(m queue.Ref, why queue.Miss) {
		if why == queue.MissGone {
			d.gone(m, batch.Account, batch.Handle)
			return
		}
		d.missed(m, batch.Handle)
		_ = d.backlog.Nack(ctx, batch.Account, places[m].Later(missedDelay)) // else it returns by itself
		d.lookLater(batch.Account, d.now().Add(missedPause))
		time.AfterFunc(missedPause, d.wake)
	})
}

// tidy forgets received mails that did not come, and accounts that send nothing.
func (d *Dispatcher) tidy() {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for m, r := range d.received {
		if now.After(r.until) {
			d.strikeLocked(m)
		}
	}
	for account, b := range d.budgets {
		if b.mails == 0 && b.received == 0 && d.marked[account] == nil && now.Sub(b.last) > forgetAfter && now.After(b.cappedEnd) {
			delete(d.budgets, account)
		}
	}
}
