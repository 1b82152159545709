package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A claimed task is in the same state as one that asynq has moved from its retry
// or scheduled set to its pending list and then dequeued. Should this fail with a
// new asynq, claim.lua must do what asynq's dequeue script does now.
func TestClaimLeavesWhatAsynqLeaves(t *testing.T) {
	t.Parallel()
	for _, end := range []error{nil, errors.New("later")} {
		t.Run(fmt.Sprintf("ends with %v", end), func(t *testing.T) {
			t.Parallel()
			ours, theirs := redistest.Start(t).Client(t), redistest.Start(t).Client(t)
			refs := append(deferred(t, ours, "default", 3), scheduled(t, ours, "default", 3)...)
			for _, ref := range refs { // what dequeue clears away
				ours.HSet(t.Context(), key(ref.Queue, "t:"+ref.ID), "pending_since", 1)
			}
			for _, k := range ours.Keys(t.Context(), "asynq:*").Val() {
				if err := theirs.Restore(t.Context(), k, 0, ours.Dump(t.Context(), k).Val()).Err(); err != nil {
					t.Fatal(err)
				}
			}
			for _, ref := range refs { // what is due, asynq moves
				for _, set := range []string{"retry", "scheduled"} {
					theirs.ZAddXX(t.Context(), key(ref.Queue, set), redis.Z{Score: 1, Member: ref.ID})
				}
			}
			conn := queue.NewClient(ours, len(refs))
			conn.Claim(refs, func(r queue.Ref, m queue.Miss) { t.Errorf("%v: %v", r, m) })
			activeOurs, doneOurs := states(t, conn, ours, len(refs), end)
			activeTheirs, doneTheirs := states(t, theirs, theirs, len(refs), end)
			if diff := cmp.Diff(activeTheirs, activeOurs); diff != "" {
				t.Errorf("active: %s", diff)
			}
			if diff := cmp.Diff(doneTheirs, doneOurs); diff != "" {
				t.Errorf("done: %s", diff)
			}
		})
	}
}

// states runs a server until n tasks are active and until they have ended, and
// returns what Redis has of the queue at both times.
func states(t *testing.T, client, rdb redis.UniversalClient, n int, end error) (active, done map[string]any) {
	t.Helper()
	begun, release := make(chan struct{}, n), make(chan struct{})
	server := asynq.NewServerFromRedisClient(client, later(n))
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		begun <- struct{}{}
		<-release
		return end
	})); err != nil {
		t.Fatal(err)
	}
	for range n {
		await(t, "attempt", begun)
	}
	active = queueSnapshot(t, rdb)
	close(release)
	eventually(t, "end of the attempts", func() bool { return length(t, rdb, "active") == 0 })
	server.Shutdown()
	return active, queueSnapshot(t, rdb)
}

// queueSnapshot is what Redis has of the default queue. Times that lie as far
// ahead as expected are rounded, and lists are sorted: workers are quick or slow.
func queueSnapshot(t *testing.T, rdb redis.UniversalClient) map[string]any {
	t.Helper()
	ctx := t.Context()
	out := map[string]any{}
	for _, k := range rdb.Keys(ctx, "asynq:{default}:*").Val() {
		switch kind := rdb.Type(ctx, k).Val(); kind {
		case "hash":
			h := rdb.HGetAll(ctx, k).Val()
			info, err := asynq.NewInspectorFromRedisClient(rdb).GetTaskInfo("default", k[len(key("default", "t:")):])
			if err != nil {
				t.Fatal(err)
			}
			delete(h, "msg") // has times
			out[k] = []any{h, info.Payload, info.Type, info.State, info.Retried, info.MaxRetry, info.Timeout, info.LastErr}
		case "list":
			out[k] = rdb.Sort(ctx, k, &redis.Sort{Alpha: true}).Val()
		case "zset":
			ahead := map[string]time.Duration{}
			for _, z := range rdb.ZRangeWithScores(ctx, k, 0, -1).Val() {
				until := time.Until(time.Unix(int64(z.Score), 0))
				ahead[fmt.Sprint(z.Member)] = (until + 10*time.Second).Truncate(30 * time.Second)
			}
			out[k] = ahead
		case "string":
			out[k] = rdb.Get(ctx, k).Val()
		default:
			t.Errorf("%s is a %s", k, kind)
		}
	}
	return out
}

// Redis is away when tasks are claimed: they are had when it is back.
func TestClaimsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	const n, workers = 100, 8
	server := redistest.Start(t, redistest.AOF())
	rdb := server.Client(t)
	refs := append(deferred(t, rdb, "bulk", n), scheduled(t, rdb, "critical", n)...)
	conn := queue.NewClient(server.Client(t), workers)
	done, missed := make(chan string, 2*len(refs)), make(chan verdict, len(refs))
	stop := start(t, conn, workers, func(id string) error { done <- id; return nil })
	defer stop() // a second time, unless the test ends before
	conn.Claim(refs[:n], func(r queue.Ref, m queue.Miss) { missed <- verdict{r, m} })
	seen := map[string]int{}
	for range n / 4 {
		seen[await(t, "task", done)]++
	}
	server.Kill()
	conn.Claim(refs[n:], func(r queue.Ref, m queue.Miss) { missed <- verdict{r, m} })
	server.Start()
	eventually(t, "the rest", func() bool { return length(t, rdb, "retry")+length(t, rdb, "scheduled") == 0 })
	// What was taken over without an answer is active, and told.
	eventually(t, "acknowledgements", func() bool { return len(seen)+len(done)+length(t, rdb, "active") == len(refs) })
	eventually(t, "end of the claims", func() bool { return conn.Free() == workers })
	lost := length(t, rdb, "active")
	if len(missed) != lost {
		t.Errorf("%d tasks were taken over without an answer, %d told", lost, len(missed))
	}
	for range len(missed) {
		if v := <-missed; v.miss != queue.MissActive {
			t.Errorf("%v", v)
		}
	}
	stop()
	ageLeases(t, rdb)
	stop = start(t, queue.NewClient(rdb, workers), workers, func(id string) error { done <- id; return nil })
	defer stop()
	for range len(refs) - n/4 {
		seen[await(t, "task", done)]++
	}
	for _, ref := range refs {
		if seen[ref.ID] != 1 {
			t.Errorf("%s was handled %d times", ref.ID, seen[ref.ID])
		}
	}
}

// The reply of the claims of one queue is lost: those of the others count, and
// nothing is taken over twice.
func TestLostReplyOfAClaim(t *testing.T) {
	t.Parallel()
	const n, workers = 5, 30
	server := redistest.Start(t)
	rdb, broken := server.Client(t), server.Client(t)
	var refs []queue.Ref
	for _, name := range queue.Names() {
		refs = append(refs, scheduled(t, rdb, name, n)...)
	}
	var once sync.Once
	broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		err := run()
		if isClaim(cmds[0]) && len(cmds) == 3 && cmds[2].Err() == nil {
			once.Do(func() { // go-redis marks every command of the pipeline
				for _, c := range cmds {
					c.SetErr(io.ErrUnexpectedEOF)
				}
				cmds[2].(interface{ SetVal(any) }).SetVal(nil)
				err = io.ErrUnexpectedEOF
			})
		}
		return err
	}))
	conn := queue.NewClient(broken, workers)
	missed, tell := verdicts()
	conn.Claim(refs, tell)
	done := make(chan string, 2*len(refs))
	stop := start(t, conn, workers, func(id string) error { done <- id; return nil })
	defer stop() // a second time, unless the test ends before
	for range 2 * n {
		await(t, "task", done)
	}
	for range n {
		if v := await(t, "miss", missed); v.miss != queue.MissActive || v.ref.Queue != "bulk" {
			t.Errorf("%v", v)
		}
	}
	stop()
	if active, leases := length(t, rdb, "active"), length(t, rdb, "lease"); active != n || leases != n {
		t.Errorf("%d tasks are active under %d leases", active, leases)
	}
	ageLeases(t, rdb)
	stop = start(t, queue.NewClient(rdb, workers), workers, func(id string) error { done <- id; return nil })
	defer stop()
	for range n {
		await(t, "task that asynq brings back", done)
	}
	if len(done) > 0 {
		t.Errorf("%d tasks too many", len(done))
	}
}

// A reply that was read is no error for asynq, whatever was lost beside it; what half
// a reply was for stays wanted.
func TestReadClaimsCount(t *testing.T) {
	t.Parallel()
	for name, half := range map[string]any{"nothing of it": nil, "its length": []any(nil)} { // so go-redis leaves half a list
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb, broken := server.Client(t), server.Client(t)
			refs := append(scheduled(t, rdb, "critical", 1), scheduled(t, rdb, "bulk", 1)...)
			broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
				err := run()
				if isClaim(cmds[0]) && len(cmds) == 2 && cmds[1].Err() == nil {
					cmds[1].(interface{ SetVal(any) }).SetVal(half)
					cmds[1].SetErr(io.ErrUnexpectedEOF)
				}
				return err
			}))
			conn := queue.NewClient(broken, 4)
			missed, tell := verdicts()
			conn.Claim(refs, tell)
			if task, err := ask(t, conn); err != nil || !strings.Contains(task, refs[0].ID) {
				t.Errorf("%q, %v", task, err)
			}
			if free := conn.Free(); free != 2 {
				t.Errorf("%d workers are free, 1 has a task and 1 the promise of one", free)
			}
			for range 3 { // claims and pending tasks take turns
				if _, err := ask(t, conn); err != redis.Nil { //nolint:errorlint // nothing is left
					t.Errorf("once more: %v", err)
				}
			}
			if v := await(t, "miss", missed); v.miss != queue.MissActive || v.ref != refs[1] {
				t.Errorf("%v", v)
			}
		})
	}
}

// go-redis does not repeat a claim: what was taken over in vain is not told to be
// somebody else's by the very same round.
func TestClaimIsNotRepeated(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	refs := scheduled(t, rdb, "bulk", 3)
	conn := queue.NewClient(rdb, 3)
	missed, tell := verdicts()
	if _, err := ask(t, conn); err != redis.Nil { //nolint:errorlint // the connection is there
		t.Fatal(err)
	}
	conn.Claim(refs, tell)
	server.Pause()
	began := time.Now()
	if _, err := ask(t, conn); err == nil || errors.Is(err, redis.Nil) {
		t.Errorf("a claim from a paused Redis: %v", err)
	}
	if took := time.Since(began); took > 8*time.Second { // two read timeouts of redisconn, not four each
		t.Errorf("the claim took %v", took)
	}
	if len(missed) > 0 || conn.Free() != 0 {
		t.Errorf("%d told, %d free", len(missed), conn.Free())
	}
	server.Resume()
}

// Claims that fail are tried again after a pause, not at once, and do not keep
// pending tasks from their turn.
func TestFailingClaims(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, broken := server.Client(t), server.Client(t)
	refs := scheduled(t, rdb, "default", 2)
	tries := make(chan struct{}, 100)
	var healed atomic.Bool
	broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		if !isClaim(cmds[0]) || healed.Load() {
			return run()
		}
		tries <- struct{}{}
		err := errors.New("OOM command not allowed")
		for _, c := range cmds {
			c.SetErr(err)
		}
		return err
	}))
	conn := queue.NewClient(broken, 2)
	conn.SetIdleWait(time.Hour)
	conn.Claim(refs, nil)
	done := make(chan string, 10)
	stop := start(t, conn, 2, func(id string) error { done <- id; return nil })
	defer stop()
	await(t, "claim", tries)
	await(t, "claim, as Claim woke the conn", tries)
	eventually(t, "heartbeat", func() bool { return rdb.Exists(t.Context(), "asynq:servers").Val() == 1 })
	if len(tries) > 0 {
		t.Error("the conn did not wait after an error")
	}
	record(t, rdb, false, newJob("pending", ""))
	conn.Wake()
	if id := await(t, "pending task", done); id != "pending" {
		t.Errorf("%s was handled", id)
	}
	await(t, "claim", tries)
	if free := conn.Free(); free != 0 {
		t.Errorf("%d workers are free", free)
	}
	healed.Store(true)
	conn.Wake()
	for range refs {
		await(t, "claimed task", done)
	}
}
