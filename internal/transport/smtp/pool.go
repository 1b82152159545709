package smtp

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/internal/transport"
)

// fullFor is how long no other lease is asked for when there was none.
const fullFor = time.Second

// wantedFor is how long a connection is given up for somebody who waits for its place,
// and asks every second.
const wantedFor = 2 * time.Second

// A pool keeps the connections of all accounts. A place in it is taken before a
// lease is, and that before a connection is opened; both are given back when it is
// closed, QUIT included: servers count connections too.
type pool struct {
	options *Options

	mu       sync.Mutex
	accounts map[string]*account // those with a place
	open     int                 // places taken
	idle     int
	closing  int
	waiters  []*waiter   // first come first
	timer    *time.Timer // nil: nothing is idle
	closed   bool
	wg       sync.WaitGroup // closing connections, and the timer
}

type account struct {
	version string // last asked for; idle connections have it
	limit   int
	open    int
	idle    []*conn   // longest idle first
	full    time.Time // until then connections are shared, for want of a lease
	wanted  time.Time // until then the next connection that has done its mail is given up
}

// A waiter waits for a connection or a place.
type waiter struct {
	account, version string
	limit            int
	until            time.Time
	ready            chan grant // of one
}

// A grant is an idle connection, or a place to open one if conn is nil.
type grant struct {
	conn *conn
	err  error
}

func newPool(o *Options) *pool {
	return &pool{options: o, accounts: make(map[string]*account)}
}

// acquire gives an idle connection, or nil and a place to open one. The error is
// transport.ErrBusy, ErrClosed or that of the context.
func (p *pool) acquire(ctx context.Context, w *waiter) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("wait for an smtp connection: %w", err)
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if c, ok := p.tryLocked(w); ok {
		p.mu.Unlock()
		return c, nil
	}
	w.ready = make(chan grant, 1)
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()

	timer := time.NewTimer(time.Until(w.until))
	defer timer.Stop()
	select {
	case g := <-w.ready:
		return g.conn, g.err
	case <-timer.C:
		p.abandon(w)
		return nil, transport.ErrBusy
	case <-ctx.Done():
		p.abandon(w)
		return nil, fmt.Errorf("wait for an smtp connection: %w", ctx.Err())
	}
}

// tryLocked takes an idle connection or a place. For want of a place it closes what
// another account keeps idle.
func (p *pool) tryLocked(w *waiter) (*conn, bool) {
	a := p.accounts[w.account]
	if a == nil {
		a = &account{}
	}
	if a.version != w.version {
		for len(a.idle) > 0 {
			p.retireLocked(a, 0)
		}
		a.version = w.version
	}
	a.limit = w.limit
	for len(a.idle) > 0 {
		last := len(a.idle) - 1
		c := a.idle[last]
		if p.options.Now().Sub(c.idleSince) >= p.options.IdleTimeout {
			p.retireLocked(a, last)
			continue
		}
		a.idle = a.idle[:last]
		p.idle--
		return c, true
	}
	if a.open >= a.limit || a.open > 0 && p.options.Now().Before(a.full) {
		return nil, false
	}
	if p.open >= p.options.MaxOpen {
		if p.closing <= len(p.waiters) {
			p.evictLocked()
		}
		return nil, false
	}
	p.accounts[w.account] = a
	a.open++
	p.open++
	return nil, true
}

// abandon takes a waiter back. What it was granted meanwhile goes to another.
func (p *pool) abandon(w *waiter) {
	p.mu.Lock()
	if i := slices.Index(p.waiters, w); i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	switch g := <-w.ready; {
	case g.err != nil:
	case g.conn != nil:
		p.release(g.conn)
	default:
		p.decline(w.account, false)
	}
}

// release takes a connection back after a mail: it becomes idle or is closed.
func (p *pool) release(c *conn) {
	p.mu.Lock()
	if c.broken || p.closed {
		p.mu.Unlock()
		p.drop(c.account, c, c.lease)
		return
	}
	defer p.mu.Unlock()
	a := p.accounts[c.account]
	c.idleSince = p.options.Now()
	a.idle = append(a.idle, c)
	p.idle++
	wanted := c.idleSince.Before(a.wanted)
	if wanted || c.once || c.version != a.version || c.mails >= p.options.MaxMails {
		a.wanted = time.Time{}
		p.retireLocked(a, len(a.idle)-1)
	} else if p.timer == nil {
		p.wg.Add(1)
		p.timer = time.AfterFunc(p.options.IdleTimeout, p.sweep)
	}
	p.grantLocked()
}

// decline gives back a place for which there was no lease; full says that all are
// taken. It reports whether the account has other places here, so that it is worth
// waiting for one of their connections.
func (p *pool) decline(id string, full bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[id]
	if full {
		a.full = p.options.Now().Add(fullFor)
	}
	others := a.open > 1
	p.leaveLocked(id)
	return others
}

// opened lets those in who had to wait for the first login of an account.
func (p *pool) opened(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts[id].full = time.Time{}
	p.grantLocked()
}

// drop gives up a connection, or the place of one that could not be opened (nil),
// and its lease. No mail waits for that.
func (p *pool) drop(id string, c *conn, lease Lease) {
	p.mu.Lock()
	p.closing++
	if !p.closed {
		p.wg.Go(func() { p.end(id, c, lease) })
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	p.end(id, c, lease) // Close waits no more
}

// end closes a connection, then gives back its lease and at last its place, whose
// next owner finds the lease free.
func (p *pool) end(id string, c *conn, lease Lease) {
	if c != nil {
		c.quit(p.options.Timeouts.Quit)
	}
	lease.Release()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closing--
	p.accounts[id].full = time.Time{}
	p.leaveLocked(id)
}

// leaveLocked gives back a place.
func (p *pool) leaveLocked(id string) {
	a := p.accounts[id]
	a.open--
	p.open--
	if a.open == 0 {
		delete(p.accounts, id)
	}
	p.grantLocked()
}

// grantLocked serves everybody who can be served.
func (p *pool) grantLocked() {
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		c, ok := p.tryLocked(w)
		if ok {
			w.ready <- grant{conn: c}
		}
		return ok
	})
}

// retireLocked closes the i-th idle connection of an account in the background; its
// place is free when that is done.
func (p *pool) retireLocked(a *account, i int) {
	c := a.idle[i]
	a.idle = slices.Delete(a.idle, i, i+1)
	p.idle--
	p.closing++
	p.wg.Go(func() { p.end(c.account, c, c.lease) })
}

// yield gives up a connection of an account: the one that has been idle for longest,
// else the next one that has done its mail.
func (p *pool) yield(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[id]
	switch {
	case a == nil:
	case len(a.idle) > 0:
		p.retireLocked(a, 0)
	default:
		a.wanted = p.options.Now().Add(wantedFor)
	}
}

// evictLocked closes the connection that has been idle for longest, so that another
// account finds a place.
func (p *pool) evictLocked() {
	var oldest *account
	for _, a := range p.accounts {
		if len(a.idle) > 0 && (oldest == nil || a.idle[0].idleSince.Before(oldest.idle[0].idleSince)) {
			oldest = a
		}
	}
	if oldest != nil {
		p.retireLocked(oldest, 0)
	}
}

// sweep closes what has been idle for too long and comes back for the rest.
func (p *pool) sweep() {
	defer p.wg.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	now := p.options.Now()
	next := p.options.IdleTimeout
	for _, a := range p.accounts {
		for len(a.idle) > 0 && now.Sub(a.idle[0].idleSince) >= p.options.IdleTimeout {
			p.retireLocked(a, 0)
		}
		if len(a.idle) > 0 {
			next = min(next, p.options.IdleTimeout-now.Sub(a.idle[0].idleSince))
		}
	}
	if p.idle > 0 && !p.closed {
		p.wg.Add(1)
		p.timer = time.AfterFunc(next, p.sweep)
	}
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.waiters {
		w.ready <- grant{err: ErrClosed}
	}
	p.waiters = nil
	for _, a := range p.accounts {
		for len(a.idle) > 0 {
			p.retireLocked(a, 0)
		}
	}
	if p.timer != nil && p.timer.Stop() {
		p.timer = nil
		p.wg.Done()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *pool) stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Open: p.open, Idle: p.idle, InUse: p.open - p.idle, Waiting: len(p.waiters)}
}
