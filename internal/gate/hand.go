package gate

import "time"

const (
	// patience is how long a mail may wait in a worker for a connection. Who would
	// wait for longer waits in the room.
	patience = 50 * time.Millisecond
	// hopedPace is the time from one mail to the next of an account of which
	// nothing is known.
	hopedPace = 5 * time.Millisecond
	// caution is for how long an account gets fewer connections after its server
	// had enough of them; briefCaution if other processes have them.
	caution, briefCaution = 10 * time.Minute, 250 * time.Millisecond
	// usualConnections are those of an account that this process has not met.
	usualConnections = 4
	// forgetAfter is when an account that sends nothing is forgotten.
	forgetAfter = 10 * time.Minute
)

// A hand is what this process has in hand of one account.
type hand struct {
	door      Door
	mails     int       // let through and not back
	coming    int       // claimed and not entered
	full      time.Time // since when there have been as many as there are connections
	last      time.Time // when a mail ended
	pace      time.Duration
	capped    int // connections that the server has shown to allow, until cappedEnd
	cappedEnd time.Time
	left      int // mails for which other processes leave connections, until leftEnd
	leftEnd   time.Time
	look      time.Time // not before: the rates have no place
}

// limit is how many mails of the account may be under way here; 0 if others have all
// its connections.
func (g *Gate) limit(h *hand) int {
	limit := h.door.Connections
	if limit <= 0 {
		limit = usualConnections
	}
	if g.workers > 0 {
		limit = min(limit, max(1, g.workers-g.workers/4))
	}
	now := g.now()
	if now.Before(h.cappedEnd) {
		limit = min(limit, h.capped)
	}
	if now.Before(h.leftEnd) {
		limit = min(limit, h.left)
	}
	return limit
}

// most is how many mails may be in hand, waiting for a connection or under way.
func (g *Gate) most(h *hand, now time.Time) int {
	if now.Before(h.leftEnd) { // who waits for one here does not get it
		return g.limit(h)
	}
	return g.limit(h) + h.beyond(now)
}

// beyond is how many mails more may wait for a connection here, by the pace at
// which the account's mails end. One that has stood still is not waited for.
func (h *hand) beyond(now time.Time) int {
	since := h.last
	if h.full.After(since) {
		since = h.full
	}
	if !h.full.IsZero() && now.Sub(since) > patience {
		return 0
	}
	return int(patience / max(h.pace, time.Microsecond))
}

// take takes a mail in hand if there is a place for it. A claimed one has its
// place already.
func (g *Gate) take(d *Door, m Mail) bool {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	now := g.now()
	h := g.hand(d.Account)
	h.door = *d
	a := g.coming[m]
	expected := a != nil && a.came
	spare := g.spare(h)
	if expected && a.tenant == h.tenant() && a.tenant != "" {
		spare++ // it is counted already
	}
	if spare <= 0 || g.silent(d.Server) {
		g.pressed = true
		return false
	}
	if expected {
		g.arrive(m)
		if d.Limits.none() { // else rooms.enter tells
			g.land(m, a.account, a.grant)
		}
	}
	if !expected && h.mails+h.coming >= g.most(h, now) {
		return false
	}
	g.count(h, 1)
	if h.mails >= g.limit(h) && h.full.IsZero() {
		h.full = now
	}
	return true
}

// giveBack undoes take.
func (g *Gate) giveBack(p *Pass) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.down(p)
	h := g.hand(p.door.Account)
	g.count(h, -1)
	if h.mails < g.limit(h) {
		h.full = time.Time{}
	}
}

// finish is giveBack after a mail: the pace is learned, and whoever waits is
// looked after.
func (g *Gate) finish(p *Pass) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	now := g.now()
	h := g.hand(p.door.Account)
	g.down(p)
	if limit := g.limit(h); h.mails >= limit {
		since := h.last
		if h.full.After(since) {
			since = h.full
		}
		h.pace += (now.Sub(since) - h.pace) / 5
		if h.mails == limit {
			h.full = time.Time{}
		}
	}
	h.last = now
	g.count(h, -1)
	if g.marked[p.door.Account] != nil || g.pressed {
		g.wake()
	}
}

// fewer notes that the server wants fewer connections than there are; false if
// there is only one.
func (g *Gate) fewer(account string) bool {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	h := g.hand(account)
	n := min(h.mails, g.limit(h))
	if n <= 1 {
		return false
	}
	h.capped, h.cappedEnd = n-1, g.now().Add(caution)
	return true
}

// crowded notes that a mail has found no connection: other processes have them.
func (g *Gate) crowded(account string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	h := g.hand(account)
	now := g.now()
	if !now.Before(h.leftEnd) || h.left >= h.mails {
		h.left = h.mails - 1
	}
	h.leftEnd = now.Add(briefCaution)
}

// hand is that of an account. The lock is held.
func (g *Gate) hand(account string) *hand {
	h := g.hands[account]
	if h == nil {
		h = &hand{pace: hopedPace, last: g.now()}
		g.hands[account] = h
	}
	return h
}

// occupied notes that an account's room holds mails.
func (g *Gate) occupied(account string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.mark(account)
	g.wake()
}

// mark notes that an account's room may hold mails. The lock is held.
func (g *Gate) mark(account string) *hand {
	h := g.hand(account)
	g.marked[account] = h
	return h
}

// lookLater notes that an account's room holds mails and its rates no place before
// a moment.
func (g *Gate) lookLater(account string, due time.Time) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.mark(account).look = due
}

// freed lets the mails go that waited for an account or a server.
func (g *Gate) freed(subject string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	for account, h := range g.hands {
		if account == subject || serverSubject(h.door.Server) == subject {
			g.mark(account).look = time.Time{}
		}
	}
	g.wake()
}

// wake lets Serve look.
func (g *Gate) wake() {
	select {
	case g.signal <- struct{}{}:
	default:
	}
}
