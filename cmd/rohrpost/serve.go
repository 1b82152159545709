package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
)

func (c *cli) worker() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Deliver mails",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.process(cmd, app.Roles{Worker: true}) },
	}
	c.workerFlags(cmd)
	return cmd
}

func (c *cli) web() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "web",
		Short: "Show queues and errors in the browser",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.process(cmd, app.Roles{Web: true}) },
	}
	c.webFlags(cmd)
	cmd.AddCommand(c.hashPassword())
	return cmd
}

func (c *cli) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Deliver mails and show queues and errors, in one process",
		Long: `Deliver mails and show queues and errors, in one process.

Where redis.url is not set, a redis-server (or valkey-server) of the PATH is started for this process
alone. It listens on a unix socket and keeps its data in $XDG_STATE_HOME/rohrpost, else in
~/.local/state/rohrpost; --redis embedded:/var/lib/rohrpost names another directory. Commands such
as send, status and errors find it there while serve runs.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runServe(cmd) },
	}
	c.workerFlags(cmd)
	c.webFlags(cmd)
	return cmd
}

func (c *cli) workerFlags(cmd *cobra.Command) {
	c.setting(cmd, "accounts", "accounts.file", "accounts file")
	c.setting(cmd, "concurrency", "worker.concurrency", "mails at a time")
}

func (c *cli) webFlags(cmd *cobra.Command) {
	c.setting(cmd, "addr", "web.addr", "address to listen on")
}

// process is a command that runs until it is interrupted.
func (c *cli) process(cmd *cobra.Command, roles app.Roles) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if cfg.Redis.URL != "" { // else the usual one, whatever else runs on this machine
		if err := c.findPrivate(&cfg); err != nil {
			return err
		}
	}
	return c.run(cmd.Context(), cfg, roles, app.NewLogger(cfg.Log, c.streams.err), nil)
}

// runServe is a process that may have a Redis of its own, which ends after it.
func (c *cli) runServe(cmd *cobra.Command) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log, roles := app.NewLogger(cfg.Log, c.streams.err), app.Roles{Worker: true, Web: true}
	own, err := c.startPrivate(cmd.Context(), &cfg, log)
	if err != nil {
		return err
	}
	if own == nil {
		return c.run(cmd.Context(), cfg, roles, log, nil)
	}
	err = c.run(cmd.Context(), cfg, roles, log, own.Gone())
	return errors.Join(err, own.Stop(), own.Err())
}

// run runs until ctx ends or Redis is gone, and stops without losing or repeating
// a mail. SIGHUP reads the accounts file again.
func (c *cli) run(ctx context.Context, cfg configs.Config, roles app.Roles, log zerolog.Logger, gone <-chan struct{}) error {
	a, err := app.New(app.Options{Config: cfg, Roles: roles, Version: version, Logger: log})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if err := c.tellLink(a.Link("/")); err != nil {
		return errors.Join(err, a.Stop())
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	for {
		select {
		case <-reload:
			a.Reload()
			continue
		case <-ctx.Done():
		case <-gone:
		}
		return a.Stop()
	}
}

// tellLink prints how to open the pages, for the person who started the process. It is no
// line of the log: the link opens everything, and logs travel.
func (c *cli) tellLink(link string) error {
	if link == "" {
		return nil
	}
	_, err := fmt.Fprintf(c.err, "\nOpen the pages with this link. It makes its holder the operator, until this process ends:\n%s\n\n", link)
	return err
}
