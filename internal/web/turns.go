package web

import (
	"errors"
	"sync"
)

// errNoTurn says that others search already.
var errNoTurn = errors.New("too many searches at a time")

const (
	// mostSearches read the error log at a time, in this process; mostOfTenant of
	// them are one tenant's, so that the others find a turn.
	mostSearches = 4
	mostOfTenant = 2
)

// turns are places for what reads much of the error log.
type turns struct {
	mu    sync.Mutex
	all   int
	taken map[string]int // by tenant; operators are ""
}

func newTurns() *turns { return &turns{taken: map[string]int{}} }

// take takes a place for p, which back gives back.
func (t *turns) take(p person) (back func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all >= mostSearches || t.taken[p.tenant] >= mostOfTenant {
		return nil, errNoTurn
	}
	t.all++
	t.taken[p.tenant]++
	return func() { t.giveBack(p) }, nil
}

func (t *turns) giveBack(p person) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.taken[p.tenant]--; t.taken[p.tenant] == 0 {
		delete(t.taken, p.tenant)
	}
}
