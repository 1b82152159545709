package delivery

import (
	"slices"
	"sync"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// tooMany is the category of a server that takes no so many recipients at a time.
const tooMany = "too_many_recipients"

// A way is an account as one tenant uses it. A recipient's server may have said that
// there are too many recipients: what it said to one tenant holds for him alone.
type way struct{ account, tenant string }

// mostWays bounds what is remembered.
const mostWays = 10_000

// portions remembers how many recipients the servers of accounts take at a time,
// when that is less than their settings say.
type portions struct {
	mu   sync.Mutex
	most map[way]int
}

// of is the most recipients of one mail; set is what the settings of the account
// say. 0: any number.
func (p *portions) of(w way, set int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	learned := p.most[w]
	if set == 0 || learned > 0 && learned < set {
		return learned
	}
	return set
}

// learn notes that of so many recipients the server took only some, or none.
func (p *portions) learn(w way, asked, taken int) {
	if taken == 0 {
		taken = asked / 2
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == nil || len(p.most) >= mostWays {
		p.most = map[way]int{} // it is learned again
	}
	p.most[w] = max(1, taken)
}

func (a *attempt) way() way { return way{a.sender.Account.ID(), a.job.Tenant} }

// portion leaves as many recipients open as may go at a time. Those that were
// never tried go first.
func (a *attempt) portion() {
	most := a.w.portions.of(a.way(), a.sender.Account.Limits.RecipientsPerMail)
	if most == 0 || len(a.open) <= most {
		return
	}
	slices.SortStableFunc(a.open, func(i, j int) int { return a.turn(i) - a.turn(j) })
	a.open = a.open[:most]
}

// turn is when a recipient's turn comes: a smaller one goes first.
func (a *attempt) turn(i int) int {
	if a.previous(i).State == rohrpost.RecipientWaiting {
		return 0
	}
	return 1
}

// learnPortion remembers what a server that takes fewer recipients has taken.
func (a *attempt) learnPortion(out transport.Outcome) {
	refused, taken := false, 0
	for _, v := range out.Verdicts {
		switch {
		case v.Failure == nil:
			taken++
		case v.Failure.Category == tooMany:
			refused = true
		}
	}
	if refused && len(a.open) > 1 {
		a.w.portions.learn(a.way(), len(a.open), taken)
	}
}
