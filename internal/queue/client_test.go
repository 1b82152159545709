package queue_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// All tasks of all queues are handled, each once.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	for _, servers := range []int{1, 2, 4} {
		for _, workers := range []int{1, 7, 50} {
			t.Run(fmt.Sprintf("%dx%d", servers, workers), func(t *testing.T) {
				t.Parallel()
				const each = 150
				rdb := redistest.Start(t).Client(t)
				var handled sync.Map
				done := make(chan string, 10*each)
				for range servers {
					stop := start(t, queue.NewClient(rdb, workers), workers, func(id string) error {
						n, _ := handled.LoadOrStore(id, new(atomic.Int32))
						n.(*atomic.Int32).Add(1)
						done <- id
						return nil
					})
					t.Cleanup(stop)
				}
				total := fill(t, rdb, each, queue.Names()...)
				for range total {
					await(t, "task", done)
				}
				eventually(t, "acknowledgements", func() bool { return length(t, rdb, "active") == 0 })
				count := 0
				handled.Range(func(id, n any) bool {
					count++
					if n := n.(*atomic.Int32).Load(); n != 1 {
						t.Errorf("%v was handled %d times", id, n)
					}
					return true
				})
				if count != total || len(done) > 0 {
					t.Errorf("%d of %d tasks, %d too many", count, total, len(done))
				}
				for _, part := range []string{"pending", "lease", "retry", "archived"} {
					if n := length(t, rdb, part); n != 0 {
						t.Errorf("%s: %d", part, n)
					}
				}
			})
		}
	}
}

// What is fetched ahead never exceeds the free workers.
func TestHoldsNothingBack(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3, 20, 50} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client(t)
			total := fill(t, rdb, 100, queue.Names()...)
			started, release := make(chan int, total), make(chan struct{})
			stop := start(t, queue.NewClient(rdb, workers), workers, func(string) error {
				started <- length(t, rdb, "active")
				<-release
				return nil
			})
			for range workers {
				if active := await(t, "handler", started); active > workers {
					t.Errorf("%d active tasks for %d workers", active, workers)
				}
			}
			if active := length(t, rdb, "active"); active != workers {
				t.Errorf("%d active tasks when all %d workers are busy", active, workers)
			}
			close(release)
			for range total - workers {
				await(t, "handler", started)
			}
			stop()
		})
	}
}

// NOSCRIPT makes asynq use EVAL: those tasks are counted like all others.
func TestHoldsNothingBackAfterScriptFlush(t *testing.T) {
	t.Parallel()
	const workers = 4
	rdb := redistest.Start(t).Client(t)
	started, release := make(chan int), make(chan struct{})
	stop := start(t, queue.NewClient(rdb, workers), workers, func(string) error {
		started <- length(t, rdb, "active")
		<-release
		return nil
	})
	for i := range 2 * workers {
		if err := rdb.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		record(t, rdb, true, newJob(fmt.Sprintf("flush%d", i), ""))
		await(t, "handler", started)
		release <- struct{}{}
		eventually(t, "acknowledgement", func() bool { return length(t, rdb, "active") == 0 })
	}
	fill(t, rdb, 40, queue.Names()...)
	for range workers {
		await(t, "handler", started)
	}
	if active := length(t, rdb, "active"); active != workers {
		t.Errorf("%d active tasks for %d workers", active, workers)
	}
	close(release)
	go func() {
		for range started {
			continue
		}
	}()
	stop()
	close(started)
}

func TestWeights(t *testing.T) {
	t.Parallel()
	const each, workers = 3000, 10
	rdb := redistest.Start(t).Client(t)
	fill(t, rdb, each, queue.Names()...)
	order := make(chan string, 3*each)
	stop := start(t, queue.NewClient(rdb, workers), workers, func(id string) error { order <- id; return nil })
	defer stop()
	share := map[string]float64{}
	for range each { // as long as no queue is empty
		name := strings.TrimRight(await(t, "task", order), "0123456789")
		share[name] += 1. / each
	}
	for name, want := range map[string][2]float64{"critical": {.4, .8}, "default": {.15, .5}, "bulk": {.02, .25}} {
		if got := share[name]; got < want[0] || got > want[1] {
			t.Errorf("%s has a share of %.2f", name, got)
		}
	}
}

// emptyPops counts the fetches that found a queue empty.
type emptyPops chan struct{}

func (emptyPops) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (emptyPops) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h emptyPops) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if isPop(cmds[0]) && cmds[0].Err() == redis.Nil { //nolint:errorlint // go-redis's own value
			select {
			case h <- struct{}{}:
			default:
			}
		}
		return err
	}
}

func isPop(c redis.Cmder) bool {
	args := c.Args()
	return len(args) > 3 && strings.HasSuffix(fmt.Sprint(args[3]), ":pending")
}

// A task is picked up by the wake-up alone: the timer would take an hour.
func TestWakeUp(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, watched := server.Client(t), server.Client(t)
	empty := make(emptyPops, 3)
	watched.AddHook(empty)
	conn := queue.NewClient(watched, 2)
	conn.SetIdleWait(time.Hour)
	done := make(chan string, 1)
	stop := start(t, conn, 2, func(id string) error { done <- id; return nil })
	defer stop()
	ctx, cancel := context.WithCancel(t.Context())
	var listener sync.WaitGroup
	listener.Go(func() { queue.Listen(ctx, rdb, []*queue.Client{conn}) })
	defer listener.Wait()
	defer cancel()
	eventually(t, "subscription", func() bool {
		return rdb.PubSubNumSub(t.Context(), "rohrpost:wake").Val()["rohrpost:wake"] == 1
	})
	for range 3 { // the next thing the conn does is to wait
		await(t, "empty queues", empty)
	}
	for _, id := range []string{"a", "b", "c"} {
		record(t, rdb, true, newJob(id, rohrpost.Bulk))
		if got := await(t, "task", done); got != id {
			t.Errorf("%s, want %s", got, id)
		}
	}
}

// Without a wake-up, the conn looks by itself.
func TestLostWakeUp(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, watched := server.Client(t), server.Client(t)
	empty := make(emptyPops, 3)
	watched.AddHook(empty)
	done := make(chan string, 1)
	stop := start(t, queue.NewClient(watched, 2), 2, func(id string) error { done <- id; return nil })
	defer stop()
	for range 3 {
		await(t, "empty queues", empty)
	}
	record(t, rdb, false, newJob("a", ""))
	await(t, "task", done)
}

// After Drain, Stop and Shutdown nothing that was fetched is left behind.
func TestDrain(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	const rounds, each = 40, 60
	for round := range rounds {
		var handled atomic.Int32
		begun := make(chan struct{}, 3*each)
		total := fill(t, rdb, each, queue.Names()...)
		stop := start(t, queue.NewClient(rdb, 16), 16, func(string) error {
			handled.Add(1)
			begun <- struct{}{}
			return nil
		})
		for range round {
			await(t, "task", begun)
		}
		stop()
		pending, active, lease := length(t, rdb, "pending"), length(t, rdb, "active"), length(t, rdb, "lease")
		if active != 0 || lease != 0 || pending+int(handled.Load()) != total {
			t.Fatalf("round %d: %d active, %d leases, %d pending and %d handled of %d", round, active, lease, pending, handled.Load(), total)
		}
		rdb.FlushDB(t.Context())
	}
}

// Nor is anything taken by a conn that was waiting when Drain came.
func TestDrainWhileIdle(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, watched := server.Client(t), server.Client(t)
	empty := make(emptyPops, 3)
	watched.AddHook(empty)
	conn := queue.NewClient(watched, 4)
	conn.SetIdleWait(time.Hour)
	asked := asynq.NewServerFromRedisClient(conn, config(4))
	if err := asked.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		defer conn.Done()
		t.Error("a task after Drain")
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		await(t, "empty queues", empty)
	}
	fill(t, rdb, 1, queue.Names()...) // nobody listens
	conn.Drain(t.Context())
	asked.Stop()
	asked.Shutdown()
	if n := length(t, rdb, "pending"); n != 3 {
		t.Errorf("%d tasks are pending", n)
	}
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	conn := queue.NewClient(rdb, 8)
	fill(t, rdb, 8, "bulk")
	pop := redis.NewScript(`return redis.call('RPOPLPUSH', KEYS[1], KEYS[3])`)
	keys := []string{key("bulk", "pending"), key("bulk", "paused"), key("bulk", "active"), key("bulk", "lease")}
	for range 2 { // one task, then two of which one is held
		if err := pop.Run(t.Context(), conn, keys).Err(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	conn.Drain(ctx)
	if err := pop.Run(t.Context(), conn, keys).Err(); err != nil {
		t.Fatalf("what was fetched is handed over: %v", err)
	}
	if err := pop.Run(t.Context(), conn, keys).Err(); err != redis.Nil { //nolint:errorlint // as asynq asks
		t.Errorf("after Drain: %v", err)
	}
	if n := length(t, rdb, "active"); n != 3 {
		t.Errorf("%d tasks fetched", n)
	}
}

func TestPausedQueue(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	fill(t, rdb, 20, queue.Names()...)
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	if err := inspector.PauseQueue("critical"); err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 100)
	stop := start(t, queue.NewClient(rdb, 8), 8, func(id string) error { done <- id; return nil })
	defer stop()
	for range 40 {
		if id := await(t, "task", done); strings.HasPrefix(id, "critical") {
			t.Errorf("%s is of a paused queue", id)
		}
	}
	if n := rdb.LLen(t.Context(), key("critical", "pending")).Val(); n != 20 {
		t.Errorf("%d tasks are left in the paused queue", n)
	}
	if err := inspector.UnpauseQueue("critical"); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		await(t, "task", done)
	}
}
