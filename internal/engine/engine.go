package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/metrics"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// ErrClosed says that an engine was closed, or has run already.
var ErrClosed = errors.New("closed, or run before: make a new one")

// An Engine is what sends in one process. It runs once.
type Engine struct {
	opts     Options
	accounts *Accounts // nil: pages without accounts
	box      *seal.Box
	memory   *headroom.Gauge
	metrics  *metrics.Metrics
	worker   *delivery.Worker // nil: PagesOnly

	cleanups []cleanup
	serving  sync.WaitGroup

	mu     sync.Mutex
	cancel context.CancelFunc // of Run
	used   bool
	done   chan struct{} // closed when Run has ended
}

type cleanup struct {
	name string
	run  func() error
}

// New puts the parts together. It does no I/O; the error joins all faults of the
// options.
func New(o Options) (*Engine, error) {
	o, box, a, err := assemble(o)
	if err != nil {
		return nil, err
	}
	e := &Engine{opts: o, accounts: a, box: box, memory: headroom.New(headroom.Options{Redis: o.Redis}), done: make(chan struct{})}
	e.metrics = metrics.New(metrics.Options{Version: o.Version, Queues: queue.NewInspector(o.Redis), ErrorLog: o.ErrorLog, Memory: e.memory})
	if a != nil {
		e.metrics.Waiting(backlog.New(o.Redis, nil), a.States)
	}
	if !o.PagesOnly {
		e.worker, err = e.newWorker()
	}
	return e, err
}

// Options are those of New, with its defaults.
func (e *Engine) Options() Options { return e.opts }

// Accounts are those of the process; nil for pages that know none.
func (e *Engine) Accounts() *Accounts { return e.accounts }

// Box seals what goes to workers.
func (e *Engine) Box() *seal.Box { return e.box }

// Metrics serves the metrics of this process.
func (e *Engine) Metrics() http.Handler { return e.metrics.Handler() }

// Run sends until ctx ends or Close is called, and then waits for the mails under
// way. ready is called when Redis has answered, before the first mail; nil is none.
// The error is that of the start, or ErrClosed.
func (e *Engine) Run(ctx context.Context, ready func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e.mu.Lock()
	if e.used {
		e.mu.Unlock()
		return ErrClosed
	}
	e.used, e.cancel = true, cancel
	e.mu.Unlock()
	defer close(e.done)
	err := e.run(ctx, ready)
	switch {
	case err == nil:
		<-ctx.Done()
	case ctx.Err() != nil:
		err = nil // it was to end before it had started
	}
	return errors.Join(err, e.Stop())
}

func (e *Engine) run(ctx context.Context, ready func() error) error {
	if err := e.Open(ctx); err != nil {
		return err
	}
	if ready != nil {
		if err := ready(); err != nil {
			return err
		}
	}
	return e.Work(ctx)
}

// Close ends Run, and waits until it has. It may be called again, and without Run.
func (e *Engine) Close() error {
	e.mu.Lock()
	running := e.cancel
	e.used = true
	e.mu.Unlock()
	if running == nil {
		return e.Stop()
	}
	running()
	<-e.done
	return nil
}

// Open asks Redis whether it is there and which accounts wait, warns of what would
// lose mail, and keeps the accounts up to date until Stop. Run does it by itself.
func (e *Engine) Open(ctx context.Context) error {
	if err := redisconn.Ping(ctx, e.opts.Redis); err != nil {
		return err
	}
	for _, w := range redisconn.Warnings(ctx, e.opts.Redis) {
		e.opts.Logger.Warn().Msg(w)
	}
	e.watchMemory()
	if e.accounts == nil {
		return nil
	}
	return e.openAccounts(ctx)
}

// Stop runs the clean-ups, last in, first out.
func (e *Engine) Stop() error {
	var errs []error
	for _, c := range slices.Backward(e.cleanups) {
		if err := c.run(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", c.name, err))
		}
		e.opts.Logger.Debug().Str("part", c.name).Msg("stopped")
	}
	e.cleanups = nil
	e.serving.Wait()
	return errors.Join(errs...)
}

// OnStop adds a clean-up.
func (e *Engine) OnStop(name string, run func() error) {
	e.cleanups = append(e.cleanups, cleanup{name, run})
}

// watchMemory warns, until Stop, when Redis is nearly full.
func (e *Engine) watchMemory() {
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() { e.memory.Watch(ctx, e.opts.Logger) })
	e.OnStop("memory watch", func() error { cancel(); watch.Wait(); return nil })
}
