package pages

import (
	"context"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/resolver"
)

// freshProblems is for how long the problems of a tenant are shown again: many people may
// look at a long log.
const freshProblems = 5 * time.Second

// newProblems makes the service that finds problems.
func newProblems(e *engine.Engine, parts engine.Options) (*problems.Service, error) {
	records, err := ledger.New(ledger.Options{Redis: parts.Redis})
	if err != nil {
		return nil, err
	}
	backlogs := backlog.New(parts.Redis, nil)
	o := problems.Options{Log: parts.ErrorLog, Ledger: records, Backlogs: backlogs, Fresh: freshProblems}
	accounts := e.Accounts()
	if accounts == nil {
		b, err := breaker.New(breaker.Options{Redis: parts.Redis, Backlog: backlogs, Logger: parts.Logger})
		if err != nil {
			return nil, err
		}
		o.States = (&states{breaker: b}).read
		return problems.New(o)
	}
	o.States = func(context.Context) ([]*breaker.State, error) { return accounts.States(), nil }
	o.Account = func(ctx context.Context, p resolver.Place) (*resolver.Account, error) {
		a, _, err := accounts.Find(ctx, p)
		return a, err
	}
	return problems.New(o)
}

// states are those of a process without accounts, which nobody keeps up to date.
type states struct {
	breaker *breaker.Breaker
	mu      sync.Mutex
}

func (s *states) read(ctx context.Context) ([]*breaker.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.breaker.Load(ctx); err != nil {
		return nil, err
	}
	return s.breaker.States(), nil
}
