package queue

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Why a task was not moved.
var (
	ErrNoTask = errors.New("no such task")
	ErrActive = errors.New("a worker has the task in hand")
)

//go:embed move.lua
var moveSource string

var moveScript = redis.NewScript(moveSource)

// Move lets a task that waits or is archived run at another time, in whole seconds,
// rounded up; the zero time is now. It may be repeated. The error is ErrNoTask,
// ErrActive, or Redis's.
func Move(ctx context.Context, rdb redis.UniversalClient, ref Ref, at time.Time) error {
	prefix := prefix(ref.Queue)
	keys := []string{prefix + "t:" + ref.ID, prefix + "pending", prefix + "scheduled", prefix + "retry", prefix + "archived"}
	seconds := any("")
	if !at.IsZero() {
		seconds = at.Add(time.Second - 1).Unix()
	}
	answer, err := moveScript.Run(ctx, rdb, keys, ref.ID, seconds, time.Now().UnixNano()).Text()
	switch {
	case err != nil:
		return fmt.Errorf("move task: %w", err)
	case answer == "none":
		return ErrNoTask
	case answer == "active":
		return ErrActive
	case at.IsZero():
		_ = rdb.Publish(ctx, wakeChannel, "").Err() // else an idle worker finds it a moment later
	}
	return nil
}

// Size is how many tasks of a queue are scheduled, wait for a retry, or are archived.
func Size(ctx context.Context, rdb redis.UniversalClient, name string, state State) (int, error) {
	n, err := rdb.ZCard(ctx, prefix(name)+string(state)).Result()
	if err != nil {
		return 0, fmt.Errorf("count tasks: %w", err)
	}
	return int(n), nil
}

// scanPage is about how many ids a page has.
const scanPage = 500

// Scan hands out the ids of the tasks that are scheduled, wait for a retry, or are
// archived, page by page. Those that are so all the while come at least once, whatever
// moves meanwhile. An error of page ends it.
func Scan(ctx context.Context, rdb redis.UniversalClient, name string, state State, page func(ids []string) error) error {
	key := prefix(name) + string(state)
	for cursor := uint64(0); ; {
		pairs, next, err := rdb.ZScan(ctx, key, cursor, "", scanPage).Result()
		if err != nil {
			return fmt.Errorf("scan tasks: %w", err)
		}
		ids := make([]string, 0, len(pairs)/2)
		for i := 0; i < len(pairs); i += 2 { // each is followed by its score
			ids = append(ids, pairs[i])
		}
		if len(ids) > 0 {
			err = page(ids)
		}
		if err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}
