package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
)

// enqueueing measures the client package: one by one, and in batches.
func (e *environment) enqueueing(ctx context.Context) error {
	fmt.Println("enqueuing                               mails/s")
	for _, way := range []struct {
		name              string
		goroutines, batch int
	}{{"one by one, 1 goroutine", 1, 1}, {"one by one, 16 goroutines", 16, 1}, {"batches of 100, 1 goroutine", 1, 100}} {
		if err := e.rdb.FlushAll(ctx).Err(); err != nil {
			return err
		}
		rate, err := e.enqueue(ctx, way.goroutines, way.batch)
		if err != nil {
			return err
		}
		fmt.Printf("  %-36s  %7.0f\n", way.name, rate)
	}
	fmt.Println()
	return e.rdb.FlushAll(ctx).Err()
}

func (e *environment) enqueue(ctx context.Context, goroutines, batch int) (rate float64, err error) {
	share := e.mails / goroutines / batch
	failed := make(chan error, goroutines)
	var group sync.WaitGroup
	begun := time.Now()
	for range goroutines {
		group.Go(func() {
			for range share {
				messages := make([]rohrpost.Message, batch)
				for i := range messages {
					messages[i] = message()
				}
				if _, err := e.mail.SendBatch(ctx, messages); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	group.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(share*goroutines*batch) / time.Since(begun).Seconds(), nil
	}
}
