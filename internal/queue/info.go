package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// An Info says how a queue stands.
type Info struct {
	Queue  string
	Tasks  map[State]int
	Oldest time.Duration // for how long the next pending one has waited
	Paused bool
	Since  time.Time // of the pause, whole seconds; zero: none, or not told
}

// Queues tells of the three queues, in their order. One that nothing was ever in is
// empty.
func (i *Inspector) Queues(ctx context.Context) ([]Info, error) {
	type read struct {
		tasks        map[State]*redis.IntCmd
		next, paused *redis.StringCmd
		since        *redis.StringCmd // since when the next pending one has waited (Unix ns)
	}
	reads := make([]read, len(Names()))
	pipe := i.rdb.Pipeline()
	for k, name := range Names() {
		r := read{tasks: map[State]*redis.IntCmd{}, next: pipe.LIndex(ctx, Key(name, string(Pending)), -1), paused: pipe.Get(ctx, prefix(name)+"paused")}
		for _, state := range States() {
			size := pipe.ZCard
			if state == Pending || state == Active {
				size = pipe.LLen
			}
			r.tasks[state] = size(ctx, Key(name, string(state)))
		}
		reads[k] = r
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("inspect queues: %w", err)
	}
	for k, name := range Names() {
		reads[k].since = pipe.HGet(ctx, TaskKey(Ref{name, reads[k].next.Val()}), "pending_since")
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("inspect queues: %w", err)
	}
	list := make([]Info, 0, len(Names()))
	for k, name := range Names() {
		info := Info{Queue: name, Tasks: map[State]int{}}
		for state, n := range reads[k].tasks {
			info.Tasks[state] = int(n.Val())
		}
		if since, err := reads[k].since.Int64(); err == nil {
			info.Oldest = max(0, time.Since(time.Unix(0, since)))
		}
		if text, err := reads[k].paused.Result(); err == nil {
			info.Paused, info.Since = true, pausedSince(text)
		}
		list = append(list, info)
	}
	return list, nil
}

// OnTheirWay is how many tasks have not ended, whatever they wait for, of all queues.
func OnTheirWay(ctx context.Context, rdb redis.UniversalClient) (sum int64, err error) {
	var sizes []*redis.IntCmd
	pipe := rdb.Pipeline()
	for _, name := range Names() {
		for _, state := range []State{Pending, Active} {
			sizes = append(sizes, pipe.LLen(ctx, Key(name, string(state))))
		}
		for _, state := range []State{Scheduled, Retry} {
			sizes = append(sizes, pipe.ZCard(ctx, Key(name, string(state))))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("inspect queues: %w", err)
	}
	for _, size := range sizes {
		sum += size.Val()
	}
	return sum, nil
}

// pausedSince reads what asynq writes when somebody pauses a queue.
func pausedSince(text string) time.Time {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
