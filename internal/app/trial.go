package app

import (
	"context"

	"github.com/rohrpost/rohrpost/internal/trial"
	"github.com/rohrpost/rohrpost/internal/web"
)

// triers are who tries accounts for the pages: this process, if it is a worker too;
// else the workers. Nil without an accounts file.
func (a *App) triers(p parts) (web.Accounts, error) {
	if p.desk == nil {
		return nil, nil
	}
	if a.opts.Roles.Worker {
		return p.desk, nil
	}
	box, err := openBox(a.opts.Config)
	if err != nil {
		return nil, err
	}
	return trial.NewClient(trial.ClientOptions{Redis: p.redis, Box: box, Desk: p.desk})
}

// startTrials tries accounts for pages in other processes, until Stop.
func (a *App) startTrials(p parts) error {
	box, err := openBox(a.opts.Config)
	if err != nil {
		return err
	}
	server, err := trial.NewServer(trial.ServerOptions{Redis: p.redis, Box: box, Desk: p.desk, Logger: a.log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); server.Run(ctx) }()
	a.onStop("test mails", func() error { cancel(); <-done; return nil })
	return nil
}
