package gate

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// Hearsay is believed when nothing was accepted since it began, and it was said for
// recipients of enoughDomains, or enoughReplies times. Then it closes for slowFirst,
// doubling to hearsayMost, whatever pause it names.
const (
	enoughDomains = 3
	enoughReplies = 10
	hearsayMost   = 5 * time.Minute
	// hearsayKept is for how long hearsay without more of it is remembered, and
	// mostRumors how much of it.
	hearsayKept = 15 * time.Minute
	mostRumors  = 10_000
)

// A rumor is the hearsay about one account that mails of one tenant have met, with
// no mail of the account accepted since.
type rumor struct {
	domains map[string]bool // of the recipients, enoughDomains at most
	replies int
	last    time.Time

	// Of a shared account:
	notice  *Notice   // what was said; nil: it is not believed yet
	level   int       // how many times in a row
	until   time.Time // the tenant's mails wait
	probing bool      // one of them tries
}

// overhear deals with a failure that may be no more than what a recipient's server has
// said. An account that several tenants share is never closed by it: a tenant can
// own any number of domains, so that his mails can hold up nobody's but his own.
// Nothing parks an account by hearsay. The mail itself waits for itself: were it in
// the room, it would be the next that tries.
func (g *Gate) overhear(ctx context.Context, d *Door, r Result) {
	if !g.believe(d, r) {
		return
	}
	if !d.Shared {
		g.shut(ctx, Slow, d.Account, r.Failure)
		return
	}
	g.handMu.Lock()
	defer g.handMu.Unlock()
	heard, now := g.rumors[d.Account][d.Tenant], g.now()
	if heard == nil || now.Before(heard.until) && !heard.probing {
		return
	}
	heard.level++
	heard.notice = newNotice(Slow, d.Account, now, r.Failure)
	heard.until, heard.probing = now.Add(pause(Slow, heard.level, r.Failure)), false
	g.log.Warn().Str("subject", d.Account).Str("tenant", d.Tenant).Time("until", heard.until).
		Str("category", r.Failure.Category).Int("reply_code", r.Failure.Code).Msg("the tenant's mails wait, the others' do not")
}

// believe notes hearsay, and reports whether there is enough of it.
func (g *Gate) believe(d *Door, r Result) bool {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	heard := g.rumors[d.Account][d.Tenant]
	if heard == nil {
		if g.rumorCount >= mostRumors { // so many at a time tell nothing
			clear(g.rumors)
			g.rumorCount = 0
		}
		if g.rumors[d.Account] == nil {
			g.rumors[d.Account] = map[string]*rumor{}
		}
		heard = &rumor{domains: map[string]bool{}}
		g.rumors[d.Account][d.Tenant] = heard
		g.rumorCount++
	}
	heard.replies++
	heard.last = g.now()
	for _, domain := range r.Domains {
		if len(heard.domains) < enoughDomains {
			heard.domains[domain] = true
		}
	}
	return len(heard.domains) >= enoughDomains || heard.replies >= enoughReplies
}

// hushed is the wait of a tenant whose mails have met hearsay about a shared account;
// nil if there is none, or its time is over and this mail is the one that tries.
func (g *Gate) hushed(d *Door) *Wait {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	heard, now := g.rumors[d.Account][d.Tenant], g.now()
	switch {
	case heard == nil || heard.notice == nil:
		return nil
	case now.Before(heard.until):
		return &Wait{Reason: WhenSlow, Until: heard.until, Notice: heard.notice, Alone: true}
	}
	heard.until, heard.probing = now.Add(probeTime), true
	return nil
}

// refute forgets what was said of an account through which a mail was accepted. A
// mail that tries and fails for its own reasons lets the tenant's next one go.
func (g *Gate) refute(d *Door, f *failure.Failure) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	if f == nil {
		g.rumorCount -= len(g.rumors[d.Account])
		delete(g.rumors, d.Account)
	} else if heard := g.rumors[d.Account][d.Tenant]; heard != nil && heard.probing {
		heard.notice, heard.probing = nil, false
	}
}

// forgetRumors drops what is old. The lock is held.
func (g *Gate) forgetRumors(now time.Time) {
	for account, tenants := range g.rumors {
		for tenant, heard := range tenants {
			if now.Sub(heard.last) > hearsayKept {
				delete(tenants, tenant)
				g.rumorCount--
			}
		}
		if len(tenants) == 0 {
			delete(g.rumors, account)
		}
	}
}
