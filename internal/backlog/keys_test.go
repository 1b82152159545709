package backlog_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/backlog"
)

// TestKey: a key tells which account's backlog it is.
func TestKey(t *testing.T) {
	t.Parallel()
	for _, account := range []string{"platform", "tenant/acme", "user/acme/anna", "tenant/a}b", "tenant/{a}", "ü/:"} {
		if got := backlog.ParseKey(backlog.Key(account)); got != account {
			t.Errorf("%s comes back as %s", account, got)
		}
	}
}
