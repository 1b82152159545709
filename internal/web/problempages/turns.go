package problempages

import (
	"errors"
	"sync"

	"github.com/rohrpost/rohrpost/internal/web/signin"
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
func (t *turns) take(p signin.Person) (back func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all >= mostSearches || t.taken[p.Tenant] >= mostOfTenant {
		return nil, errNoTurn
	}
	t.all++
	t.taken[p.Tenant]++
	return func() { t.giveBack(p) }, nil
}

func (t *turns) giveBack(p signin.Person) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.taken[p.Tenant]--; t.taken[p.Tenant] == 0 {
		delete(t.taken, p.Tenant)
	}
}
