package gate

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// backlog is a room of so many mails, whose ids are as long as those of jobs are.
func backlog(tb testing.TB, rdb redis.UniversalClient, n int) {
	tb.Helper()
	r := &rooms{rdb: rdb}
	if err := r.join(tb.Context(), acme, Mail{"bulk", "first"}, time.Now()); err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < n; {
		pipe := rdb.Pipeline()
		for range 1000 {
			i++
			joinScript.EvalSha(tb.Context(), pipe, roomKeys(acme), "", changed, roomEvent+acme, fmt.Sprintf("bulk/%026d", i), 2, time.Now().UnixMilli())
		}
		if _, err := pipe.Exec(tb.Context()); err != nil {
			tb.Fatal(err)
		}
	}
}

// TestRoomMemory keeps a mail that waits small.
func TestRoomMemory(t *testing.T) {
	t.Parallel()
	const mails = 50_000
	rdb := redistest.Start(t).Client(t)
	backlog(t, rdb, mails)
	size := rdb.MemoryUsage(t.Context(), roomKeys(acme)[0], 0).Val()
	t.Logf("%d bytes a mail", size/mails)
	if size/mails > 150 {
		t.Errorf("%d bytes a mail", size/mails)
	}
}

// BenchmarkRooms is what Redis and this process do in a second, from 50 goroutines
// at a room of 50,000.
func BenchmarkRooms(b *testing.B) {
	limits := Limits{PerMinute: 1e6, PerHour: 1e7, PerDay: 1e8, RecipientsPerDay: 1e8}
	var n atomic.Int64
	fresh := func() Mail { return Mail{"bulk", fmt.Sprintf("x%025d", n.Add(1))} }
	for _, bb := range []struct {
		name string
		do   func(r *rooms) error
	}{
		{"join", func(r *rooms) error { return r.join(b.Context(), acme, fresh(), time.Now()) }},
		{"pull=8", func(r *rooms) error {
			answer, err := r.pull(b.Context(), []pullRequest{{account: acme, n: 8, limits: &Limits{}}})
			if err != nil {
				return err
			}
			return r.back(b.Context(), acme, answer[0].mails)
		}},
		{"enter+leave", func(r *rooms) error {
			m := fresh()
			m.Queue = "critical"
			if _, _, err := r.enter(b.Context(), acme, limits, m, 1); err != nil {
				return err
			}
			return r.leave(b.Context(), acme, m, true)
		}},
		{"refused", func(r *rooms) error {
			_, _, err := r.enter(b.Context(), acme, limits, fresh(), 1)
			return err
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			rdb := redistest.Start(b).Client(b)
			backlog(b, rdb, 50_000)
			group := lua.NewGroup(rdb)
			defer func() { _ = group.Close() }()
			r := &rooms{rdb: group}
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
