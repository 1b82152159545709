package queue

import (
	"context"
	_ "embed"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// leaseTime is asynq's: how long a task is a worker's before its server must
// have renewed the lease.
const leaseTime = 30 * time.Second

//go:embed claim.lua
var claimSource string

var claimScript = redis.NewScript(claimSource)

// A Ref names a task; its ID is the job's key.
type Ref struct{ Queue, ID string }

// A Miss says why a task could not be claimed. The values are those of claim.lua.
type Miss int

const (
	// MissActive is a task that may be had later: a worker still has it in hand
	// (it is just being deferred), its queue is paused, or this Client drains.
	MissActive Miss = iota + 1
	// MissGone is a task that does not wait: deleted, done, pending or archived.
	MissGone
)

// Claim asks for tasks that wait in asynq's retry or scheduled set. They are taken
// over one by one as workers become free, in turn with pending ones, and not
// before: their lease runs from that moment.
//
// missed, which may be nil, is told once of each task that could not be had. It
// is called without locks held, by Claim itself when the client drains, and must
// not block. A task that was active is not to be claimed again at once: if its
// worker died, it stays active for a minute or two.
func (f *Client) Claim(refs []Ref, missed func(Ref, Miss)) {
	wanted := make([]*claim, len(refs))
	for i, ref := range refs {
		wanted[i] = &claim{ref: ref, missed: missed, reason: MissActive}
	}
	if !f.claims.add(wanted, &f.draining) {
		tell(wanted)
		return
	}
	f.Wake()
}

// Free is how many workers have neither a task nor the promise of one. It can be
// negative, as more may be promised than there are workers. A draining client has
// none.
func (f *Client) Free() int {
	if f.draining.Load() {
		return 0
	}
	return f.capacity - int(f.busy.Load()) - int(f.claims.open.Load())
}

// A claim is a task that somebody wants.
type claim struct {
	ref    Ref
	missed func(Ref, Miss)
	reason Miss // why it could not be had
}

// tell says why tasks could not be had.
func tell(missed []*claim) {
	for _, c := range missed {
		if c.missed != nil {
			c.missed(c.ref, c.reason)
		}
	}
}

// claims are the tasks wanted, in order. Their number is read without the lock.
type claims struct {
	open  atomic.Int64 // those in the queue and those under way
	mu    sync.Mutex
	queue []*claim
}

// add appends claims unless the client drains. Drain sets the flag before it takes
// them all: none is left behind.
func (q *claims) add(cs []*claim, draining *atomic.Bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if draining.Load() {
		return false
	}
	q.queue = append(q.queue, cs...)
	q.open.Add(int64(len(cs)))
	return true
}

// take removes up to n claims from the queue; they stay open until the taker has
// put them back or counted them off.
func (q *claims) take(n int) []*claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.queue))
	taken := q.queue[:n:n]
	q.queue = q.queue[n:]
	return taken
}

// putBack appends claims that could not be tried, behind those that may fare
// better.
func (q *claims) putBack(cs []*claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, cs...)
}

// takeOver fills the buffer with claimed tasks, at most one for each free worker;
// the one that asks is free. What Redis did not answer is wanted as before: the
// next try finds those that were taken over without an answer active, like any
// task of a worker that died.
func (f *Client) takeOver(ctx context.Context) error {
	f.claimed = true
	f.gather(min(f.capacity/4, maxFetch, int(f.claims.open.Load())))
	calls := perQueue(f.claims.take(max(1, min(maxFetch, f.capacity-int(f.busy.Load())))))
	f.send(ctx, calls, "evalsha", claimScript.Hash())
	f.send(ctx, calls, "eval", claimSource)
	var failed error
	for _, call := range calls {
		// One that was read to its end counts, as in fetch; half a list is an empty one.
		replies, _ := call.cmd.Val().([]any)
		if len(replies) != len(call.claims) {
			f.claims.putBack(call.claims)
			failed = call.cmd.Err()
			continue
		}
		for i, reply := range replies {
			if reason, no := reply.(int64); no {
				call.claims[i].reason = Miss(reason)
				f.missed = append(f.missed, call.claims[i])
				continue
			}
			f.buffer = append(f.buffer, reply)
			f.busy.Add(1)
		}
		f.claims.open.Add(-int64(len(replies)))
	}
	if len(f.buffer) > 0 {
		return nil // what was taken over must be handed over, whatever else went wrong
	}
	if failed == nil && f.claims.open.Load() > 0 {
		f.Wake() // for the rest, lest an idle client sleeps on it
	}
	return failed
}

// A claimCall is a run of the script, for the claims of one queue: its keys are
// in one slot of a Cluster.
type claimCall struct {
	claims []*claim
	cmd    *redis.Cmd
}

func perQueue(cs []*claim) []*claimCall {
	var calls []*claimCall
	for _, c := range cs {
		i := slices.IndexFunc(calls, func(call *claimCall) bool { return call.claims[0].ref.Queue == c.ref.Queue })
		if i < 0 {
			i, calls = len(calls), append(calls, &claimCall{})
		}
		calls[i].claims = append(calls[i].claims, c)
	}
	return calls
}

// send runs the calls that were not made yet, or with a script that Redis did not
// know, in one round trip.
func (f *Client) send(ctx context.Context, calls []*claimCall, name, script string) {
	lease := time.Now().Add(leaseTime).Unix()
	pipe := f.UniversalClient.Pipeline()
	for _, call := range calls {
		if call.cmd != nil && !redis.HasErrorPrefix(call.cmd.Err(), "NOSCRIPT") {
			continue
		}
		prefix := prefix(call.claims[0].ref.Queue)
		keys := []string{prefix + "paused", prefix + "retry", prefix + "scheduled", prefix + "active", prefix + "lease"}
		args := []any{lease}
		for _, c := range call.claims {
			keys = append(keys, prefix+"t:"+c.ref.ID)
			args = append(args, c.ref.ID)
		}
		call.cmd = redis.NewCmd(ctx, command(name, script, keys, args)...)
		call.cmd.SetFirstKeyPos(3)
		_ = pipe.Process(ctx, once{call.cmd})
	}
	if pipe.Len() > 0 {
		_, _ = pipe.Exec(ctx) // each command has its own error
	}
}
