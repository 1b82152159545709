package queue_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestDiscard(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	for _, state := range []string{"pending", "scheduled", "retry", "active", "archived"} {
		ref := put(t, rdb, "in-"+state, state)
		before, _ := places(t, rdb, ref.ID)
		for range 2 { // the second time after a lost reply
			if err := queue.Discard(t.Context(), rdb, ref); err != nil {
				t.Fatal(err)
			}
		}
		after, now := places(t, rdb, ref.ID)
		if gone := len(after) == 0 && now == ""; gone != (state == "archived") || !gone && len(after) != len(before) {
			t.Errorf("%s: it was in %v, and is in %v as %q", state, before, after, now)
		}
	}
	_ = rdb.Close()
	if err := queue.Discard(t.Context(), rdb, queue.Ref{Queue: "bulk", ID: "x"}); err == nil {
		t.Error("without Redis")
	}
}
