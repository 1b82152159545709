package gate

import (
	"context"
	"slices"
	"time"
)

// mostTold is how many mails hear at a time that their account is parked.
const mostTold = 16

// news is on its way to the mails in a room: their account is parked. Each of them
// is claimed once, so that its record says so; it keeps its place meanwhile.
type news struct {
	next, end int64  // places in the room
	again     []Mail // whom another worker was just putting down
}

// spread lets the mails that wait for a connection hear that their account is
// parked.
func (g *Gate) spread(ctx context.Context, account string) error {
	n, err := g.rooms.size(ctx, account)
	if err != nil || n == 0 {
		return err
	}
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.news[account] = &news{end: n}
	g.wake()
	return nil
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
	room := mostTold - g.hand(account).coming
	mails := slices.Clone(n.again[:min(len(n.again), max(0, room))])
	n.again = n.again[len(mails):]
	from, more := n.next, min(int64(room-len(mails)), n.end-n.next)
	if n.next >= n.end && len(mails)+len(n.again) == 0 {
		delete(g.news, account)
	}
	g.handMu.Unlock()
	if more > 0 {
		ws, err := g.rooms.list(ctx, account, from, more)
		if err != nil {
			return err
		}
		for _, w := range ws {
			mails = append(mails, w.Mail)
		}
	}
	if len(mails) == 0 {
		return nil
	}
	g.handMu.Lock()
	n.next += max(0, more)
	g.expect(account, "", mails)
	g.handMu.Unlock()
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
