package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

// A Delivery is a task that a worker takes in hand.
type Delivery struct {
	ID      string
	Payload []byte
	// Again says that the task was run before.
	Again bool
}

// A Deferral is the error by which a handler asks for its task again later.
type Deferral struct {
	Delay  time.Duration // rounded up to whole seconds, which is what asynq knows
	Counts bool          // it shows as a failure in asynq's statistics
	Cause  error         // what the dashboard shows
}

func (d *Deferral) Error() string { return d.Cause.Error() }
func (d *Deferral) Unwrap() error { return d.Cause }

// Archive makes the error by which a handler gives its task up: it is kept in the
// archive, and run no more.
func Archive(cause error) error { return fmt.Errorf("%w: %w", cause, asynq.SkipRetry) }

// PoolOptions are those of a Pool. Redis and Handle are required.
type PoolOptions struct {
	Redis   redis.UniversalClient
	Workers int // tasks at a time
	Servers int // asynq servers that share the workers
	// Handle deals with a task. Nil ends it; a Deferral or an error of Archive says
	// what else. Any other error runs it again a second later.
	Handle func(context.Context, Delivery) error
	// Interrupted is told of a task that was taken away from its worker: it died, or was
	// cut off from Redis for longer than its lease.
	Interrupted func(payload []byte, cause error)
	// ShutdownTimeout is after how long asynq takes tasks away from handlers that do not
	// end when the pool stops.
	ShutdownTimeout time.Duration
	Logger          zerolog.Logger
}

// A Pool is the workers of a process: asynq servers behind a Client each.
type Pool struct {
	options PoolOptions
	clients []*Client
	servers []*asynq.Server
}

// NewPool makes a pool; it does no I/O.
func NewPool(o PoolOptions) *Pool {
	p := &Pool{options: o}
	workers := o.Workers / o.Servers
	for range o.Servers {
		client := NewClient(o.Redis, workers)
		p.clients = append(p.clients, client)
		p.servers = append(p.servers, asynq.NewServerFromRedisClient(client, p.config(workers)))
	}
	return p
}

func (p *Pool) config(workers int) asynq.Config {
	return asynq.Config{
		Concurrency: workers,
		Queues:      Weights(),
		// The client waits on an empty queue; asynq's own pause is only the tick.
		TaskCheckInterval:        time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          p.options.ShutdownTimeout,
		RetryDelayFunc:           p.retryDelay,
		IsFailure:                isFailure,
		Logger:                   logger{p.options.Logger},
		LogLevel:                 asynq.WarnLevel, // its other words are not worth formatting
	}
}

// Start begins to take tasks. It fails when Redis does not answer; Stop must be called
// all the same.
func (p *Pool) Start() error {
	for i, server := range p.servers {
		if err := server.Start(p.handler(p.clients[i])); err != nil {
			p.servers = p.servers[:i] // the others have nothing to stop
			return fmt.Errorf("queue: start: %w", err)
		}
	}
	return nil
}

// Stop takes no more tasks and waits for those in hand; ctx ends the wait for tasks that
// were fetched and not handed over.
func (p *Pool) Stop(ctx context.Context) {
	var group sync.WaitGroup
	for i, server := range p.servers {
		group.Go(func() {
			p.clients[i].Drain(ctx)
			server.Stop()
			server.Shutdown()
		})
	}
	group.Wait()
}

// Claim asks for tasks that wait in asynq's retry or scheduled set, as Client.Claim does.
// They are shared among the servers by how many workers each has free.
func (p *Pool) Claim(refs []Ref, missed func(Ref, Miss)) {
	free := make([]int, len(p.clients))
	shares := make([][]Ref, len(p.clients))
	for i, f := range p.clients {
		free[i] = f.Free()
	}
	for _, ref := range refs {
		best := 0
		for i := range free {
			if free[i] > free[best] {
				best = i
			}
		}
		free[best]--
		shares[best] = append(shares[best], ref)
	}
	for i, share := range shares {
		if len(share) > 0 {
			p.clients[i].Claim(share, missed)
		}
	}
}

// handler hands asynq's tasks to Handle.
func (p *Pool) handler(client *Client) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		defer client.Done()
		id, _ := asynq.GetTaskID(ctx)
		retried, _ := asynq.GetRetryCount(ctx)
		return p.options.Handle(ctx, Delivery{ID: id, Payload: task.Payload(), Again: retried > 0})
	})
}

// isFailure keeps deferrals that are nobody's fault out of asynq's counters.
func isFailure(err error) bool {
	d, ok := errors.AsType[*Deferral](err)
	return !ok || d.Counts
}

// retryDelay answers asynq's question when to run a task again. Any error but a
// Deferral means that asynq took the task away from a worker that died or lost its
// lease.
func (p *Pool) retryDelay(_ int, err error, task *asynq.Task) time.Duration {
	if d, ok := errors.AsType[*Deferral](err); ok {
		return (d.Delay + time.Second - 1).Truncate(time.Second)
	}
	if p.options.Interrupted != nil {
		p.options.Interrupted(task.Payload(), err)
	}
	return time.Second
}

// logger passes asynq's own words to zerolog. Its warnings are about single tasks, of
// which the worker says more itself.
type logger struct{ log zerolog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug().Msg(fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.log.Debug().Msg(fmt.Sprint(args...)) }
func (l logger) Warn(args ...any)  { l.log.Debug().Msg(fmt.Sprint(args...)) }
func (l logger) Error(args ...any) { l.log.Error().Msg(fmt.Sprint(args...)) }
func (l logger) Fatal(args ...any) { l.log.Error().Msg(fmt.Sprint(args...)) }
