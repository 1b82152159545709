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
	stop, err := e.worker(ctx, course{connections: e.connections, server: e.sink})
	if err != nil {
		return err
	}
	defer func() { _ = stop() }()
	const samples = 200
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
	percent := 100 * used.Seconds() / float64(e.idleSeconds)
	fmt.Printf("idle worker\n  enqueue to accepted: p50 %v, p90 %v, p99 %v of %d mails\n  CPU while nothing happens: %.1f %% of a core\n\n",
		percentile(took, 50).Round(100*time.Microsecond), percentile(took, 90).Round(100*time.Microsecond),
		percentile(took, 99).Round(100*time.Microsecond), samples, percent)
	e.figures.latency("idle worker: enqueue to accepted, p50", percentile(took, 50))
	e.figures.latency("idle worker: enqueue to accepted, p99", percentile(took, 99))
	e.figures.share("idle worker: CPU", percent)
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
