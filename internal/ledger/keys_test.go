package ledger_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
)

func TestRecordKeys(t *testing.T) {
	t.Parallel()
	for _, key := range []payload.Key{"a", "a,acme", payload.KeyOf("{a}:,~ü", "a:b")} {
		if got := ledger.ParseRecordKey(ledger.RecordKey(key)); got != key {
			t.Errorf("record of %q: %q", key, got)
		}
	}
}
