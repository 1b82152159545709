package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Pause is a queue of which workers take nothing.
type Pause struct {
	Queue string    `json:"queue"`
	Since time.Time `json:"since"` // whole seconds; zero: not told
}

// Paused are the queues that somebody has paused, in their order.
func Paused(ctx context.Context, rdb redis.UniversalClient) ([]Pause, error) {
	pipe := rdb.Pipeline()
	times := make([]*redis.StringCmd, len(Names()))
	for i, name := range Names() {
		times[i] = pipe.Get(ctx, prefix(name)+"paused")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("paused queues: %w", err)
	}
	var list []Pause
	for i, name := range Names() {
		text, err := times[i].Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("paused queues: %w", err)
		}
		list = append(list, Pause{Queue: name, Since: pausedSince(text)})
	}
	return list, nil
}
