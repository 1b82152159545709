package oauth

import (
	"strconv"
	"testing"
	"time"
)

// Accounts that are used in turn do not fill the memory.
func TestEntriesAreSwept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	tokens := &Tokens{now: func() time.Time { return now }, entries: make(map[string]*entry), sweepAt: minSwept}
	most := 0
	for i := range 100_000 {
		tokens.entryLocked(strconv.Itoa(i)).token.expires = now.Add(time.Hour)
		most = max(most, len(tokens.entries))
		now = now.Add(10 * time.Second) // 360 are alive at any time
	}
	if most > minSwept {
		t.Errorf("%d entries", most)
	}
	flying := tokens.entryLocked("flying")
	flying.flight = &flight{}
	for i := range 10_000 {
		tokens.entryLocked("x" + strconv.Itoa(i))
	}
	if tokens.entryLocked("flying") != flying {
		t.Error("an entry with a flight under way was dropped")
	}
}
