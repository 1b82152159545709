package engine

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/trial"
)

// startTrials tries accounts for pages in other processes, until Stop.
func (e *Engine) startTrials() error {
	server, err := trial.NewServer(trial.ServerOptions{Redis: e.opts.Redis, Box: e.box, Accounts: e.accounts, Logger: e.opts.Logger})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	e.OnStop("test mails", func() error { cancel(); <-done; return nil })
	return nil
}
