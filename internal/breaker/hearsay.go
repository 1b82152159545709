package breaker

import (
	"context"
	"sync"
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
	state   *State    // what was said; nil: it is not believed yet
	level   int       // how many times in a row
	until   time.Time // the tenant's mails wait
	probing bool      // one of them tries
}

// hearsay is what recipients' servers may have said of accounts.
type hearsay struct {
	mu     sync.Mutex
	rumors map[string]map[string]*rumor // by account and tenant
	count  int                          // of rumors
}

// overhear deals with a failure that may be no more than what a recipient's server has
// said. It never blocks an account that several tenants share: a tenant can own any
// number of domains, so that its mails can hold up no other tenant's. Hearsay never
// parks an account. The mail itself comes again by itself: in the backlog it would be
// the next that tries.
func (b *Breaker) overhear(ctx context.Context, t *Target, r Result) {
	if !b.hearsay.believe(t, r, b.now()) {
		return
	}
	if !t.Shared {
		b.trip(ctx, Slow, t.Account, r.Failure)
		return
	}
	h := &b.hearsay
	h.mu.Lock()
	defer h.mu.Unlock()
	heard, now := h.rumors[t.Account][t.Tenant], b.now()
	if heard == nil || now.Before(heard.until) && !heard.probing {
		return
	}
	heard.level++
	heard.state = newState(Slow, t.Account, now, r.Failure)
	heard.until, heard.probing = now.Add(pause(Slow, heard.level, r.Failure)), false
	b.log.Warn().Str("subject", t.Account).Str("tenant", t.Tenant).Time("until", heard.until).
		Str("category", r.Failure.Category).Int("reply_code", r.Failure.Code).Msg("the tenant's mails wait, the others' do not")
}

// believe notes hearsay, and reports whether there is enough of it.
func (h *hearsay) believe(t *Target, r Result, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	heard := h.rumors[t.Account][t.Tenant]
	if heard == nil {
		if h.count >= mostRumors { // so many at a time tell nothing
			clear(h.rumors)
			h.count = 0
		}
		if h.rumors[t.Account] == nil {
			h.rumors[t.Account] = map[string]*rumor{}
		}
		heard = &rumor{domains: map[string]bool{}}
		h.rumors[t.Account][t.Tenant] = heard
		h.count++
	}
	heard.replies++
	heard.last = now
	for _, domain := range r.Domains {
		if len(heard.domains) < enoughDomains {
			heard.domains[domain] = true
		}
	}
	return len(heard.domains) >= enoughDomains || heard.replies >= enoughReplies
}

// hushed blocks a tenant whose mails have met hearsay about a shared account; nil if
// there is none, or its time is over and this mail is the one that tries.
func (b *Breaker) hushed(t *Target) *Block {
	h := &b.hearsay
	h.mu.Lock()
	defer h.mu.Unlock()
	heard, now := h.rumors[t.Account][t.Tenant], b.now()
	switch {
	case heard == nil || heard.state == nil:
		return nil
	case now.Before(heard.until):
		return &Block{State: heard.state, Until: heard.until, Tenant: true}
	}
	heard.until, heard.probing = now.Add(probeTime), true
	return nil
}

// refute forgets what was said of an account through which a mail was accepted. A
// mail that tries and fails for its own reasons lets the tenant's next one go.
func (h *hearsay) refute(t *Target, f *failure.Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f == nil {
		h.count -= len(h.rumors[t.Account])
		delete(h.rumors, t.Account)
	} else if heard := h.rumors[t.Account][t.Tenant]; heard != nil && heard.probing {
		heard.state, heard.probing = nil, false
	}
}

// forget drops what is old.
func (h *hearsay) forget(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for account, tenants := range h.rumors {
		for tenant, heard := range tenants {
			if now.Sub(heard.last) > hearsayKept {
				delete(tenants, tenant)
				h.count--
			}
		}
		if len(tenants) == 0 {
			delete(h.rumors, account)
		}
	}
}
