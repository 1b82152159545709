package reconcile

import (
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// The lists and sorted sets of asynq in which a task can be.
const (
	pending   = "pending"
	active    = "active"
	scheduled = "scheduled"
	retry     = "retry"
	archived  = "archived"
	completed = "completed"
	lease     = "lease" // beside active, not instead of it
)

// placeNames are in the order of the scripts' KEYS.
func placeNames() []string {
	return []string{pending, active, scheduled, retry, archived, completed, lease}
}

func taskKey(name string, key payload.Key) string {
	return queue.TaskKey(queue.Ref{Queue: name, ID: string(key)})
}
