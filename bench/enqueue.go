package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
)

// An enqueueWay is a way to use the client package.
type enqueueWay struct {
	name              string
	goroutines, batch int
}

func enqueueWays() []enqueueWay {
	return []enqueueWay{{"one by one, 1 goroutine", 1, 1}, {"one by one, 16 goroutines", 16, 1}, {"batches of 100, 1 goroutine", 1, 100}}
}

// enqueueing measures the client package: one by one, and in batches. Times are those
// of a call.
func (e *environment) enqueueing(ctx context.Context) error {
	fmt.Printf("%-44s  %8s  %8s  %8s\n", "enqueuing", "mails/s", "p50", "p99")
	for _, w := range enqueueWays() {
		rate, calls, err := e.enqueue(ctx, w, e.mails)
		if err != nil {
			return err
		}
		slices.Sort(calls)
		p50, p99 := percentile(calls, 50), percentile(calls, 99)
		fmt.Printf("  %-42s  %8.0f  %8v  %8v\n", w.name, rate, p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
		e.figures.rate("enqueue "+w.name, rate)
		e.figures.latency("enqueue "+w.name+", p99", p99)
	}
	fmt.Println()
	return e.rdb.FlushAll(ctx).Err()
}

// enqueue sends mails into an empty Redis. calls are how long each call took.
func (e *environment) enqueue(ctx context.Context, w enqueueWay, mails int) (rate float64, calls []time.Duration, err error) {
	if err := e.rdb.FlushAll(ctx).Err(); err != nil {
		return 0, nil, err
	}
	share := max(1, mails/w.goroutines/w.batch)
	failed := make(chan error, w.goroutines)
	took := make([][]time.Duration, w.goroutines)
	var group sync.WaitGroup
	begun := time.Now()
	for g := range w.goroutines {
		group.Go(func() {
			for range share {
				messages := make([]rohrpost.Message, w.batch)
				for i := range messages {
					messages[i] = message()
				}
				called := time.Now()
				if _, err := e.mail.SendBatch(ctx, messages); err != nil {
					failed <- err
					return
				}
				took[g] = append(took[g], time.Since(called))
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return 0, nil, err
	default:
		return float64(share*w.goroutines*w.batch) / time.Since(begun).Seconds(), slices.Concat(took...), nil
	}
}
