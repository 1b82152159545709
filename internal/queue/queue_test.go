package queue_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// limit bounds every wait for something that must happen.
const limit = 30 * time.Second

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// record writes a task for each job in one batch, as the producer does.
func record(tb testing.TB, rdb redis.UniversalClient, wake bool, jobs ...*payload.Job) []queue.Ticket {
	tb.Helper()
	var batch lua.Batch
	recorder := queue.NewRecorder(&batch)
	tickets := make([]queue.Ticket, len(jobs))
	for i, job := range jobs {
		var err error
		if tickets[i], err = recorder.Add(tb.Context(), job, []byte(job.ID)); err != nil {
			tb.Fatal(err)
		}
	}
	if wake {
		recorder.Wake()
	}
	if err := batch.Exec(tb.Context(), rdb); err != nil {
		tb.Fatal(err)
	}
	return tickets
}

// fill enqueues so many tasks in each of the queues and returns how many.
func fill(tb testing.TB, rdb redis.UniversalClient, each int, names ...string) int {
	tb.Helper()
	var jobs []*payload.Job
	for _, name := range names {
		for i := range each {
			jobs = append(jobs, newJob(name+strconv.Itoa(i), rohrpost.Priority(name)))
		}
	}
	record(tb, rdb, true, jobs...)
	return len(jobs)
}

func newJob(id string, p rohrpost.Priority) *payload.Job {
	return &payload.Job{Message: rohrpost.Message{ID: id, Priority: p}, EnqueuedAt: time.Now()}
}

// config is that of package delivery but for quicker tests.
func config(workers int) asynq.Config {
	return asynq.Config{
		Concurrency: workers, Queues: queue.Weights(), TaskCheckInterval: time.Millisecond,
		DelayedTaskCheckInterval: 10 * time.Millisecond, ShutdownTimeout: limit, Logger: silent{},
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 0 },
	}
}

// start runs a server on a conn until stop is called. The handler gets the id.
func start(tb testing.TB, conn *queue.Client, workers int, handle func(id string) error) (stop func()) {
	tb.Helper()
	server := asynq.NewServerFromRedisClient(conn, config(workers))
	if err := server.Start(asynq.HandlerFunc(func(_ context.Context, t *asynq.Task) error {
		defer conn.Done()
		return handle(string(t.Payload()))
	})); err != nil {
		tb.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		conn.Drain(ctx)
		server.Stop()
		server.Shutdown()
	}
}

// await takes one value, or ends the test.
func await[T any](tb testing.TB, what string, c <-chan T) T {
	tb.Helper()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case v := <-c:
		return v
	case <-timer.C:
		tb.Fatalf("%s: nothing within %v", what, limit)
		panic("unreachable")
	}
}

// eventually asks every few milliseconds, for what happens in asynq after the
// handler has returned.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %v", what, limit)
		}
	}
}

func key(name, part string) string { return fmt.Sprintf("asynq:{%s}:%s", name, part) }

// length is that of a list or sorted set in all three queues together.
func length(tb testing.TB, rdb redis.UniversalClient, part string) int {
	tb.Helper()
	n := 0
	for _, name := range queue.Names() {
		switch part {
		case "pending", "active":
			n += int(rdb.LLen(context.Background(), key(name, part)).Val())
		default:
			n += int(rdb.ZCard(context.Background(), key(name, part)).Val())
		}
	}
	return n
}

type silent struct{}

func (silent) Debug(...any) {}
func (silent) Info(...any)  {}
func (silent) Warn(...any)  {}
func (silent) Error(...any) {}
func (silent) Fatal(...any) {}
