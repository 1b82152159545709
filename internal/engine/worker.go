package engine

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/resolver"
)

// newWorker makes the pool, and has the metrics tell how it stands.
func (e *Engine) newWorker() (*delivery.Worker, error) {
	senders, err := resolver.New(resolver.Options{Store: e.accounts})
	if err != nil {
		return nil, err
	}
	o := e.opts.delivery()
	o.Resolver, o.Transport, o.Breaker, o.ErrorLog, o.Metrics = senders, e.accounts.route, e.accounts.breaker, e.opts.ErrorLog, e.metrics
	w, err := delivery.New(o)
	if err != nil {
		return nil, err
	}
	stats := e.accounts.route.Stats
	e.metrics.Connections(func() int { return stats().InUse }, func() int { return stats().Idle })
	e.metrics.Worker(w.Slots(), w.InFlight)
	return w, nil
}

// Work takes mails until Stop; it begins after Open. Run does it by itself.
func (e *Engine) Work(ctx context.Context) error {
	if e.worker == nil {
		return nil
	}
	if err := e.appear(); err != nil {
		return err
	}
	if err := e.worker.Start(ctx); err != nil {
		return err
	}
	e.OnStop("worker", func() error { e.worker.Stop(); return nil })
	if err := errors.Join(e.startTrials(), e.startNotices()); err != nil {
		return err
	}
	e.opts.Logger.Info().Msg("worker is running")
	return nil
}
