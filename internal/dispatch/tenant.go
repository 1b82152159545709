package dispatch

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

// shares are what the tenants have of this process's workers. Mails through an account
// of the operator's are bound by that account alone.
type shares struct {
	all      int            // mails in flight
	tenants  map[string]int // of them, those that leave through accounts of a tenant's own
	received map[string]int // for such accounts, and not in flight yet
	promised int            // received for any account, and not in flight yet
	// latest are the two tenants that took a worker last, and when.
	latest [2]struct {
		tenant string
		at     time.Time
	}
}

// asked are the mails that one round asks for.
type asked struct {
	all     int
	tenants map[string]int // of tenants' own accounts
}

// take notes that a mail is in flight. own says that the account is the tenant's.
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
// for tenants that have none. It is negative if there are too many already. more is
// what a round asks for besides.
func (s *shares) spare(tenant string, workers int, now time.Time, more *asked) int {
	has, most := s.tenants[tenant]+s.received[tenant]+more.tenants[tenant], workers-workers/4
	if s.others(tenant, now) {
		most = workers / 4
	}
	free := workers - s.all - s.promised - more.all
	if has > 0 {
		free -= workers / 8
	}
	return min(max(1, most)-has, free)
}

// expect notes that so many mails were received for a tenant's own accounts, or that
// they are expected no more if n is negative.
func (s *shares) expect(tenant string, n int) {
	s.promised += n
	if tenant == "" {
		return
	}
	if s.received[tenant] += n; s.received[tenant] <= 0 {
		delete(s.received, tenant)
	}
}

// spareLocked is how many mails more of an account its tenant may have in flight.
func (d *Dispatcher) spareLocked(b *budget, more *asked) int {
	if d.workers == 0 || b.tenant() == "" {
		return math.MaxInt
	}
	return d.shares.spare(b.tenant(), d.workers, d.now(), more)
}

// tenant owns the account; empty: the operator does, or it is not known yet.
func (b *budget) tenant() string {
	if b.target.Shared {
		return ""
	}
	return b.target.Tenant
}

// countLocked notes that a mail of an account is in flight, or is no more if n is -1.
func (d *Dispatcher) countLocked(b *budget, n int) {
	b.mails += n
	own := b.tenant() != ""
	if n > 0 {
		d.shares.take(b.target.Tenant, own, d.now())
	} else {
		d.shares.giveBack(b.target.Tenant, own)
	}
}

// silentLocked reports whether a server that has mails in hand says nothing, so that no
// more than one other may try.
func (d *Dispatcher) silentLocked(server string) bool {
	old, now := 0, d.now()
	for _, since := range d.flying[server] {
		if now.Sub(since) >= silentAfter {
			old++
		}
	}
	return old >= silentMost && len(d.flying[server]) > old
}

// fly notes that a mail is on its way to a server.
func (d *Dispatcher) fly(p *Permit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flying[p.target.Server] == nil {
		d.flying[p.target.Server] = map[*Permit]time.Time{}
	}
	d.flying[p.target.Server][p] = d.now()
}

// landLocked is the reverse of fly.
func (d *Dispatcher) landLocked(p *Permit) {
	delete(d.flying[p.target.Server], p)
	if len(d.flying[p.target.Server]) == 0 {
		delete(d.flying, p.target.Server)
	}
}
