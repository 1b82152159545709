package engine

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/notice"
)

// startNotices tells administrators of accounts that stop, until Stop.
func (e *Engine) startNotices() error {
	o := e.opts.Notices
	if o.Send == nil {
		return nil
	}
	o.Redis, o.States, o.Accounts, o.Logger = e.opts.Redis, e.accounts.States, e.accounts, e.opts.Logger
	notifier, err := notice.New(o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); notifier.Run(ctx) }()
	e.OnStop("notices", func() error { cancel(); <-done; return nil })
	return nil
}
