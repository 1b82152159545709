package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/demo"
)

func (c *cli) dev() *cobra.Command {
	smtpAddr := ""
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with a mail server that catches all mail",
		Long: `Run Redis, worker, web part and a mail server that catches all mail, in one process.

Redis is in memory and forgets everything at the end. Producers connect to the URL that is printed.
Recipients as refuse@…, defer-2@… or spam@… make the mail server misbehave.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.runDev(cmd, smtpAddr) },
	}
	cmd.Flags().StringVar(&smtpAddr, "smtp-addr", "127.0.0.1:2525", "address of the catch-all mail server")
	c.webFlags(cmd)
	return cmd
}

func (c *cli) runDev(cmd *cobra.Command, smtpAddr string) error {
	base := []configs.Override{{Key: "redis.url", Value: "embedded:"}, {Key: "log.format", Value: "console"}, {Key: "log.level", Value: "warn"}}
	cfg, err := configs.Load(c.configPath, c.environ, append(base, c.overrides...)...)
	if err != nil {
		return err
	}
	stack, err := demo.StartStack(cmd.Context(), demo.Options{
		Config: cfg, SMTPAddr: smtpAddr, Version: version, Logger: app.NewLogger(cfg.Log, c.streams.err),
	})
	if err != nil {
		return err
	}
	defer stack.Stop()
	page := func(path string) string { // opens by its link, unless people sign in
		return cmp.Or(stack.App.Link(path), "http://"+stack.App.Addr().String()+path)
	}
	err = c.printf(`rohrpost dev is running. Nothing leaves this machine.

  Mails     %[1]s
  Errors    %[2]s
  Queues    %[3]s
  SMTP      %[4]s  (catches everything)
  Redis     %[5]s  (in memory: everything is gone at the end)

  Send one  rohrpost send --redis %[5]s --tenant acme --to kunde@example.org --subject Test --text Hallo
  Stop      Ctrl-C

`, page("/mails/"), page("/problems"), page("/queues/"), stack.Mails.Addr(), stack.Config.Redis.URL)
	if err != nil {
		return err
	}
	<-cmd.Context().Done()
	return nil
}
