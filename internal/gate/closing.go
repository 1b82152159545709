package gate

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

const (
	slowFirst, slowMost = 15 * time.Second, time.Hour  // pauses of an account, unless its server asks for more
	downFirst, downMost = 5 * time.Second, time.Minute // of a server that cannot be reached
	brokenAfter         = 3                            // faults in a row
	probeTime           = time.Minute                  // for one mail to try; then another may
	lookAgain           = time.Second                  // the net below a busy account's wake-ups
	parkedLook          = 10 * time.Minute             // the same of a parked account's
)

// pause is how long a notice of this kind and level closes. What is hearsay gets no
// pause that it asks for: the next mail tries soon.
func pause(kind Kind, level int, f *failure.Failure) time.Duration {
	first, most, asked := slowFirst, slowMost, f.RetryAfter
	switch {
	case kind == Down:
		first, most = downFirst, downMost
	case f.Hearsay():
		most, asked = hearsayMost, 0
	}
	return max(min(first<<min(level-1, 10), most), asked)
}

// closed is the notice that keeps a mail of this account from going; free is true
// if its time is over and one mail may try.
func (g *Gate) closed(d *Door) (n *Notice, free bool) {
	for _, subject := range [...]string{d.Account, serverSubject(d.Server)} {
		n := g.notice(subject)
		switch {
		case n == nil:
		case n.Kind != Parked:
			return n, !g.now().Before(n.Until)
		case d.Fingerprint == nil: // an account that this process has not met: one mail finds out
			return n, true
		case n.Fingerprint == d.Fingerprint():
			return n, false
		}
	}
	return nil, false
}

// stopped is the wait that a notice demands. When its time is over one mail goes
// through in all processes together, to find out.
func (g *Gate) stopped(ctx context.Context, d *Door) (*Wait, error) {
	n, free := g.closed(d)
	if n == nil {
		return nil, nil
	}
	until := n.Until
	if free {
		first, err := g.redis.SetNX(ctx, probeKey(n.Subject), g.now().UnixMilli(), probeTime).Result()
		if first || err != nil {
			return nil, err
		}
		until = g.now().Add(lookAgain)
		g.lookLater(d.Account, until) // somebody else is trying
	}
	return &Wait{Reason: Reason(n.Kind), Until: until, Notice: n}, nil
}

// shut closes an account or a server for a while, longer each time in a row. What
// is closed already is left alone: many mails may bring the same news.
func (g *Gate) shut(ctx context.Context, kind Kind, subject string, f *failure.Failure) *Notice {
	old, level := g.notice(subject), 1
	if old != nil && old.Kind != Parked {
		if g.now().Before(old.Until) {
			return old
		}
		level = old.Level + 1
	}
	n := newNotice(kind, subject, g.now(), f)
	n.Level, n.Until = level, g.now().Add(pause(kind, level, f)).UTC()
	if err := g.put(ctx, n); err != nil {
		g.log.Warn().Err(err).Str("subject", subject).Msg("other workers do not know yet that this is closed")
	}
	g.redis.Del(ctx, probeKey(subject))
	g.log.Warn().Str("subject", subject).Str("kind", string(kind)).Time("until", n.Until).
		Str("category", f.Category).Int("reply_code", f.Code).Msg("mails wait")
	return n
}

// open takes the notice away from an account or server that works.
func (g *Gate) open(ctx context.Context, subject string) {
	n := g.notice(subject)
	if n == nil || n.Kind == Parked || n.Kind == Slow && g.now().Before(n.Until) {
		return // a mail that was on its way before the pause says nothing about it
	}
	if err := g.Release(ctx, subject); err != nil {
		g.log.Warn().Err(err).Str("subject", subject).Msg("other workers do not know yet that this is open again")
		return
	}
	g.redis.Del(ctx, probeKey(subject))
	g.log.Info().Str("subject", subject).Str("kind", string(n.Kind)).Msg("mails go again")
}
