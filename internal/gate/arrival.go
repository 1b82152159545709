package gate

import "time"

// arrivalTime is how long a claimed mail is expected.
const arrivalTime = 15 * time.Second

// An arrival is a claimed mail. Who has the same mail in hand from before, and is just
// putting it down, has nothing to do with it: only a worker that begins with the mail
// after it was claimed makes it come.
type arrival struct {
	account string
	tenant  string // whose account it is, as far as that is known
	grant   string // empty: it was not pulled
	until   time.Time
	came    bool // to a worker
}

// expect notes that mails are claimed, by a grant if they were pulled. The lock is
// held.
func (g *Gate) expect(account, grant string, mails []Mail) {
	until := g.now().Add(arrivalTime)
	for _, m := range mails {
		g.arrive(m) // it was claimed before: that is no second mail
		h := g.hand(account)
		g.coming[m] = &arrival{account: account, tenant: h.tenant(), grant: grant, until: until}
		h.coming++
		g.shares.expect(h.tenant(), 1)
	}
}

// Came notes that a worker begins with a mail, and reports whether this process has
// claimed it: it has waited before. Arrived must follow when the worker is done.
func (g *Gate) Came(m Mail) bool {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	a := g.coming[m]
	if a != nil {
		a.came = true
	}
	return a != nil
}

// Arrived notes that a worker is done with a mail. If it came by a claim and did not
// enter, its job has ended, or waits for something else.
func (g *Gate) Arrived(m Mail) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	if a := g.coming[m]; a != nil && a.came {
		g.arrive(m)
		g.land(m, a.account, a.grant)
	}
}

// turnedAway notes that a mail must wait again: joining the room ends its grant. What
// stands in its way is that of its account, which is known now.
func (g *Gate) turnedAway(d *Door, m Mail) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.hand(d.Account).door = *d
	if a := g.coming[m]; a != nil && a.came {
		g.arrive(m)
	}
}

// gone notes that a mail that was pulled does not wait.
func (g *Gate) gone(m Mail, account, grant string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	g.dismiss(m, grant)
	g.land(m, account, grant)
}

// missed notes that a mail could not be claimed, by that grant.
func (g *Gate) missed(m Mail, grant string) {
	g.handMu.Lock()
	defer g.handMu.Unlock()
	if g.dismiss(m, grant); len(g.news) > 0 {
		g.wake()
	}
}

// dismiss no longer expects a mail that was claimed by that grant. The lock is held.
func (g *Gate) dismiss(m Mail, grant string) {
	if a := g.coming[m]; a != nil && a.grant == grant {
		g.arrive(m)
	}
}

// arrive strikes a mail off the expected ones. The lock is held.
func (g *Gate) arrive(m Mail) {
	if a := g.coming[m]; a != nil {
		delete(g.coming, m)
		g.hand(a.account).coming--
		g.shares.expect(a.tenant, -1)
	}
}

// land notes that a mail has come out of its room, if a grant has let it. The lock is
// held.
func (g *Gate) land(m Mail, account, grant string) {
	if grant != "" {
		g.landed[account] = append(g.landed[account], landing{m, grant})
		g.wake()
	}
}
