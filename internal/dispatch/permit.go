package dispatch

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// A Permit lets one mail go. One of Done, Abandon and NoConnection must be called, once.
type Permit struct {
	dispatcher *Dispatcher
	target     Target
	mail       queue.Ref
	counted    bool // at the account's rates
}

// Done ends a mail's way. What it met keeps the others of its account or server from
// meeting it, too. If the mail itself must wait for that, Done says so: see Enqueue.
func (p *Permit) Done(ctx context.Context, r breaker.Result) *Wait {
	d, account := p.dispatcher, p.target.Account
	ctx = context.WithoutCancel(ctx)
	if p.counted {
		if err := d.backlog.Release(ctx, account, p.mail, r.Reached); err != nil {
			d.log.Warn().Err(err).Str("account", account).Msg("a mail is counted at its account's limits for a minute longer")
		}
	}
	defer d.finish(p)
	if oneTooMany(r.Failure) && d.fewer(account) {
		return &Wait{Reason: Busy} // there are others
	}
	return blocked(d.breaker.Record(ctx, &p.target.Target, r))
}

// oneTooMany reports whether a failure may say that there is one connection too many.
func oneTooMany(f *failure.Failure) bool {
	if f == nil || f.Hearsay() || !f.Stage.BeforeMail() || f.Code/100 != 4 {
		return false
	}
	scope := f.Scope()
	return scope == failure.ScopeServer || scope == failure.ScopeAccount
}

// Abandon ends a mail's way of which nothing was learned.
func (p *Permit) Abandon(ctx context.Context) {
	if p.counted {
		_ = p.dispatcher.backlog.Release(context.WithoutCancel(ctx), p.target.Account, p.mail, false)
	}
	p.dispatcher.finish(p)
}

// NoConnection ends the way of a mail that has found no connection: other processes
// have them all. It is in the backlog then.
func (p *Permit) NoConnection(ctx context.Context) (*Wait, error) {
	p.dispatcher.crowded(p.target.Account)
	p.Abandon(ctx)
	w := &Wait{Reason: Busy}
	return w, p.dispatcher.Enqueue(ctx, p.target.Account, p.mail, w)
}
