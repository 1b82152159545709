package ledger_test

import (
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

func TestRecordKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []rohrpost.Key{"a", "a,acme", rohrpost.KeyOf("{a}:,~ü", "a:b")} {
		if got := ledger.ParseRecordKey(ledger.RecordKey(key)); got != key {
			t.Errorf("record of %q: %q", key, got)
		}
	}
}
