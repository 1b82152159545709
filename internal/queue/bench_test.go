package queue_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// BenchmarkEnqueue writes tasks with a payload of 4 KiB from one goroutine.
func BenchmarkEnqueue(b *testing.B) {
	payload := []byte(strings.Repeat("x", 4<<10))
	for _, size := range []int{1, 10, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			rdb := redistest.Start(b).Client(b)
			n := 0
			for b.Loop() {
				var batch lua.Batch
				recorder := queue.NewRecorder(&batch)
				for range size {
					n++
					if _, err := recorder.Add(b.Context(), newJob(strconv.Itoa(n), ""), payload); err != nil {
						b.Fatal(err)
					}
				}
				recorder.Wake()
				if err := batch.Exec(b.Context(), rdb); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
	b.Run("asynq", func(b *testing.B) {
		client := asynq.NewClientFromRedisClient(redistest.Start(b).Client(b))
		n := 0
		for b.Loop() {
			n++
			if _, err := client.Enqueue(queue.NewTask(newJob(strconv.Itoa(n), ""), payload)); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
	})
}

// BenchmarkHandle lets 50 workers do nothing, through the client and through the
// bare client, one after the other on the same Redis.
func BenchmarkHandle(b *testing.B) {
	const each, workers = 5000, 50
	rdb := redistest.Start(b).Client(b)
	for _, through := range []string{"conn", "bare", "conn", "bare"} {
		b.Run(through, func(b *testing.B) {
			var busy time.Duration
			total := 0
			for b.Loop() {
				b.StopTimer()
				n := fill(b, rdb, each, queue.Names()...)
				total += n
				conn := queue.NewClient(rdb, workers)
				var client redis.UniversalClient = conn
				if through == "bare" {
					client = rdb
				}
				var handled atomic.Int64
				done := make(chan struct{})
				server := asynq.NewServerFromRedisClient(client, config(workers))
				b.StartTimer()
				began := time.Now()
				if err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
					conn.Done()
					if handled.Add(1) == int64(n) {
						close(done)
					}
					return nil
				})); err != nil {
					b.Fatal(err)
				}
				<-done
				busy += time.Since(began)
				b.StopTimer()
				server.Shutdown()
				b.StartTimer()
			}
			b.ReportMetric(float64(total)/busy.Seconds(), "tasks/s")
		})
	}
}

// BenchmarkPickUp is the time from an enqueue to its handler on an idle server.
func BenchmarkPickUp(b *testing.B) {
	server := redistest.Start(b)
	rdb := server.Client(b)
	conn := queue.NewClient(server.Client(b), 4)
	done := make(chan time.Time)
	stop := start(b, conn, 4, func(string) error { done <- time.Now(); return nil })
	ctx, cancel := context.WithCancel(context.Background())
	var listener sync.WaitGroup
	listener.Go(func() { queue.Listen(ctx, rdb, []*queue.Client{conn}) })
	eventually(b, "subscription", func() bool {
		return rdb.PubSubNumSub(b.Context(), "rohrpost:wake").Val()["rohrpost:wake"] == 1
	})
	var waited time.Duration
	n := 0
	for b.Loop() {
		n++
		job := newJob(strconv.Itoa(n), rohrpost.Bulk)
		began := time.Now()
		record(b, rdb, true, job)
		waited += (<-done).Sub(began)
		eventually(b, "acknowledgement", func() bool { return length(b, rdb, "active") == 0 })
	}
	b.ReportMetric(float64(waited.Microseconds())/float64(n), "µs/pick-up")
	cancel()
	listener.Wait()
	stop()
}

// BenchmarkIdle is what a server with nothing to do asks of Redis.
func BenchmarkIdle(b *testing.B) {
	for _, through := range []string{"conn", "bare"} {
		b.Run(through, func(b *testing.B) {
			server := redistest.Start(b)
			rdb, client := server.Client(b), server.Client(b)
			var commands atomic.Int64
			client.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
				commands.Add(int64(len(cmds)))
				return run()
			}))
			conn := queue.NewClient(client, 50)
			var handle redis.UniversalClient = conn
			if through == "bare" {
				handle = client
			}
			cfg := config(50)
			cfg.DelayedTaskCheckInterval = time.Second // as package delivery has it
			if through == "bare" {
				cfg.TaskCheckInterval = 5 * time.Millisecond // for the same latency
			}
			s := asynq.NewServerFromRedisClient(handle, cfg)
			if err := s.Start(asynq.NotFoundHandler()); err != nil {
				b.Fatal(err)
			}
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for range 2 {
				<-tick.C
			}
			before, spent := commands.Load(), cpu(b, rdb)
			n := 0
			for b.Loop() {
				<-tick.C
				n++
			}
			b.ReportMetric(float64(commands.Load()-before)/float64(n), "commands/s")
			b.ReportMetric((cpu(b, rdb)-spent)*1000/float64(n), "redis-ms/s")
			s.Shutdown()
		})
	}
}

// cpu is what Redis has used, in seconds.
func cpu(b *testing.B, rdb redis.UniversalClient) float64 {
	b.Helper()
	info := rdb.InfoMap(b.Context(), "cpu")
	user, _ := strconv.ParseFloat(info.Item("CPU", "used_cpu_user"), 64)
	sys, _ := strconv.ParseFloat(info.Item("CPU", "used_cpu_sys"), 64)
	return user + sys
}

// BenchmarkClaim lets 50 workers do nothing with tasks that wait in asynq's
// scheduled set.
func BenchmarkClaim(b *testing.B) {
	const each, workers = 5000, 50
	rdb := redistest.Start(b).Client(b)
	var busy time.Duration
	total := 0
	for b.Loop() {
		b.StopTimer()
		var refs []queue.Ref
		for _, name := range queue.Names() {
			refs = append(refs, scheduled(b, rdb, name, each)...)
		}
		total += len(refs)
		conn := queue.NewClient(rdb, workers)
		done := make(chan string, len(refs))
		stop := start(b, conn, workers, func(id string) error { done <- id; return nil })
		b.StartTimer()
		began := time.Now()
		conn.Claim(refs, nil)
		for range refs {
			<-done
		}
		busy += time.Since(began)
		b.StopTimer()
		stop()
		b.StartTimer()
	}
	b.ReportMetric(float64(total)/busy.Seconds(), "tasks/s")
}
