package smtp

import (
	"strconv"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// TestFirstsAreBounded: a login under way is never forgotten, all others may be.
func TestFirstsAreBounded(t *testing.T) {
	t.Parallel()
	f := newFirsts()
	_ = f.login(t.Context(), "under way", nil, func() *failure.Failure {
		for n := range maxFirsts + 100 {
			_ = f.login(t.Context(), strconv.Itoa(n), nil, func() *failure.Failure { return nil })
		}
		if len(f.accounts) > maxFirsts || f.accounts["under way"] == nil {
			t.Errorf("%d accounts are remembered", len(f.accounts))
		}
		return nil
	})
}
