package problems

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/resolver"
)

// Log is the error log; *errorlog.Log is one.
type Log interface {
	Query(context.Context, errorlog.Filter) iter.Seq2[errorlog.Entry, error]
}

// Ledger tells what became of mails; *ledger.Ledger does.
type Ledger interface {
	Briefs(context.Context, []ledger.Name) ([]*ledger.Brief, error)
}

// Options of a Service. Log, Ledger, Backlogs and States are required.
type Options struct {
	Log      Log
	Ledger   Ledger
	Backlogs Backlogs
	// States are those of accounts and servers. A process that keeps them up to date asks
	// no Redis.
	States func(context.Context) ([]*breaker.State, error)
	// Account finds an account, to learn which server its mails wait for. Nil: that is
	// not told.
	Account func(context.Context, resolver.Place) (*resolver.Account, error)
	// Fresh is for how long a report is shown again. 0: only while it is made.
	Fresh time.Duration
	Now   func() time.Time // nil: time.Now
}

const (
	// readTime is how long one reading of the log may take, and askTime what is asked of
	// the ledger and the backlogs.
	readTime = 1500 * time.Millisecond
	askTime  = 800 * time.Millisecond
	// mostProblems are handed out.
	mostProblems = 200
)

// A Service finds problems. Its methods may be called from any goroutine.
type Service struct {
	options Options
	reading chan struct{} // places for those who make a report

	mu   sync.Mutex
	kept map[Whose]*kept
}

// New checks the options. It does no I/O.
func New(o Options) (*Service, error) {
	if o.Log == nil || o.Ledger == nil || o.Backlogs == nil || o.States == nil {
		return nil, errors.New("problems: log, ledger, backlogs and states are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{options: o, reading: make(chan struct{}, mostReading), kept: map[Whose]*kept{}}, nil
}

// read makes a report.
func (s *Service) read(ctx context.Context, whose Whose) (*Report, error) {
	reading, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	g, err := s.gather(reading, whose)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	r := &Report{Back: g.back}
	names := g.asked()
	outcomes, err := s.Outcomes(asking, names)
	if r.NoOutcomes = err != nil; err == nil {
		g.settle(names, outcomes)
	}
	waiting, more, err := s.Waiting(asking, whose)
	r.NoWaiting = err != nil
	r.Problems = g.problems(append(waiting, s.platform(asking, whose, g)...))
	for i := range r.Problems {
		r.Problems[i].mend(whose)
	}
	slices.SortStableFunc(r.Problems, compare)
	r.More = more
	if beyond := len(r.Problems) - mostProblems; beyond > 0 {
		r.Problems, r.More = r.Problems[:mostProblems], more+beyond
	}
	return r, nil
}

// platform is Shared, if a tenant's mails have failed there.
func (s *Service) platform(ctx context.Context, whose Whose, g *gathering) []Waiting {
	met := func(at *group) bool { return at.accounts[string(resolver.Platform)] }
	if whose.All || whose.Tenant == "" || !slices.ContainsFunc(g.order, met) {
		return nil
	}
	shared, err := s.Shared(ctx)
	if err != nil || shared == nil {
		return nil // that the states are not known is told with the others
	}
	return []Waiting{*shared}
}

// Shared is the platform's account if it is blocked, as a tenant may know it that sends
// through it; nil: it is not.
func (s *Service) Shared(ctx context.Context) (*Waiting, error) {
	v, err := s.view(ctx, Whose{})
	if err != nil {
		return nil, err
	}
	state := v.blocked[string(resolver.Platform)]
	if state == nil {
		return nil, nil
	}
	return &Waiting{
		Kind: Kind(state.Kind), Account: string(resolver.Platform), Since: state.Since, Until: v.ahead(state.Until), Hidden: true,
	}, nil
}

// problems are the groups, each with the account or server that waits for the same cause,
// and what else waits.
func (g *gathering) problems(waiting []Waiting) []Problem {
	list := make([]Problem, 0, len(g.order)+len(waiting))
	for _, at := range g.order {
		list = append(list, at.problem())
	}
	for i := range waiting {
		w := &waiting[i]
		if at := slices.IndexFunc(list, func(p Problem) bool { return p.Waiting == nil && w.explains(&p) }); at >= 0 {
			list[at].Waiting = w
			continue
		}
		p := Problem{Subject: Subject{Account: w.Account}, Detail: w.Detail, Tenant: w.Tenant, Accounts: w.Accounts, First: w.Since, Last: w.Since, Waiting: w}
		if w.Account == "" {
			p.Server = w.Server
		}
		list = append(list, p)
	}
	return list
}

// explains reports whether an account or server waits because of a problem.
func (w *Waiting) explains(p *Problem) bool {
	if w.Account == "" {
		return p.Server == w.Server && p.Rule == w.Rule
	}
	return p.Account == w.Account && p.Rule != 0 && (p.Rule == w.Rule || w.Hidden && p.Failure().Scope() != failure.ScopeMail)
}

// compare sorts what waits for a person first, then what waits, then what is open, then
// what is over; the newest of each first.
func compare(a, b Problem) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), b.Last.Compare(a.Last))
}

func (p *Problem) rank() int {
	switch {
	case p.Waiting != nil && p.Person:
		return 0
	case p.Waiting != nil:
		return 1
	case p.Over():
		return 3
	}
	return 2
}
