package problems

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

const (
	// mostGroups bounds the problems that one reading tells apart.
	mostGroups = 5000
	// mostAsked is of how many mails of one problem it is asked what became of them, and
	// mostAskedAll of how many at all.
	mostAsked, mostAskedAll = 1000, 10_000
	// mostExamples of each problem are shown.
	mostExamples = 5
)

// A group is a problem of which entries are still coming, newest first.
type group struct {
	Problem
	mails    map[uint64]bool // by hash
	tenants  map[string]bool
	accounts map[string]bool
	newest   []ledger.Name // mails, mostAsked at most
}

// A gathering is the log, grouped.
type gathering struct {
	whose  Whose
	seed   maphash.Seed
	groups map[cause]*group
	order  []*group // by the newest entry
	left   int      // entries of groups beyond mostGroups
	back   time.Time
}

// gather reads the log of its time, the newest entries first. If ctx ends first it keeps what it
// has, and notes how far back that is.
func (s *Service) gather(ctx context.Context, whose Whose) (*gathering, error) {
	g := &gathering{whose: whose, seed: maphash.MakeSeed(), groups: map[cause]*group{}}
	filter := errorlog.Filter{Tenant: whose.Tenant, AllTenants: whose.All}
	for e, err := range s.options.Log.Query(ctx, filter) {
		if unfinished, ok := errors.AsType[*errorlog.Unfinished](err); ok {
			g.back = unfinished.At
			break
		}
		if err != nil {
			return nil, err
		}
		g.add(&e)
	}
	return g, nil
}

// add puts an entry into its group.
func (g *gathering) add(e *errorlog.Entry) {
	f := failed(e)
	c := causeOf(e, f, g.whose.All)
	at := g.groups[c]
	if at == nil {
		if len(g.groups) >= mostGroups {
			g.left++
			return
		}
		at = &group{mails: map[uint64]bool{}, tenants: map[string]bool{}, accounts: map[string]bool{}}
		at.Subject, at.Detail, at.Last, at.Tenant = c.Subject, f.Detail(), e.Time, e.Tenant
		g.groups[c], g.order = at, append(g.order, at)
	}
	at.Attempts++
	at.First = e.Time
	at.tenants[e.Tenant] = true
	if e.Account != "" {
		at.accounts[e.Account] = true
	}
	if e.JobID == "" {
		return
	}
	hash := maphash.Comparable(g.seed, ledger.Name{Tenant: e.Tenant, ID: e.JobID})
	if at.mails[hash] {
		return
	}
	at.mails[hash] = true
	if len(at.newest) < mostAsked {
		at.newest = append(at.newest, ledger.Name{Tenant: e.Tenant, ID: e.JobID})
	}
	if len(at.Examples) < mostExamples {
		at.Examples = append(at.Examples, Example{
			Tenant: e.Tenant, ID: e.JobID, Time: e.Time, Recipients: e.Recipients, MoreRecipients: e.MoreRecipients, Diagnostic: e.Diagnostic,
		})
	}
}

// problem is the group with its counts.
func (at *group) problem() Problem {
	p := at.Problem
	p.Mails, p.Tenants, p.Accounts = len(at.mails), len(at.tenants), len(at.accounts)
	if p.Tenants > 1 {
		p.Tenant = ""
	}
	return p
}

// asked are the mails whose outcomes are asked for, each once.
func (g *gathering) asked() []ledger.Name {
	var names []ledger.Name
	known := map[ledger.Name]bool{}
	for _, at := range g.order {
		for _, n := range at.newest {
			if len(names) == mostAskedAll {
				return names
			}
			if !known[n] {
				known[n], names = true, append(names, n)
			}
		}
	}
	return names
}

// settle notes what became of the mails.
func (g *gathering) settle(names []ledger.Name, outcomes []Outcome) {
	of := make(map[ledger.Name]Outcome, len(names))
	for i, n := range names {
		of[n] = outcomes[i]
	}
	for _, at := range g.order {
		for _, n := range at.newest {
			if o, asked := of[n]; asked {
				at.Became.add(o)
			}
		}
		for i := range at.Examples {
			x := &at.Examples[i]
			x.Outcome = of[ledger.Name{Tenant: x.Tenant, ID: x.ID}]
		}
	}
}
