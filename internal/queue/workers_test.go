package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestRunning counts the workers of a pool of two servers as those of one process.
func TestRunning(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	if got, err := queue.Running(t.Context(), rdb); err != nil || got != (queue.Workers{}) {
		t.Errorf("%+v, %v before anything runs", got, err)
	}
	p := queue.NewPool(queue.PoolOptions{
		Redis: rdb, Workers: 6, Servers: 2, ShutdownTimeout: time.Second,
		Handle: func(context.Context, queue.Delivery) error { return nil },
	})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	want := queue.Workers{Processes: 1, Slots: 6}
	var got queue.Workers
	redistest.Until(t, "both servers are heard", func() bool {
		var err error
		got, err = queue.Running(t.Context(), rdb)
		return err == nil && got == want
	})
	p.Stop(t.Context())
}

// TestRunningAmongRubbish leaves out what is no server of asynq.
func TestRunningAmongRubbish(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	for key, value := range map[string]string{"gone": "", "damaged": "\x0a\xff", "other": "\x08\x01"} {
		add := rdb.Do(t.Context(), "ZADD", "asynq:servers", time.Now().Add(time.Minute).Unix(), key)
		if err := add.Err(); err != nil {
			t.Fatal(err)
		}
		if value != "" {
			rdb.Set(t.Context(), key, value, 0)
		}
	}
	if got, err := queue.Running(t.Context(), rdb); err != nil || got != (queue.Workers{}) {
		t.Errorf("%+v, %v", got, err)
	}
}
