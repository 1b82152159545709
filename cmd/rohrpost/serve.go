package main

import (
	"github.com/spf13/cobra"

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
	return cmd
}

func (c *cli) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Deliver mails and show queues and errors, in one process",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.process(cmd, app.Roles{Worker: true, Web: true}) },
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

// process runs until the command is interrupted, and stops without losing or
// repeating a mail.
func (c *cli) process(cmd *cobra.Command, roles app.Roles) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{Config: cfg, Roles: roles, Version: version, Logger: app.NewLogger(cfg.Log, c.streams.err)})
	if err != nil {
		return err
	}
	if err := a.Start(cmd.Context()); err != nil {
		return err
	}
	<-cmd.Context().Done()
	return a.Stop()
}
