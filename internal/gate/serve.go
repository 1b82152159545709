package gate

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// lookEvery is how often the index of rooms is asked for those that are due.
	lookEvery = 250 * time.Millisecond
	// mostRooms bounds one look.
	mostRooms = 64
	// A mail that another worker is just putting down goes behind those of the next
	// second (in milliseconds), and is tried again a moment later.
	missedDelay = 1000
	missedPause = 20 * time.Millisecond
)

// A Claimer takes waiting tasks over for the free workers of this process.
type Claimer interface {
	// Claim takes them over as workers become free. missed is told of those that
	// could not be had: gone is false if another worker still has it in hand.
	Claim(mails []Mail, missed func(m Mail, gone bool))
}

// Serve pulls mails out of rooms whenever their accounts can take some, until ctx
// ends.
func (g *Gate) Serve(ctx context.Context, c Claimer) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		index := false
		select {
		case <-ctx.Done():
			return
		case <-g.signal:
		case <-tick.C:
			index = true
		}
		if err := g.serve(ctx, c, index); err != nil && ctx.Err() == nil {
			g.log.Debug().Err(err).Msg("mails that wait for their account were not looked at; soon again")
			select { // a Redis that is away is not hammered
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}
}

// serve is one round: whoever is due or has a place pulls.
func (g *Gate) serve(ctx context.Context, c Claimer, index bool) error {
	var due []string
	if index {
		g.tidy()
		accounts, err := g.rooms.due(ctx, mostRooms)
		if err != nil {
			return err
		}
		due = accounts
		for _, a := range accounts {
			g.occupied(a)
		}
	}
	if err := errors.Join(g.tell(ctx), g.spreadOn(ctx, c)); err != nil {
		return err
	}
	requests := g.requests(due)
	if len(requests) == 0 {
		return nil
	}
	answers, err := g.rooms.pull(ctx, requests)
	if err != nil {
		return err
	}
	for _, p := range answers {
		g.claim(ctx, c, p)
	}
	return nil
}

// tell tells Redis which mails have come out of their rooms.
func (g *Gate) tell(ctx context.Context) error {
	g.handMu.Lock()
	landed := g.landed
	g.landed = map[string][]landing{}
	g.handMu.Unlock()
	if len(landed) == 0 {
		return nil
	}
	err := g.rooms.landed(ctx, landed)
	if err != nil { // again in the next round
		g.handMu.Lock()
		defer g.handMu.Unlock()
		for account, list := range landed {
			g.landed[account] = append(g.landed[account], list...)
		}
	}
	return err
}

// requests are the accounts whose rooms may hold mails and that can take some now.
// Those that were due and cannot are asked for none: somebody else looks later.
func (g *Gate) requests(due []string) []pullRequest {
	g.handMu.Lock()
	accounts := slices.Collect(maps.Keys(g.marked))
	g.pressed = false
	g.handMu.Unlock()
	var requests []pullRequest
	asked := map[string]int{} // mails by tenant
	for _, a := range accounts {
		n, limits := g.room(a, asked)
		if n > 0 || slices.Contains(due, a) {
			requests = append(requests, pullRequest{account: a, n: n, limits: limits})
		}
		if len(requests) >= mostRooms {
			g.wake()
			break
		}
	}
	return requests
}

// room is how many mails of an account this process can take now, and its limits,
// if this process has met it.
// asked is what is asked for already in this round for each tenant.
func (g *Gate) room(account string, asked map[string]int) (n int, limits *Limits) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	now := g.now()
	h := g.hand(account)
	door := h.door
	if door.Account == "" {
		door = Door{Account: account}
	} else {
		limits = &door.Limits
	}
	if now.Before(h.look) {
		return 0, limits
	}
	most := g.most(h, now)
	if notice, free := g.closed(&door); notice != nil {
		if !free {
			return 0, limits
		}
		most = 1
	}
	if g.workers > 0 {
		most = min(most, g.workers)
	}
	if g.silent(door.Server) {
		g.pressed = true
		return 0, limits
	}
	n = max(0, most-h.mails-h.coming)
	if spare := g.spare(h); spare < math.MaxInt {
		if rest := max(0, spare-asked[h.tenant()]); rest < n {
			n, g.pressed = rest, true
		}
		asked[h.tenant()] += n
	}
	return n, limits
}

// claim hands what was pulled to the workers.
func (g *Gate) claim(ctx context.Context, c Claimer, p pulled) {
	g.handMu.Lock()
	h := g.hand(p.account)
	h.look = p.due
	if p.left == 0 {
		delete(g.marked, p.account)
	}
	scores := make(map[Mail]waiting, len(p.mails))
	mails := make([]Mail, len(p.mails))
	for i, w := range p.mails {
		mails[i], scores[w.Mail] = w.Mail, w
	}
	g.expect(p.account, p.grant, mails)
	g.handMu.Unlock()
	if len(mails) == 0 {
		return
	}
	ctx = context.WithoutCancel(ctx)
	c.Claim(mails, func(m Mail, gone bool) {
		if gone {
			g.gone(m, p.account, p.grant)
			return
		}
		g.missed(m, p.grant)
		w := scores[m]
		w.score += missedDelay // whoever has it in hand is about to put it down
		_ = g.rooms.back(ctx, p.account, []waiting{w})
		g.lookLater(p.account, g.now().Add(missedPause))
		time.AfterFunc(missedPause, g.wake)
	})
}

// tidy forgets claimed mails that did not come, and accounts that send nothing.
func (g *Gate) tidy() {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	now := g.now()
	g.forgetRumors(now)
	for m, a := range g.coming {
		if now.After(a.until) {
			g.arrive(m)
		}
	}
	for account, h := range g.hands {
		if h.mails == 0 && h.coming == 0 && g.marked[account] == nil && now.Sub(h.last) > forgetAfter && now.After(h.cappedEnd) {
			delete(g.hands, account)
		}
	}
}
