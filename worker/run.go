package worker

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/engine"
)

// ErrClosed says that a worker was closed, or has run before.
var ErrClosed = engine.ErrClosed

// held hides the engine, which package server needs.
type held = engine.Held

// A Worker sends mails. It runs once.
type Worker struct{ held }

// New checks the options and makes a worker. It does no I/O; the error tells all that
// is wrong with the options, a line each.
func New(o Options) (*Worker, error) {
	e, err := engine.New(o.engine())
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &Worker{engine.Hold(e)}, nil
}

// Run sends mails until ctx ends or Close is called. Then it takes no more and waits
// for those under way, at most ShutdownTimeout: what is not done by then goes back
// into the queue. The error is nil after that; else Redis does not answer, or it is
// ErrClosed.
func (w *Worker) Run(ctx context.Context) error { return engine.Of(w).Run(ctx, nil) }

// Close ends Run, waits for it, and frees what New has made. It may be called again.
func (w *Worker) Close() error { return engine.Of(w).Close() }

// Metrics serves the worker's metrics, for Prometheus.
func (w *Worker) Metrics() http.Handler { return engine.Of(w).Metrics() }
