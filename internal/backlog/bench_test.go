package backlog

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// fill makes a backlog of so many mails, with ids as long as those of jobs.
func fill(tb testing.TB, rdb redis.UniversalClient, n int) {
	tb.Helper()
	r := New(rdb, nil)
	if err := r.Enqueue(tb.Context(), acme, queue.Ref{Queue: "bulk", ID: "first"}, time.Now(), "busy"); err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < n; {
		pipe := rdb.Pipeline()
		for range 1000 {
			i++
			enqueueScript.EvalSha(tb.Context(), pipe, keys(acme), "", Channel, acme, fmt.Sprintf("bulk/%026d", i), 2, time.Now().UnixMilli(), "busy")
		}
		if _, err := pipe.Exec(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestMemory keeps a mail that waits small.
func TestMemory(t *testing.T) {
	t.Parallel()
	const mails = 50_000
	rdb := redistest.Start(t).Client(t)
	fill(t, rdb, mails)
	size := rdb.MemoryUsage(t.Context(), keys(acme)[0], 0).Val()
	t.Logf("%d bytes a mail", size/mails)
	if size/mails > 150 {
		t.Errorf("%d bytes a mail", size/mails)
	}
}

// BenchmarkBacklog is what Redis and this process do in a second, from 50 goroutines
// at a backlog of 50,000.
func BenchmarkBacklog(b *testing.B) {
	limits := Limits{PerMinute: 1e6, PerHour: 1e7, PerDay: 1e8, RecipientsPerDay: 1e8}
	var n atomic.Int64
	fresh := func() queue.Ref { return queue.Ref{Queue: "bulk", ID: fmt.Sprintf("x%025d", n.Add(1))} }
	for _, bb := range []struct {
		name string
		do   func(r *Store) error
	}{
		{"enqueue", func(r *Store) error { return r.Enqueue(b.Context(), acme, fresh(), time.Now(), "busy") }},
		{"receive=8", func(r *Store) error {
			answer, err := r.Receive(b.Context(), []Request{{Account: acme, N: 8, Limits: &Limits{}}})
			if err != nil {
				return err
			}
			return r.Nack(b.Context(), acme, answer[0].Mails...)
		}},
		{"acquire+release", func(r *Store) error {
			m := fresh()
			m.Queue = "critical"
			if _, _, err := r.Acquire(b.Context(), acme, limits, m, 1); err != nil {
				return err
			}
			return r.Release(b.Context(), acme, m, true)
		}},
		{"refused", func(r *Store) error {
			_, _, err := r.Acquire(b.Context(), acme, limits, fresh(), 1)
			return err
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			rdb := redistest.Start(b).Client(b)
			fill(b, rdb, 50_000)
			group := lua.NewGroup(rdb)
			defer func() { _ = group.Close() }()
			r := New(group, nil)
			b.SetParallelism(25)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := bb.do(r); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
		})
	}
}
