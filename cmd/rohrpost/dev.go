package main

import (
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
	err = c.printf(`rohrpost dev is running. Nothing leaves this machine.

  Mails     http://%[1]s/mails/
  Errors    http://%[1]s/errors
  Queues    http://%[1]s/queues/
  SMTP      %[2]s  (catches everything)
  Redis     %[3]s  (in memory: everything is gone at the end)

  Send one  rohrpost send --redis %[3]s --tenant acme --to kunde@example.org --subject Test --text Hallo
  Stop      Ctrl-C

`, stack.App.Addr(), stack.Mails.Addr(), stack.Config.Redis.URL)
	if err != nil {
		return err
	}
	<-cmd.Context().Done()
	return nil
}
