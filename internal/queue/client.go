package queue

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxFetch bounds the tasks fetched in one round trip.
	maxFetch = 32
	// idleWait is how long an idle server sleeps when nobody wakes it: the net
	// under lost wake-ups, and the grid of tasks that asynq's forwarder moves.
	idleWait = 250 * time.Millisecond
	// gatherWait is the most that a free worker waits for others before tasks are
	// fetched for them together.
	gatherWait = 2 * time.Millisecond
	// lookAgain is how long an empty queue is not looked at while another has
	// enough.
	lookAgain = 5 * time.Millisecond
)

// A Client is the Redis client of one asynq Server.
//
// asynq fetches tasks one by one in one goroutine, a round trip each. The client
// recognises that call and fetches for every free worker at once, by sending
// asynq's own script several times in one pipeline. What it holds back is never
// more than there are free workers, so it waits for no handler, only for an
// acknowledgement under way. Tasks whose fetch was executed and not answered,
// because the connection broke, stay active under a lease that nobody extends:
// asynq's recoverer brings them back 60 to 120 s later. The fetch is therefore
// not repeated blindly.
//
// Tasks that wait for a later time are handed over too, when somebody claims them
// (claim.go): in turn with pending ones, if there are both.
//
// asynq polls an empty queue. The client answers such a poll late: when a producer
// has published on the wake channel, or after idleWait. So it does after an
// error, or asynq would hammer a Redis that is loading its data.
//
// asynq acknowledges under a context that may have ended with an outage, and
// then never succeeds. The client runs every script without that cancellation.
type Client struct {
	redis.UniversalClient
	capacity int
	queues   int
	idleWait time.Duration

	busy     atomic.Int64 // tasks fetched and not done yet
	draining atomic.Bool
	wake     chan struct{} // capacity 1
	freed    chan struct{} // capacity 1
	emptied  chan struct{} // capacity 1
	claims   claims

	mu      sync.Mutex
	buffer  []any                // tasks fetched and not handed over
	missed  []*claim             // whose owners are to be told
	claimed bool                 // claims had their turn; the next one is that of pending tasks
	misses  int                  // empty answers in a row
	burst   map[string]int       // how many to fetch, by pending list, of those that have enough
	empty   map[string]time.Time // when a pending list was found empty
}

// NewClient wraps rdb for one asynq Server of that many workers.
func NewClient(rdb redis.UniversalClient, workers int) *Client {
	return &Client{
		UniversalClient: rdb,
		capacity:        workers,
		queues:          len(Names()),
		idleWait:        idleWait,
		wake:            make(chan struct{}, 1),
		freed:           make(chan struct{}, 1),
		emptied:         make(chan struct{}, 1),
		burst:           map[string]int{},
		empty:           map[string]time.Time{},
	}
}

// Done notes that the handler of a task has ended.
func (f *Client) Done() {
	f.busy.Add(-1)
	signal(f.freed)
}

// signal leaves a token in a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Wake lets a waiting server look at once.
func (f *Client) Wake() { signal(f.wake) }

// Drain stops fetching, drops what is claimed and not taken over, as a miss, and
// returns when everything fetched was handed over, or with ctx; a fetch under way
// is waited for in any case. Stop the server afterwards.
func (f *Client) Drain(ctx context.Context) {
	f.draining.Store(true)
	f.Wake()
	f.mu.Lock() // no claim is under way
	dropped := f.claims.take(math.MaxInt)
	f.mu.Unlock()
	tell(dropped)
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
func (f *Client) Eval(ctx context.Context, source string, keys []string, args ...any) *redis.Cmd {
	ctx = context.WithoutCancel(ctx)
	if isDequeue(keys) {
		return f.next(ctx, command("eval", source, keys, args), keys[0])
	}
	return f.settled(ctx, f.UniversalClient.Eval(ctx, source, keys, args...), keys, args)
}

// EvalSha fetches ahead when asynq asks for a task, and passes on what else
// asynq wants, without its cancellation.
func (f *Client) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	ctx = context.WithoutCancel(ctx)
	if isDequeue(keys) {
		return f.next(ctx, command("evalsha", sha, keys, args), keys[0])
	}
	return f.settled(ctx, f.UniversalClient.EvalSha(ctx, sha, keys, args...), keys, args)
}

// isDequeue recognises asynq's script that pops a task: its keys are the
// pending list, the pause flag, the active list and the leases of a queue.
func isDequeue(keys []string) bool {
	return len(keys) == 4 && strings.HasSuffix(keys[0], ":pending") && strings.HasSuffix(keys[1], ":paused")
}

func command(name, script string, keys []string, args []any) []any {
	c := make([]any, 0, 3+len(keys)+len(args))
	c = append(c, name, script, len(keys))
	for _, k := range keys {
		c = append(c, k)
	}
	return append(c, args...)
}

// settled turns asynq's "NOT FOUND" into a yes: the task that was to be
// acknowledged is active no more, mostly because the answer to a first
// acknowledgement was lost. asynq would repeat it for half a minute, and could
// hit the next attempt at the same task.
//
// Or two workers have had the task, since one was frozen, or its clock is wrong, and
// the other has put it off already: then the earlier of their times counts. A mail
// that waits long is woken by the channel; the one that was to come soon is not.
func (f *Client) settled(ctx context.Context, cmd *redis.Cmd, keys []string, args []any) *redis.Cmd {
	if !redis.HasErrorPrefix(cmd.Err(), "NOT FOUND") {
		return cmd
	}
	cmd.SetErr(nil)
	cmd.SetVal("OK")
	if !isRetry(keys, args) {
		return cmd
	}
	at, _ := args[2].(int64)
	earlier := redis.ZAddArgs{XX: true, LT: true, Members: []redis.Z{{Score: float64(at), Member: args[0]}}}
	if err := f.UniversalClient.ZAddArgs(ctx, keys[3], earlier).Err(); err != nil {
		cmd.SetErr(err) // asynq tries again
	}
	return cmd
}

// isRetry recognises asynq's script that puts a task off: the fourth of its keys is
// the retry set, its arguments begin with the id, the message and Unix seconds.
func isRetry(keys []string, args []any) bool {
	return len(keys) > 3 && strings.HasSuffix(keys[3], ":retry") && strings.HasSuffix(keys[1], ":active") && len(args) > 2
}

// next answers one request for a task of the queue whose pending list it names.
// A task of another queue is as good: asynq reads the queue from the task.
func (f *Client) next(ctx context.Context, pop []any, pending string) *redis.Cmd {
	f.mu.Lock()
	cmd := f.answer(ctx, pop, pending)
	missed := f.missed
	f.missed = nil
	f.mu.Unlock()
	tell(missed)
	return cmd
}

func (f *Client) answer(ctx context.Context, pop []any, pending string) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	if len(f.buffer) == 0 && f.misses >= f.queues && !f.draining.Load() {
		f.idle()
	}
	if len(f.buffer) == 0 && !f.draining.Load() {
		if err := f.fill(ctx, pop, pending); err != nil {
			if !redis.HasErrorPrefix(err, "NOSCRIPT") { // asynq's answer to that is Eval
				f.misses = f.queues
			}
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
	cmd.SetVal(f.buffer[0])
	f.buffer = f.buffer[1:]
	if len(f.buffer) == 0 {
		signal(f.emptied)
	}
	return cmd
}

// fill gets claimed tasks or pending ones, in turn when there are both. asynq asks
// for the queues one after the other: pending tasks had their turn when one of
// them had some, or none of them had any.
func (f *Client) fill(ctx context.Context, pop []any, pending string) error {
	if f.claims.open.Load() > 0 && !f.claimed {
		if err := f.takeOver(ctx); err != nil || len(f.buffer) > 0 {
			return err
		}
	}
	if !f.skip(pending) {
		if f.burst[pending] > 1 {
			f.gather(min(f.capacity/4, maxFetch))
		}
		if err := f.fetch(ctx, pop, pending); err != nil {
			return err
		}
	}
	last := f.misses+1 >= f.queues
	if len(f.buffer) > 0 || last {
		f.claimed = false
	}
	if len(f.buffer) == 0 && last && f.claims.open.Load() > 0 {
		return f.takeOver(ctx)
	}
	return nil
}

// idle waits for a wake-up, without the lock.
func (f *Client) idle() {
	f.mu.Unlock()
	defer f.mu.Lock()
	timer := time.NewTimer(f.idleWait)
	defer timer.Stop()
	select {
	case <-f.wake:
	case <-timer.C:
	}
	f.misses = 0
	clear(f.empty) // whoever wakes the client has filled one of them
}

// skip spares the look at a queue that was empty a moment ago while another one
// has enough, or tasks are claimed: asynq asks for the three queues in turn, and
// two of them are mostly empty.
func (f *Client) skip(pending string) bool {
	return (len(f.burst) > 0 || f.claims.open.Load() > 0) && f.burst[pending] == 0 && time.Since(f.empty[pending]) < lookAgain
}

// gather waits a moment for that many workers to be free when there are tasks for
// them: one round trip for each task alone would be the limit of the throughput.
func (f *Client) gather(enough int) {
	timer := time.NewTimer(gatherWait)
	defer timer.Stop()
	for f.capacity-int(f.busy.Load()) < enough {
		select {
		case <-f.freed:
		case <-timer.C:
			return
		}
	}
}

// fetch fills the buffer, with at most a task for each free worker; the one that
// asks is free. It starts with one task and doubles while the queue has enough.
func (f *Client) fetch(ctx context.Context, pop []any, pending string) error {
	burst := max(1, f.burst[pending])
	n := max(1, min(burst, f.capacity-int(f.busy.Load())))
	pipe := f.UniversalClient.Pipeline()
	cmds := make([]*redis.Cmd, n)
	for i := range cmds {
		cmds[i] = redis.NewCmd(ctx, pop...)
		cmds[i].SetFirstKeyPos(3)
		_ = pipe.Process(ctx, once{cmds[i]})
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var failed error
	for _, c := range cmds {
		// A reply that was read counts, although go-redis marks every command of a
		// pipeline that broke later as failed. One that broke itself is empty text.
		if task, _ := c.Val().(string); task != "" {
			f.buffer = append(f.buffer, task)
		} else if err := c.Err(); !errors.Is(err, redis.Nil) {
			failed = err
		}
	}
	delete(f.burst, pending)
	switch {
	case len(f.buffer) == n:
		f.burst[pending] = min(2*burst, maxFetch)
	case len(f.buffer) == 0 && failed == nil:
		f.empty[pending] = time.Now()
	}
	f.busy.Add(int64(len(f.buffer)))
	if len(f.buffer) > 0 {
		return nil // what was popped must be handed over, whatever else went wrong
	}
	return failed
}

// once is a command that go-redis does not repeat: one that was executed without
// an answer has popped its task, and a second one would pop another.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }
