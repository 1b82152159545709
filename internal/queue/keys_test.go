package queue_test

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/queue"
)

func TestTaskKeys(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"a", "a,acme", "a}:t:b", "{a}", "ü/:"} {
		ref := queue.Ref{Queue: "bulk", ID: id}
		if got := queue.ParseTaskKey(queue.TaskKey(ref)); got != ref {
			t.Errorf("task of %q: %+v", id, got)
		}
	}
	if got := queue.ParseTaskKey(queue.Key("bulk", "pending")); got.ID != "" {
		t.Errorf("%+v", got)
	}
}
