package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/rohrpost/rohrpost"
)

// idling measures a worker that has nothing to do: how soon it takes a mail, and
// what waiting costs.
func (e *environment) idling(ctx context.Context) error {
	stop, err := e.worker(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = stop() }()
	const samples = 50
	var took []time.Duration
	for range samples {
		time.Sleep(60 * time.Millisecond) // until the worker is idle again
		begun := time.Now()
		receipt, err := e.mail.Send(ctx, message())
		if err != nil {
			return err
		}
		err = poll(ctx, startTimeout, 200*time.Microsecond, "the mail", func() bool {
			st, err := e.mail.Status(ctx, receipt.ID)
			return err == nil && st.State == rohrpost.Accepted
		})
		if err != nil {
			return err
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	used := cpuTime()
	time.Sleep(time.Duration(e.idleSeconds) * time.Second)
	used = cpuTime() - used
	fmt.Printf("idle worker\n  enqueue to accepted: p50 %v, p90 %v, max %v of %d mails\n  CPU while nothing happens: %.1f %% of a core\n\n",
		took[samples/2].Round(100*time.Microsecond), took[samples*9/10].Round(100*time.Microsecond), took[samples-1].Round(100*time.Microsecond),
		samples, 100*used.Seconds()/float64(e.idleSeconds))
	return nil
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
