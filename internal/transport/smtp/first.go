package smtp

import (
	"context"
	"sync"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// maxFirsts is how many accounts are remembered.
const maxFirsts = 10_000

// A LoginGuard knows whether the password of an account was refused: package
// gate's knowledge of one account.
type LoginGuard interface {
	// Refused is the refusal, nil if there is none.
	Refused() *failure.Failure
	// Refuse is told of one, before anybody else tries the password.
	Refuse(ctx context.Context, f *failure.Failure)
}

// firsts sees to it that a password which nobody has used yet is tried by one
// connection alone: with a wrong one the others do not log in, and the provider
// sees one refused login instead of one for each connection.
type firsts struct {
	mu       sync.Mutex
	accounts map[string]*first // by account and version
}

type first struct {
	proven bool
	busy   chan struct{} // closed when the login under way has ended; nil: there is none
}

func newFirsts() *firsts { return &firsts{accounts: map[string]*first{}} }

// login does a login as soon as it may, unless another one has been refused.
// guard may be nil.
func (f *firsts) login(ctx context.Context, key string, guard LoginGuard, do func() *failure.Failure) *failure.Failure {
	for {
		a, busy := f.begin(key)
		if busy == nil {
			return f.end(a, guarded(ctx, guard, do))
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return failure.Classify(failure.Cause{Stage: failure.StageAuth, Err: ctx.Err()})
		}
	}
}

func guarded(ctx context.Context, guard LoginGuard, do func() *failure.Failure) *failure.Failure {
	if guard == nil {
		return do()
	}
	if f := guard.Refused(); f != nil {
		return f
	}
	f := do()
	if f != nil && f.Class == failure.Config && f.Code/100 == 5 {
		guard.Refuse(ctx, f)
	}
	return f
}

// begin says whether to wait, or to log in: alone unless the password is proven.
func (f *firsts) begin(key string) (a *first, busy chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a = f.accounts[key]
	switch {
	case a == nil:
		f.prune()
		a = &first{}
		f.accounts[key] = a
	case a.proven:
		return a, nil
	case a.busy != nil:
		return a, a.busy
	}
	a.busy = make(chan struct{})
	return a, nil
}

func (f *firsts) end(a *first, result *failure.Failure) *failure.Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a.busy != nil {
		close(a.busy)
		a.busy = nil
	}
	if result == nil || result.Class == failure.Config {
		a.proven = result == nil
	}
	return result
}

// prune makes room. The lock is held.
func (f *firsts) prune() {
	for key, a := range f.accounts {
		if len(f.accounts) < maxFirsts {
			return
		}
		if a.busy == nil {
			delete(f.accounts, key)
		}
	}
}
