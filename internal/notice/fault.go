package notice

import (
	"context"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

const (
	// slowAfter is how long an account waits for its provider or server before that is
	// told.
	slowAfter = time.Hour
	// downEvery is how often it is asked whose mails wait for a server.
	downEvery = time.Minute
)

// A fault is an account that does not work.
type fault struct {
	Account string       `json:"account"` // id
	Kind    breaker.Kind `json:"kind"`
	Cause   string       `json:"cause"` // category
	Rule    int          `json:"rule"`  // picks the hint
	Since   time.Time    `json:"since"`
	Waiting int64        `json:"waiting"` // mails, when it is told
}

// faultOf is what a state means for an account.
func faultOf(account string, s *breaker.State) fault {
	return fault{Account: account, Kind: s.Kind, Cause: s.Category, Rule: s.Rule, Since: s.Began()}
}

// rank is smaller for what is worse.
func (f *fault) rank() int {
	return slices.Index([]breaker.Kind{breaker.Parked, breaker.Settings, breaker.Down, breaker.Slow}, f.Kind)
}

// faults are the accounts that do not work, by the tenant that is told. What is left out
// ends by itself, as far as anybody knows.
func (n *Notifier) faults(ctx context.Context, now time.Time) (map[string][]fault, error) {
	var list []fault
	var down []*breaker.State
	for _, s := range n.options.States() {
		switch pause := s.Kind == breaker.Slow || s.Kind == breaker.Down; {
		case pause && now.Sub(s.Began()) < slowAfter:
		case s.Kind == breaker.Down:
			down = append(down, s)
		default:
			list = append(list, faultOf(s.Account(), s))
		}
	}
	err := n.findBehind(ctx, now, down)
	return byTenant(append(list, n.behind...)), err
}

// findBehind finds the accounts with mails that wait for a server which is down.
func (n *Notifier) findBehind(ctx context.Context, now time.Time, down []*breaker.State) error {
	if len(down) > 0 && now.Sub(n.asked) < downEvery {
		return nil
	}
	n.asked, n.behind = now, nil
	if len(down) == 0 {
		return nil
	}
	return n.backlogs.Stats(ctx, func(b backlog.Stat) {
		place, err := resolver.ParsePlace(b.Account)
		if err != nil || dispatch.Reason(b.Reason) != dispatch.Down {
			return
		}
		account := n.account(ctx, place)
		for _, s := range down {
			if account != nil && s.OfServer(breaker.ServerOf(account)) {
				n.behind = append(n.behind, faultOf(b.Account, s))
			}
		}
	})
}

// account is the one at a place; nil: there is none, or it cannot be read now.
func (n *Notifier) account(ctx context.Context, p resolver.Place) *resolver.Account {
	c, err := n.options.Accounts.Accounts(ctx, p.Tenant, p.User)
	switch {
	case err != nil:
		return nil
	case p.Level() == resolver.Tenant:
		return c.Tenant
	case p.Level() == resolver.User:
		return c.User
	}
	return c.Platform
}

// byTenant are the faults by the tenant that is told, the oldest first. The platform's
// account, and what only the operator can mend, is told the platform. An account has one
// fault at a time: what stops it goes before what concerns some of its mails.
func byTenant(list []fault) map[string][]fault {
	slices.SortStableFunc(list, func(a, b fault) int { return a.rank() - b.rank() })
	out, seen := map[string][]fault{}, map[string]bool{}
	for _, f := range list {
		place, err := resolver.ParsePlace(f.Account)
		if err != nil || seen[f.Account] {
			continue // it is not of this version, or told already
		}
		seen[f.Account] = true
		tenant := place.Tenant
		if failure.OfOperator(f.Rule) {
			tenant = ""
		}
		out[tenant] = append(out[tenant], f)
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b fault) int { return a.Since.Compare(b.Since) })
	}
	return out
}
