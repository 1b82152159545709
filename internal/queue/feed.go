package queue

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// wakeChannel is where a producer says that something was enqueued.
const wakeChannel = "rohrpost:wake"

const (
	// maxFetch bounds the tasks fetched in one round trip.
	maxFetch = 32
	// idleWait is how long an idle server sleeps when nobody wakes it: the net
	// under lost wake-ups, and the grid of tasks that asynq's forwarder moves.
	idleWait = 250 * time.Millisecond
)

// A Feed is the Redis client of one asynq Server.
//
// asynq fetches tasks one by one in one goroutine, a round trip each. The Feed
// recognises that call and fetches for every free worker at once, by sending
// asynq's own script several times in one pipeline. What it holds back is never
// more than there are free workers, so nothing waits here.
//
// asynq polls an empty queue. The Feed answers such a poll late: when a producer
// has published on the wake channel, or after idleWait.
//
// asynq acknowledges under a context that may have ended with an outage, and
// then never succeeds. The Feed runs every script without that cancellation.
type Feed struct {
	redis.UniversalClient
	capacity int
	queues   int

	busy     atomic.Int64 // tasks handed to asynq and not done yet
	draining atomic.Bool
	wake     chan struct{} // capacity 1
	emptied  chan struct{} // capacity 1

	mu     sync.Mutex
	buffer []any          // tasks fetched and not handed over
	misses int            // empty answers in a row
	burst  map[string]int // how many to fetch, by pending list
}

// NewFeed wraps rdb for one asynq Server of that many workers.
func NewFeed(rdb redis.UniversalClient, workers int) *Feed {
	return &Feed{
		UniversalClient: rdb,
		capacity:        workers,
		queues:          len(Names()),
		wake:            make(chan struct{}, 1),
		emptied:         make(chan struct{}, 1),
		burst:           map[string]int{},
	}
}

// Done notes that the handler of a task has ended.
func (f *Feed) Done() { f.busy.Add(-1) }

// Wake lets a waiting server look at once.
func (f *Feed) Wake() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Drain stops fetching and returns when everything fetched was handed over, or
// with ctx. Stop the server afterwards.
func (f *Feed) Drain(ctx context.Context) {
	f.draining.Store(true)
	f.Wake()
	for {
		f.mu.Lock()
		left := len(f.buffer)
		f.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-f.emptied:
		case <-ctx.Done():
			return
		}
	}
}

// Eval is EvalSha for a script that Redis does not know yet.
func (f *Feed) Eval(ctx context.Context, source string, keys []string, args ...any) *redis.Cmd {
	return f.UniversalClient.Eval(context.WithoutCancel(ctx), source, keys, args...)
}

// EvalSha fetches ahead when asynq asks for a task, and passes on what else
// asynq wants, without its cancellation.
func (f *Feed) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	ctx = context.WithoutCancel(ctx)
	if !isDequeue(keys) {
		return f.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	return f.next(ctx, sha, keys, args)
}

// isDequeue recognises asynq's script that pops a task: its keys are the
// pending list, the pause flag, the active list and the leases of a queue.
func isDequeue(keys []string) bool {
	return len(keys) == 4 && strings.HasSuffix(keys[0], ":pending") && strings.HasSuffix(keys[1], ":paused")
}

// next answers one request for a task of the queue in keys. A task of another
// queue is as good: asynq reads the queue from the task.
func (f *Feed) next(ctx context.Context, sha string, keys []string, args []any) *redis.Cmd {
	f.mu.Lock()
	defer f.mu.Unlock()
	cmd := redis.NewCmd(ctx)
	if len(f.buffer) == 0 && !f.draining.Load() {
		if f.misses >= f.queues {
			f.idle()
		}
		if err := f.fetch(ctx, sha, keys, args); err != nil {
			cmd.SetErr(err)
			return cmd
		}
	}
	if len(f.buffer) == 0 {
		f.misses++
		cmd.SetErr(redis.Nil)
		return cmd
	}
	f.misses = 0
	f.busy.Add(1)
	cmd.SetVal(f.buffer[0])
	f.buffer = f.buffer[1:]
	if len(f.buffer) == 0 {
		select {
		case f.emptied <- struct{}{}:
		default:
		}
	}
	return cmd
}

// idle waits for a wake-up, without the lock.
func (f *Feed) idle() {
	f.mu.Unlock()
	defer f.mu.Lock()
	timer := time.NewTimer(idleWait)
	defer timer.Stop()
	select {
	case <-f.wake:
	case <-timer.C:
	}
	f.misses = 0
}

// fetch fills the buffer, with at most a task for each free worker; the one that
// asks is free. It starts with one task and doubles while the queue has enough.
func (f *Feed) fetch(ctx context.Context, sha string, keys []string, args []any) error {
	n := max(1, min(f.burst[keys[0]], f.capacity-int(f.busy.Load())))
	pipe := f.UniversalClient.Pipeline()
	cmds := make([]*redis.Cmd, n)
	for i := range cmds {
		cmds[i] = pipe.EvalSha(ctx, sha, keys, args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var failed error
	for _, c := range cmds {
		switch val, err := c.Result(); {
		case err == nil:
			f.buffer = append(f.buffer, val)
		case !errors.Is(err, redis.Nil):
			failed = err
		}
	}
	if len(f.buffer) == n {
		f.burst[keys[0]] = min(2*n, maxFetch)
	} else {
		f.burst[keys[0]] = 1
	}
	if len(f.buffer) > 0 {
		return nil // what was popped must be handed over, whatever else went wrong
	}
	return failed
}
