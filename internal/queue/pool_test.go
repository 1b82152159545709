package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestDeferralsAreRoundedUp: asynq cuts parts of a second off, and no mail comes too
// early.
func TestDeferralsAreRoundedUp(t *testing.T) {
	t.Parallel()
	p := queue.NewPool(queue.PoolOptions{Redis: redistest.Start(t).Client(t), Workers: 1, Servers: 1})
	for delay, want := range map[time.Duration]time.Duration{
		0: 0, 1: time.Second, time.Second: time.Second, time.Second + 1: 2 * time.Second, 59*time.Second + time.Millisecond: time.Minute,
	} {
		if got := p.RetryDelay(&queue.Deferral{Delay: delay}); got != want {
			t.Errorf("%v: %v, want %v", delay, got, want)
		}
	}
	if got := p.RetryDelay(errors.New("the worker has died")); got != time.Second {
		t.Errorf("%v", got)
	}
}
