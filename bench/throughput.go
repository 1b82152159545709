package main

import (
	"context"
	"os"
	"runtime/pprof"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const drainLimit = 10 * time.Minute

// throughput is the row of small mails to a server beside the worker.
func (e *environment) throughput(ctx context.Context) error {
	return e.compare(ctx, "throughput", course{mails: e.mails, connections: e.connections, server: e.sink},
		e.theLimit(), e.theBarePool(), e.theWorker())
}

// fill enqueues mails for one drain.
func (e *environment) fill(ctx context.Context, c course) error {
	batch := 500
	if c.attachment != nil {
		batch = 20
	}
	for sent := 0; sent < c.mails; sent += batch {
		messages := make([]rohrpost.Message, min(batch, c.mails-sent))
		for i := range messages {
			messages[i] = c.message(sent + i)
		}
		if _, err := e.mail.SendBatch(ctx, messages); err != nil {
			return err
		}
	}
	return nil
}

// drain fills the queue, starts a worker and waits until nothing is left.
func (e *environment) drain(ctx context.Context, c course) (time.Duration, error) {
	if err := e.rdb.FlushAll(ctx).Err(); err != nil {
		return 0, err
	}
	if err := e.fill(ctx, c); err != nil {
		return 0, err
	}
	return e.work(ctx, c)
}

// work runs a worker until it has sent the mails of the course.
func (e *environment) work(ctx context.Context, c course) (time.Duration, error) {
	before := e.processed(ctx)
	if e.profile != "" {
		f, err := os.Create(e.profile)
		if err != nil {
			return 0, err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	begun := time.Now()
	stop, err := e.worker(ctx, c)
	if err != nil {
		return 0, err
	}
	err = poll(ctx, drainLimit, 5*time.Millisecond, "the worker", func() bool { return e.processed(ctx)-before >= int64(c.mails) })
	took := time.Since(begun)
	if stopErr := stop(); err == nil {
		err = stopErr
	}
	return took, err
}

// processed is asynq's count of acknowledged tasks.
func (e *environment) processed(ctx context.Context) int64 {
	n, _ := e.rdb.Get(ctx, queue.Key("default", "processed")).Int64() // no counter yet: 0
	return n
}
