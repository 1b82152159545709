package engine

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/presence"
)

// appear lists this process among the workers, until Stop has ended the worker.
func (e *Engine) appear() error {
	beacon, err := presence.New(presence.Options{Redis: e.opts.Redis, Version: e.opts.Version, Slots: e.worker.Slots(), Logger: e.opts.Logger})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); beacon.Run(ctx) }()
	e.OnStop("list of workers", func() error { cancel(); <-done; return nil })
	return nil
}
