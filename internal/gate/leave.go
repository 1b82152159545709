package gate

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Result is what an attempt has shown of its account and server.
type Result struct {
	Failure *failure.Failure // that of the account or server if there is one, else any; nil: accepted
	Reached bool             // the server has seen the mail: it counts at the rates
	// Domains are those of the recipients of whom Failure was said.
	Domains []string
}

// Leave ends a mail's way through. What it met keeps the others of its account or
// server from meeting it too. If the mail itself must wait for that, it says so:
// see Join.
func (p *Pass) Leave(ctx context.Context, r Result) *Wait {
	g, account := p.gate, p.door.Account
	ctx = context.WithoutCancel(ctx)
	if p.counted {
		if err := g.rooms.leave(ctx, account, p.mail, r.Reached); err != nil {
			g.log.Warn().Err(err).Str("account", account).Msg("a mail is counted at its account's limits for a minute longer")
		}
	}
	defer g.finish(p)
	return g.learn(ctx, &p.door, r)
}

// Abandon ends a mail's way through of which nothing was learned.
func (p *Pass) Abandon(ctx context.Context) {
	if p.counted {
		_ = p.gate.rooms.leave(context.WithoutCancel(ctx), p.door.Account, p.mail, false)
	}
	p.gate.finish(p)
}

// Busy ends the way of a mail that has found no connection: others have them all.
// It has joined the room.
func (p *Pass) Busy(ctx context.Context) (*Wait, error) {
	p.gate.crowded(p.door.Account)
	p.Abandon(ctx)
	w := &Wait{Reason: Busy}
	return w, p.gate.wait(ctx, p.door.Account, p.mail, w)
}

// learn draws the consequences of an attempt.
func (g *Gate) learn(ctx context.Context, d *Door, r Result) *Wait {
	f, scope := r.Failure, failure.ScopeMail
	if f != nil {
		scope = f.Scope()
	}
	switch {
	case scope != failure.ScopeServer && scope != failure.ScopeAccount:
	case f.Hearsay():
		g.overhear(ctx, d, r)
		return nil
	case beforeMail(f.Stage) && f.Code/100 == 4 && g.fewer(d.Account):
		return &Wait{Reason: Busy} // there are others: this connection was one too many
	case scope == failure.ScopeAccount && f.NeedsPerson():
		if err := g.Park(ctx, d.Account, d.Fingerprint(), f); err != nil {
			g.log.Warn().Err(err).Str("account", d.Account).Msg("the refused login is not known to other workers yet")
		}
		return &Wait{Reason: WhenParked, Notice: g.notice(d.Account)}
	}
	switch {
	case scope == failure.ScopeServer:
		return g.fault(ctx, Down, WhenDown, serverSubject(d.Server), f)
	case scope == failure.ScopeAccount && f.Class == failure.Throttle: // it was asked to
		n := g.shut(ctx, Slow, d.Account, f)
		return &Wait{Reason: WhenSlow, Until: n.Until, Notice: n}
	case scope == failure.ScopeAccount:
		return g.fault(ctx, Slow, WhenSlow, d.Account, f)
	}
	g.refute(d, f)
	g.works(ctx, d)
	return nil
}

// beforeMail reports whether the server did not want the connection, rather than
// the mail.
func beforeMail(s failure.Stage) bool {
	switch s {
	case failure.StageConnect, failure.StageTLS, failure.StageBanner, failure.StageEHLO, failure.StageSTARTTLS, failure.StageAuth:
		return true
	}
	return false
}

// fault counts a failure that says little alone. After some in a row the account
// or server is closed.
func (g *Gate) fault(ctx context.Context, kind Kind, reason Reason, subject string, f *failure.Failure) *Wait {
	g.handMu.Lock()
	g.faults[subject]++
	broken := g.faults[subject] >= brokenAfter
	g.handMu.Unlock()
	if !broken && g.notice(subject) == nil {
		return nil
	}
	n := g.shut(ctx, kind, subject, f)
	return &Wait{Reason: reason, Until: n.Until, Notice: n}
}

// works notes that account and server do what they should.
func (g *Gate) works(ctx context.Context, d *Door) {
	server := serverSubject(d.Server)
	g.handMu.Lock()
	delete(g.faults, d.Account)
	delete(g.faults, server)
	g.handMu.Unlock()
	g.open(ctx, d.Account)
	g.open(ctx, server)
}
