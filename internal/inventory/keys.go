package inventory

import (
	"strings"

	"github.com/rohrpost/rohrpost"
)

// The keys belong to others: these are asynq's, the ledger's, blob's and gate's.
const (
	queuesKey  = "asynq:queues"
	noticesKey = "rohrpost:gate:notices"

	taskPattern   = "asynq:{*}:t:*"
	recordPattern = "rohrpost:job:{*"
	blobPattern   = "rohrpost:blob:{*}"
	roomPattern   = "rohrpost:gate:{*}:room"
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

func queueKey(queue, name string) string { return "asynq:{" + queue + "}:" + name }
func blobKey(digest string) string       { return "rohrpost:blob:{" + digest + "}" }

func taskKey(queue string, key rohrpost.Key) string { return queueKey(queue, "t:"+string(key)) }

// recordKey has the braces around the id alone, as ledger has it.
func recordKey(key rohrpost.Key) string {
	id := key.ID()
	return "rohrpost:job:{" + id + "}" + string(key[len(id):])
}

func parseRecordKey(key string) rohrpost.Key {
	return rohrpost.Key(strings.Replace(inside(key, recordPattern), "}", "", 1))
}

// roomKey has no brace of the account's, as gate has it.
func roomKey(account string) string {
	return "rohrpost:gate:{" + strings.ReplaceAll(account, "}", "%7D") + "}:room"
}

func parseRoomKey(key string) (account string) {
	return strings.ReplaceAll(inside(key, roomPattern), "%7D", "}")
}

// inside is what stands for the star of a pattern with one.
func inside(key, pattern string) string {
	before, after, _ := strings.Cut(pattern, "*")
	return strings.TrimSuffix(strings.TrimPrefix(key, before), after)
}

// parseTaskKey answers with an empty key for what is no task's.
func parseTaskKey(name string) (queue string, key rohrpost.Key) {
	queue, id, _ := strings.Cut(strings.TrimPrefix(name, "asynq:{"), "}:t:")
	return queue, rohrpost.Key(id)
}
