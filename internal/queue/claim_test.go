package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// scheduled puts n tasks of a queue an hour ahead.
func scheduled(tb testing.TB, rdb redis.UniversalClient, name string, n int) []queue.Ref {
	tb.Helper()
	refs, jobs := make([]queue.Ref, n), make([]*payload.Job, n)
	for i := range n {
		jobs[i] = newJob(fmt.Sprintf("%s-scheduled%d", name, i), rohrpost.Priority(name))
		jobs[i].NotBefore = time.Now().Add(time.Hour)
		refs[i] = queue.Ref{Queue: name, ID: jobs[i].ID}
	}
	record(tb, rdb, false, jobs...)
	return refs
}

// deferred lets asynq put n tasks of a queue off for an hour, after an attempt.
func deferred(tb testing.TB, rdb redis.UniversalClient, name string, n int) []queue.Ref {
	tb.Helper()
	refs, jobs := make([]queue.Ref, n), make([]*payload.Job, n)
	for i := range n {
		jobs[i] = newJob(fmt.Sprintf("%s-deferred%d", name, i), rohrpost.Priority(name))
		refs[i] = queue.Ref{Queue: name, ID: jobs[i].ID}
	}
	record(tb, rdb, false, jobs...)
	server := asynq.NewServerFromRedisClient(rdb, later(8))
	if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return errors.New("later") })); err != nil {
		tb.Fatal(err)
	}
	defer server.Shutdown()
	eventually(tb, "deferrals", func() bool { return int(rdb.ZCard(tb.Context(), key(name, "retry")).Val()) == n })
	return refs
}

// later is the configuration of a server whose deferred tasks wait for an hour.
func later(workers int) asynq.Config {
	cfg := config(workers)
	cfg.RetryDelayFunc = func(int, error, *asynq.Task) time.Duration { return time.Hour }
	return cfg
}

// A verdict is what somebody who claims a task in vain is told.
type verdict struct {
	ref  queue.Ref
	miss queue.Miss
}

// verdicts gives Claim somebody to tell.
func verdicts() (chan verdict, func(queue.Ref, queue.Miss)) {
	c := make(chan verdict, 1000)
	return c, func(r queue.Ref, m queue.Miss) { c <- verdict{r, m} }
}

// isClaim recognises a run of claim.lua; its tasks begin behind the five keys of
// the queue.
func isClaim(c redis.Cmder) bool {
	args := c.Args()
	return len(args) > 3 && strings.HasPrefix(fmt.Sprint(args[0]), "eval") && strings.HasSuffix(fmt.Sprint(args[3]), ":paused")
}

// ask is a request of asynq on which no task is pending.
func ask(tb testing.TB, conn *queue.Client) (string, error) {
	tb.Helper()
	keys := []string{key("bulk", "pending"), key("bulk", "paused"), key("bulk", "active"), key("bulk", "lease")}
	return redis.NewScript(`return redis.call('LINDEX', KEYS[1], 0) and false`).Run(tb.Context(), conn, keys).Text()
}

// Many processes want the same tasks: each is handled once, and everybody else is
// told.
func TestClaimedTasksRunOnce(t *testing.T) {
	t.Parallel()
	for _, servers := range []int{1, 3} {
		for _, workers := range []int{1, 8, 50} {
			t.Run(fmt.Sprintf("%dx%d", servers, workers), func(t *testing.T) {
				t.Parallel()
				rdb := redistest.Start(t).Client(t)
				var refs []queue.Ref
				for _, name := range queue.Names() {
					refs = append(append(refs, deferred(t, rdb, name, 40)...), scheduled(t, rdb, name, 40)...)
				}
				done, missed := make(chan string, 2*len(refs)), make(chan verdict, servers*len(refs))
				for range servers {
					conn := queue.NewClient(rdb, workers)
					stop := start(t, conn, workers, func(id string) error { done <- id; return nil })
					defer stop()
					own := slices.Clone(refs)
					rand.Shuffle(len(own), func(i, j int) { own[i], own[j] = own[j], own[i] })
					conn.Claim(own, func(r queue.Ref, m queue.Miss) { missed <- verdict{r, m} })
				}
				times := map[string]int{}
				for range refs {
					times[await(t, "task", done)]++
				}
				for range (servers - 1) * len(refs) {
					if v := await(t, "miss", missed); v.miss != queue.MissActive && v.miss != queue.MissGone {
						t.Errorf("miss %v", v)
					}
				}
				for _, ref := range refs {
					if times[ref.ID] != 1 {
						t.Errorf("%s was handled %d times", ref.ID, times[ref.ID])
					}
				}
				eventually(t, "acknowledgements", func() bool { return length(t, rdb, "active") == 0 })
				for _, part := range []string{"pending", "lease", "retry", "scheduled", "archived"} {
					if n := length(t, rdb, part); n != 0 {
						t.Errorf("%s: %d", part, n)
					}
				}
				if len(done)+len(missed) > 0 {
					t.Errorf("%d tasks and %d misses too many", len(done), len(missed))
				}
			})
		}
	}
}

// What cannot be had is told, and nothing in Redis changes.
func TestMisses(t *testing.T) {
	t.Parallel()
	inspect := func(do func(i *asynq.Inspector, r queue.Ref) error) func(*testing.T, redis.UniversalClient, queue.Ref) {
		return func(t *testing.T, rdb redis.UniversalClient, r queue.Ref) {
			if err := do(asynq.NewInspectorFromRedisClient(rdb), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	set := func(state string) func(*testing.T, redis.UniversalClient, queue.Ref) {
		return func(t *testing.T, rdb redis.UniversalClient, r queue.Ref) {
			rdb.HSet(t.Context(), key(r.Queue, "t:"+r.ID), "state", state)
		}
	}
	tests := []struct {
		name  string
		state func(*testing.T, redis.UniversalClient, queue.Ref)
		want  queue.Miss
	}{
		{"active", set("active"), queue.MissActive},
		{"paused", inspect(func(i *asynq.Inspector, r queue.Ref) error { _ = i.PauseQueue(r.Queue); return nil }), queue.MissActive},
		{"pending", inspect(func(i *asynq.Inspector, r queue.Ref) error { return i.RunTask(r.Queue, r.ID) }), queue.MissGone},
		{"pending and paused", inspect(func(i *asynq.Inspector, r queue.Ref) error {
			_ = i.PauseQueue(r.Queue) // the second time it is paused
			return i.RunTask(r.Queue, r.ID)
		}), queue.MissGone},
		{"archived", inspect(func(i *asynq.Inspector, r queue.Ref) error { return i.ArchiveTask(r.Queue, r.ID) }), queue.MissGone},
		{"deleted", inspect(func(i *asynq.Inspector, r queue.Ref) error { return i.DeleteTask(r.Queue, r.ID) }), queue.MissGone},
		{"completed", set("completed"), queue.MissGone},
		{"in no set", func(t *testing.T, rdb redis.UniversalClient, r queue.Ref) {
			rdb.ZRem(t.Context(), key(r.Queue, "retry"), r.ID)
			rdb.ZRem(t.Context(), key(r.Queue, "scheduled"), r.ID)
		}, queue.MissGone},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client(t)
			refs := append(scheduled(t, rdb, "default", 1), deferred(t, rdb, "default", 1)...)
			for _, ref := range refs {
				tt.state(t, rdb, ref)
			}
			before := snapshot(t, rdb)
			conn := queue.NewClient(rdb, 4)
			missed, tell := verdicts()
			conn.Claim(refs, tell)
			if task, err := ask(t, conn); err != redis.Nil { //nolint:errorlint // as asynq asks
				t.Errorf("%q, %v", task, err)
			}
			for _, ref := range refs {
				if diff := cmp.Diff(verdict{ref, tt.want}, await(t, "miss", missed), cmp.AllowUnexported(verdict{})); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(before, snapshot(t, rdb)); diff != "" {
				t.Error(diff)
			}
			if len(missed) > 0 || conn.Free() != 4 {
				t.Errorf("%d misses too many, %d workers free", len(missed), conn.Free())
			}
		})
	}
}

// Whoever claims a task that is just being deferred comes too early.
func TestClaimWhileBeingDeferred(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	conn := queue.NewClient(rdb, 2)
	begun, end := make(chan string), make(chan error)
	server := asynq.NewServerFromRedisClient(conn, later(2))
	if err := server.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
		defer conn.Done()
		begun <- string(task.Payload())
		return <-end
	})); err != nil {
		t.Fatal(err)
	}
	defer server.Shutdown()
	record(t, rdb, false, newJob("a", ""))
	refs := []queue.Ref{{Queue: "default", ID: "a"}}
	missed, tell := verdicts()
	for _, verdictOfAttempt := range []error{errors.New("later"), errors.New("later"), nil} {
		await(t, "attempt", begun)
		conn.Claim(refs, tell)
		if v := await(t, "miss", missed); v.miss != queue.MissActive {
			t.Errorf("%v", v)
		}
		end <- verdictOfAttempt
		if verdictOfAttempt != nil {
			eventually(t, "deferral", func() bool { return length(t, rdb, "retry") == 1 })
			conn.Claim(refs, nil)
		}
	}
	eventually(t, "acknowledgement", func() bool { return length(t, rdb, "active") == 0 })
	conn.Claim(refs, tell)
	if v := await(t, "miss", missed); v.miss != queue.MissGone {
		t.Errorf("%v", v)
	}
}

// On a Cluster the queues are in different slots, perhaps of different nodes.
func TestClaimsOnACluster(t *testing.T) {
	t.Parallel()
	rdb := redistest.StartCluster(t, 0).Client(t)
	var refs []queue.Ref
	for _, name := range queue.Names() {
		refs = append(refs, scheduled(t, rdb, name, 10)...)
	}
	conn := queue.NewClient(rdb, 20)
	conn.Claim(refs, func(r queue.Ref, m queue.Miss) { t.Errorf("%v: %v", r, m) })
	done := make(chan string, len(refs))
	stop := start(t, conn, 20, func(id string) error { done <- id; return nil })
	defer stop()
	seen := map[string]bool{}
	for range refs {
		seen[await(t, "task", done)] = true
	}
	if len(seen) != len(refs) {
		t.Errorf("%d of %d tasks", len(seen), len(refs))
	}
}
