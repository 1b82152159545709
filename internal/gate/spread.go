package gate

import (
	"context"
	"math"
	"slices"
	"time"
)

const (
	// mostTold is how many mails hear at a time that their account is parked.
	mostTold = 16
	// lateJoin is how much later a mail may join the room that was turned away before its
	// account was parked. lateClock allows for clocks that differ.
	lateJoin, lateClock = 2 * time.Second, 10 * time.Second
)

// news is on its way to the mails in a room: their account is parked. Each of them
// is claimed, so that its record says so; it keeps its place meanwhile. Who joins later
// knows.
type news struct {
	since time.Time // when the account was parked
	next  int64     // place in the room
	again []Mail    // whom another worker was just putting down, or who came late
}

// spread lets the mails that wait for a connection hear that their account is parked.
func (g *Gate) spread(account string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.news[account] = &news{since: g.now()}
	g.wake()
}

// hearLate lets a mail hear that was turned away before the news, and has joined the room
// after it. It may stand anywhere, by its priority.
func (g *Gate) hearLate(account string, m Mail) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	if n := g.news[account]; n != nil {
		n.again = append(n.again, m)
	}
}

// spreadOn lets the next mails hear.
func (g *Gate) spreadOn(ctx context.Context, c Claimer) error {
	g.handMu.Lock()
	all := make(map[string]*news, len(g.news))
	for account, n := range g.news {
		if notice := g.notice(account); notice == nil || notice.Kind != Parked {
			delete(g.news, account)
			continue
		}
		all[account] = n
	}
	g.handMu.Unlock()
	for account, n := range all {
		if err := g.hear(ctx, c, account, n); err != nil {
			return err
		}
	}
	return nil
}

// hear claims some of the mails that have not heard.
func (g *Gate) hear(ctx context.Context, c Claimer, account string, n *news) error {
	g.handMu.Lock()
	room := max(0, mostTold-g.hand(account).coming)
	mails := slices.Clone(n.again[:min(len(n.again), room)])
	n.again = n.again[len(mails):]
	from, more := n.next, room-len(mails)
	g.handMu.Unlock()
	var ws []waiting
	if more > 0 {
		var err error
		if ws, err = g.rooms.list(ctx, account, from, int64(more)); err != nil {
			return err
		}
	}
	for _, w := range ws {
		if !w.arrived().After(n.since.Add(lateClock)) {
			mails = append(mails, w.Mail)
		}
	}
	g.handMu.Lock()
	n.next += int64(len(ws))
	g.expect(account, "", mails)
	if len(ws) < more && len(n.again) == 0 && g.now().After(n.since.Add(lateJoin)) {
		delete(g.news, account)
	}
	g.handMu.Unlock()
	if len(mails) == 0 {
		return nil
	}
	c.Claim(mails, func(m Mail, gone bool) {
		g.missed(m, "")
		if gone {
			return
		}
		g.handMu.Lock()
		defer g.handMu.Unlock()
		n.again = append(n.again, m)
		g.news[account] = n
		time.AfterFunc(missedPause, g.wake)
	})
	return nil
}

// arrived is when a mail joined its room, by the clock of Redis.
func (w *waiting) arrived() time.Time {
	return time.UnixMilli(int64(math.Mod(w.score, classWidth)))
}
