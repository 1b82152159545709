package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
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
		p := Pause{Queue: name}
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			p.Since = time.Unix(seconds, 0).UTC()
		}
		list = append(list, p)
	}
	return list, nil
}
