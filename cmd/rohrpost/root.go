package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/producer"
)

// cli is what all commands share.
type cli struct {
	streams
	environ    []string
	configPath string
	overrides  []configs.Override
	json       bool
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "rohrpost",
		Short:         "Queue-backed mail worker for multi-tenant business software",
		Long:          "rohrpost delivers the mails that applications put into Redis, through the sender account of\nuser, tenant or platform. Try it: rohrpost demo",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRun: func(*cobra.Command, []string) { c.warnOfArguments() },
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w (see: %s --help)", err, cmd.CommandPath())}
	})
	flags := root.PersistentFlags()
	flags.StringVarP(&c.configPath, "config", "c", "", "configuration file (default: $ROHRPOST_CONFIG, else none)")
	flags.BoolVar(&c.json, "json", false, "print JSON instead of text")
	c.setting(root, "redis", "redis.url", "URL of Redis; without one serve runs a private redis-server")
	c.setting(root, "log-level", "log.level", "debug, info, warn or error")
	root.AddCommand(
		c.demo(), c.dev(), c.worker(), c.web(), c.serve(),
		c.send(), c.status(), c.cancel(), c.retry(), c.reschedule(), c.account(), c.errors(), c.queue(), c.keygen(), c.dkim(), c.config(), c.version(),
	)
	strictArgs(root)
	return root
}

// setting adds a flag that overrides a key of the configuration.
func (c *cli) setting(cmd *cobra.Command, flag, key, usage string) {
	cmd.PersistentFlags().Func(flag, usage+" (overrides "+key+")", func(value string) error {
		c.overrides = append(c.overrides, configs.Override{Key: key, Value: value})
		return nil
	})
}

// warnOfArguments says so if a password stands in the command line, which every user of
// the machine can list.
func (c *cli) warnOfArguments() {
	for _, o := range c.overrides {
		u, err := url.Parse(o.Value)
		if o.Key != "redis.url" || err != nil || u.User == nil {
			continue
		}
		if _, set := u.User.Password(); set {
			_, _ = fmt.Fprintln(c.err, "warning: every user of this machine can read the password in --redis: "+
				"set ROHRPOST_REDIS_URL, or redis.password_file, instead")
		}
	}
}

// strictArgs makes a wrong number of arguments and an unknown subcommand wrong
// use, for all commands.
func strictArgs(cmd *cobra.Command) {
	if cmd.HasSubCommands() && cmd.RunE == nil { // else an unknown one is help, and a success
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &usageError{fmt.Errorf("%w (see: %s --help)", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}

// load reads the configuration with the flags on top.
func (c *cli) load() (configs.Config, error) {
	return configs.Load(c.configPath, c.environ, c.overrides...)
}

// redis opens the configured Redis and makes sure that it answers.
func (c *cli) redis(ctx context.Context) (redis.UniversalClient, configs.Config, error) {
	cfg, err := c.load()
	if err != nil {
		return nil, cfg, err
	}
	rdb, err := c.openRedis(cfg)
	if err != nil {
		return nil, cfg, err
	}
	if err := redisconn.Ping(ctx, rdb); err != nil {
		return nil, cfg, errors.Join(err, rdb.Close())
	}
	return rdb, cfg, nil
}

// producer opens the client package as an application would.
func (c *cli) producer(ctx context.Context) (*producer.Client, func(), error) {
	client, rdb, err := c.mails(ctx)
	if err != nil {
		return nil, nil, err
	}
	return client, func() { _ = rdb.Close() }, nil
}

// mails opens the client package and the Redis behind it, which the caller closes.
func (c *cli) mails(ctx context.Context) (*producer.Client, redis.UniversalClient, error) {
	rdb, cfg, err := c.redis(ctx)
	if err != nil {
		return nil, nil, err
	}
	client, err := app.NewProducer(cfg, rdb)
	if err != nil {
		return nil, nil, errors.Join(err, rdb.Close())
	}
	return client, rdb, nil
}

// errorLog opens the error log.
func (c *cli) errorLog(ctx context.Context) (*errorlog.Log, configs.Config, func(), error) {
	rdb, cfg, err := c.redis(ctx)
	if err != nil {
		return nil, cfg, nil, err
	}
	log, err := app.NewErrorLog(cfg, rdb)
	if err != nil {
		return nil, cfg, nil, errors.Join(err, rdb.Close())
	}
	return log, cfg, func() { _ = rdb.Close() }, nil
}

// printJSON writes one value as one line.
func (c *cli) printJSON(v any) error {
	enc := json.NewEncoder(c.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func (c *cli) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(c.out, format, args...)
	return err
}
