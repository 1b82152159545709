package queue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A fault is a go-redis hook that decides the fate of each round trip: it calls
// run, or does not, and answers.
type fault func(ctx context.Context, cmds []redis.Cmder, run func() error) error

func (fault) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f fault) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return f(ctx, []redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (f fault) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return f(ctx, cmds, func() error { return next(ctx, cmds) })
	}
}

// ageLeases makes every lease look as if its worker had died long ago.
func ageLeases(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	long := float64(time.Now().Add(-time.Hour).Unix())
	for _, name := range queue.Names() {
		for _, id := range rdb.ZRange(t.Context(), key(name, "lease"), 0, -1).Val() {
			if err := rdb.ZAdd(t.Context(), key(name, "lease"), redis.Z{Score: long, Member: id}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Tasks that were popped, and whose reply was lost, are still active under a
// lease; asynq's recoverer brings them back, and each is handled once.
func TestLostReplyOfAFetch(t *testing.T) {
	t.Parallel()
	const each, lost = 50, 5
	server := redistest.Start(t)
	rdb, broken := server.Client(t), server.Client(t)
	var mu sync.Mutex
	fetches, orphans := 0, 0
	broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		err := run()
		if !isPop(cmds[0]) {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		if fetches++; fetches%3 != 0 || fetches > 3*lost {
			return err
		}
		for i, c := range cmds {
			if c.Err() == nil {
				orphans++
			}
			cmds[i].(interface{ SetVal(any) }).SetVal(nil)
			c.SetErr(io.ErrUnexpectedEOF)
		}
		return io.ErrUnexpectedEOF
	}))
	total := fill(t, rdb, each, queue.Names()...)
	done := make(chan string, 2*total)
	handle := func(id string) error { done <- id; return nil }
	stop := start(t, queue.NewClient(broken, 10), 10, handle)
	eventually(t, "the first pass", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return fetches > 3*lost && length(t, rdb, "pending") == 0 && len(done)+orphans == total
	})
	stop()
	if orphans == 0 {
		t.Fatal("no fetch was lost")
	}
	if active, leases := length(t, rdb, "active"), length(t, rdb, "lease"); active != orphans || leases != orphans {
		t.Errorf("%d tasks were lost on the way, %d are active, with %d leases", orphans, active, leases)
	}
	ageLeases(t, rdb)
	stop = start(t, queue.NewClient(rdb, 10), 10, handle) // its recoverer looks when it starts
	defer stop()
	seen := map[string]int{}
	for range total {
		seen[await(t, "task", done)]++
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was handled %d times", id, n)
		}
	}
}

// A fetch is not repeated by go-redis, which would pop more tasks; a reply that
// was read before the connection broke is not wasted.
func TestFetchIsNotRepeated(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	total := fill(t, rdb, 10, "bulk")
	conn := queue.NewClient(rdb, 8)
	pop := redis.NewScript(`return redis.call('RPOPLPUSH', KEYS[1], KEYS[3])`)
	keys := []string{key("bulk", "pending"), key("bulk", "paused"), key("bulk", "active"), key("bulk", "lease")}
	if err := pop.Load(t.Context(), rdb).Err(); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the client does not care
	began := time.Now()
	if err := pop.Run(ctx, conn, keys).Err(); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("a fetch from a paused Redis: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second { // one read timeout of redisconn, not four
		t.Errorf("the fetch took %v", took)
	}
	server.Resume()
	eventually(t, "the late execution", func() bool { return length(t, rdb, "active") > 0 })
	if err := pop.Run(t.Context(), conn, keys).Err(); err != nil {
		t.Fatal(err)
	}
	if active := length(t, rdb, "active"); active != 2 || total-active != length(t, rdb, "pending") {
		t.Errorf("%d tasks are active, 1 was asked for and 1 lost", active)
	}
}

// go-redis marks every command of a pipeline as failed when one reply is lost;
// a task whose reply was read is handed over all the same, half a reply is not.
func TestReadRepliesCount(t *testing.T) {
	t.Parallel()
	for name, half := range map[string]any{"nothing of it": nil, "its length": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb, broken := server.Client(t), server.Client(t)
			fill(t, rdb, 10, "bulk")
			broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
				err := run()
				if len(cmds) < 2 || !isPop(cmds[0]) {
					return err
				}
				for _, c := range cmds {
					c.SetErr(io.ErrUnexpectedEOF)
				}
				cmds[1].(interface{ SetVal(any) }).SetVal(half)
				return io.ErrUnexpectedEOF
			}))
			conn := queue.NewClient(broken, 8)
			pop := redis.NewScript(`return redis.call('RPOPLPUSH', KEYS[1], KEYS[3])`)
			keys := []string{key("bulk", "pending"), key("bulk", "paused"), key("bulk", "active"), key("bulk", "lease")}
			for i, want := range []string{"bulk0", "bulk1", "bulk3"} { // one alone, the first of two, one alone
				if got, err := pop.Run(t.Context(), conn, keys).Text(); got != want || err != nil {
					t.Errorf("task %d: %q, %v, want %s", i, got, err, want)
				}
			}
		})
	}
}

// A fetch that fails is asked for again after a pause, not at once.
func TestErrorsAreNotHammered(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, broken := server.Client(t), server.Client(t)
	pops := make(chan struct{}, 100)
	broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		if !isPop(cmds[0]) {
			return run()
		}
		pops <- struct{}{}
		err := errors.New("LOADING Redis is loading the dataset in memory")
		for _, c := range cmds {
			c.SetErr(err)
		}
		return err
	}))
	conn := queue.NewClient(broken, 2)
	conn.SetIdleWait(time.Hour)
	stop := start(t, conn, 2, func(string) error { return nil })
	await(t, "fetch", pops)
	eventually(t, "heartbeat", func() bool { return rdb.Exists(t.Context(), "asynq:servers").Val() == 1 })
	if len(pops) > 0 {
		t.Error("the conn did not wait after an error")
	}
	conn.Wake()
	await(t, "fetch after a wake-up", pops)
	stop()
}

// acks watches and breaks asynq's acknowledgements, whose script has the active
// list as its first key: fail says whether the n-th one of a task fails.
func acks(fail func(n int) error, seen chan<- error) redis.Hook {
	var mu sync.Mutex
	n := 0
	return fault(func(ctx context.Context, cmds []redis.Cmder, run func() error) error {
		args := cmds[0].Args()
		if len(args) < 4 || !strings.HasSuffix(fmt.Sprint(args[3]), ":active") || !strings.HasPrefix(fmt.Sprint(args[0]), "eval") {
			return run()
		}
		mu.Lock()
		n++
		err := fail(n)
		mu.Unlock()
		if err != nil {
			cmds[0].SetErr(err)
		} else {
			err = run()
		}
		seen <- errors.Join(err, ctx.Err())
		return err
	})
}

// asynq repeats a failed acknowledgement under a context that it has cancelled
// itself (libraries.md, asynq 1). Through the client it succeeds all the same.
func TestAcknowledgementAfterAnOutage(t *testing.T) {
	t.Parallel()
	for _, through := range []string{"conn", "bare client"} {
		t.Run(through, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb, broken := server.Client(t), server.Client(t)
			seen := make(chan error, 10)
			broken.AddHook(acks(func(n int) error {
				if n == 1 {
					return io.ErrUnexpectedEOF
				}
				return nil
			}, seen))
			conn := queue.NewClient(broken, 2)
			var client redis.UniversalClient = conn
			if through == "bare client" {
				client = broken
			}
			server2 := asynq.NewServerFromRedisClient(client, config(2))
			if err := server2.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { conn.Done(); return nil })); err != nil {
				t.Fatal(err)
			}
			defer server2.Shutdown()
			record(t, rdb, false, newJob("a", ""))
			if err := await(t, "acknowledgement", seen); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("the outage: %v", err)
			}
			again := await(t, "second acknowledgement", seen) // asynq's syncer, 5 s later
			if through == "conn" {
				if again != nil && !strings.Contains(again.Error(), "NOSCRIPT") {
					t.Error(again)
				}
				eventually(t, "acknowledgement", func() bool { return length(t, rdb, "active")+length(t, rdb, "lease") == 0 })
				return
			}
			if !errors.Is(again, context.Canceled) {
				t.Errorf("the bare client's second try: %v", again)
			}
			if n := length(t, rdb, "active"); n != 1 {
				t.Errorf("%d active tasks", n)
			}
		})
	}
}

// When the answer to an acknowledgement is lost, go-redis repeats it and gets
// NOT FOUND. asynq must not go on repeating: it would hit the next attempt.
func TestLostReplyOfAnAcknowledgement(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, broken := server.Client(t), server.Client(t)
	seen := make(chan error, 10)
	broken.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		args := cmds[0].Args()
		if len(args) < 4 || !strings.HasSuffix(fmt.Sprint(args[3]), ":active") {
			return run()
		}
		_ = run()
		cmds[0].SetErr(nil)
		err := run() // as go-redis does
		if err == nil || !strings.Contains(err.Error(), "NOSCRIPT") {
			seen <- err
		}
		return err
	}))
	conn := queue.NewClient(broken, 2)
	keys := []string{key("bulk", "active"), key("bulk", "lease"), key("bulk", "t:a")}
	ack := redis.NewScript(`if redis.call('LREM', KEYS[1], 0, ARGV[1]) == 0 then return redis.error_reply('NOT FOUND') end return 1`)
	if err := ack.Load(t.Context(), rdb).Err(); err != nil {
		t.Fatal(err)
	}
	rdb.LPush(t.Context(), keys[0], "a")
	err := ack.Run(t.Context(), conn, keys, "a").Err()
	if first := await(t, "the repeated script", seen); first == nil || !strings.Contains(first.Error(), "NOT FOUND") {
		t.Fatalf("Redis says %v", first)
	}
	if err != nil {
		t.Errorf("the client says %v", err)
	}
	if err := redis.NewScript(`return redis.error_reply('BROKEN')`).Run(t.Context(), conn, keys).Err(); err == nil {
		t.Error("another error was swallowed")
	}
}

// Redis is killed under load and comes back: nothing is lost, and nothing that
// a handler has finished is handled again.
func TestRedisDiesUnderLoad(t *testing.T) {
	t.Parallel()
	const each, workers = 400, 8
	server := redistest.Start(t, redistest.AOF())
	rdb := server.Client(t)
	total := fill(t, rdb, each, queue.Names()...)
	var mu sync.Mutex
	handled, again := map[string]int{}, 0
	handle := func(id string) error {
		mu.Lock()
		defer mu.Unlock()
		if handled[id]++; handled[id] > 1 {
			again++
		}
		return nil
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(handled) }
	conn := queue.NewClient(server.Client(t), workers)
	stop := start(t, conn, workers, handle)
	eventually(t, "the first third", func() bool { return count() > total/3 })
	server.Kill()
	server.Start()
	eventually(t, "the rest", func() bool { return length(t, rdb, "pending") == 0 })
	// What is left active now was popped without an answer. Handlers have ended,
	// and their acknowledgements were repeated by asynq within 5 s.
	eventually(t, "acknowledgements", func() bool { return count()+length(t, rdb, "active") == total })
	stop()
	t.Logf("%d of %d tasks were popped without an answer", length(t, rdb, "active"), total)
	ageLeases(t, rdb)
	stop = start(t, queue.NewClient(rdb, workers), workers, handle)
	defer stop()
	eventually(t, "the lost ones", func() bool { return count() == total })
	if again > 0 {
		t.Errorf("%d tasks were handled twice", again)
	}
	for i := range each {
		for _, name := range queue.Names() {
			if handled[name+strconv.Itoa(i)] == 0 {
				t.Errorf("%s%d is lost", name, i)
			}
		}
	}
}
