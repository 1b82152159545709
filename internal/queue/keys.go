package queue

import "strings"

// wakeChannel is where a producer says that something was enqueued.
const wakeChannel = "rohrpost:wake"

// The keys of the queues are asynq's.
const (
	// NamesKey is the set of queues that asynq knows.
	NamesKey = "asynq:queues"
	// TaskPattern matches the keys of all tasks.
	TaskPattern = "asynq:{*}:t:*"
)

// prefix is how the keys of a queue begin.
func prefix(name string) string { return "asynq:{" + name + "}:" }

// Key is a list or set of a queue: pending, active, scheduled, retry, archived,
// completed, or lease, which is beside active.
func Key(name, list string) string { return prefix(name) + list }

// TaskKey is the hash of a task.
func TaskKey(ref Ref) string { return prefix(ref.Queue) + "t:" + ref.ID }

// ParseTaskKey is the reverse of TaskKey. It answers with an empty ID for what is no
// task's key.
func ParseTaskKey(key string) Ref {
	name, id, _ := strings.Cut(strings.TrimPrefix(key, "asynq:{"), "}:t:")
	return Ref{name, id}
}
