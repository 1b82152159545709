package gate

import (
	"math"
	"time"
)

const (
	// othersFor is for how long another tenant counts as having mails to send.
	othersFor = 10 * time.Second
	// silentAfter is after how long a server that has a mail in hand is silent, and
	// silentMost how many such mails it takes to be slow.
	silentAfter = time.Minute
	silentMost  = 3
)

// Shares are what the tenants have of this process's workers. Who sends through an
// account of the operator's is bound by that account alone.
type shares struct {
	all     int            // mails in hand
	tenants map[string]int // of them, those that leave through accounts of a tenant's own
	coming  map[string]int // claimed for such accounts, and not in hand yet
	// latest are the two tenants that took a worker last, and when.
	latest [2]struct {
		tenant string
		at     time.Time
	}
}

// take notes that a mail is taken in hand. own says that the account is the tenant's.
func (s *shares) take(tenant string, own bool, now time.Time) {
	s.all++
	if own {
		s.tenants[tenant]++
	}
	if s.latest[0].tenant != tenant {
		s.latest[1] = s.latest[0]
		s.latest[0].tenant = tenant
	}
	s.latest[0].at = now
}

// giveBack undoes take.
func (s *shares) giveBack(tenant string, own bool) {
	s.all--
	if !own {
		return
	}
	if s.tenants[tenant]--; s.tenants[tenant] <= 0 {
		delete(s.tenants, tenant)
	}
}

// others reports whether other tenants have sent something lately.
func (s *shares) others(tenant string, now time.Time) bool {
	for _, l := range s.latest {
		if !l.at.IsZero() && l.tenant != tenant && now.Sub(l.at) < othersFor {
			return true
		}
	}
	return false
}

// spare is how many workers more a tenant may have for its own accounts, however many
// those are: three quarters of all, and a quarter while others send. The last eighth is
// for tenants that have none. It is negative if there are too many already.
func (s *shares) spare(tenant string, workers int, now time.Time) int {
	has, most := s.tenants[tenant]+s.coming[tenant], workers-workers/4
	if s.others(tenant, now) {
		most = workers / 4
	}
	free := workers - s.all
	if has > 0 {
		free -= workers / 8
	}
	return min(max(1, most)-has, free)
}

// expect notes that so many mails are claimed for a tenant's own accounts, or arrive if n
// is negative.
func (s *shares) expect(tenant string, n int) {
	if tenant == "" {
		return
	}
	if s.coming[tenant] += n; s.coming[tenant] <= 0 {
		delete(s.coming, tenant)
	}
}

// spare is how many mails more of an account its tenant may have in hand. The lock is
// held.
func (g *Gate) spare(h *hand) int {
	if g.workers == 0 || h.tenant() == "" {
		return math.MaxInt
	}
	return g.shares.spare(h.tenant(), g.workers, g.now())
}

// tenant is whose account it is; empty: the operator's, or not known yet.
func (h *hand) tenant() string {
	if h.door.Shared {
		return ""
	}
	return h.door.Tenant
}

// count notes that mails of an account are taken in hand, or given back if n is -1. The
// lock is held.
func (g *Gate) count(h *hand, n int) {
	h.mails += n
	own := h.tenant() != ""
	if n > 0 {
		g.shares.take(h.door.Tenant, own, g.now())
	} else {
		g.shares.giveBack(h.door.Tenant, own)
	}
}

// silent reports whether a server that has mails in hand says nothing, so that no more
// than one other may try. The lock is held.
func (g *Gate) silent(server string) bool {
	old, now := 0, g.now()
	for _, since := range g.flying[server] {
		if now.Sub(since) >= silentAfter {
			old++
		}
	}
	return old >= silentMost && len(g.flying[server]) > old
}

// fly notes that a mail is on its way to a server, and down that it is no more.
func (g *Gate) fly(p *Pass) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	if g.flying[p.door.Server] == nil {
		g.flying[p.door.Server] = map[*Pass]time.Time{}
	}
	g.flying[p.door.Server][p] = g.now()
}

// down is the reverse of fly. The lock is held.
func (g *Gate) down(p *Pass) {
	delete(g.flying[p.door.Server], p)
	if len(g.flying[p.door.Server]) == 0 {
		delete(g.flying, p.door.Server)
	}
}
