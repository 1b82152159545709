package main

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/resolver"
)

func (c *cli) config() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check or show the configuration", Args: cobra.NoArgs}
	cmd.AddCommand(c.configCheck(), c.configShow())
	return cmd
}

func (c *cli) configCheck() *cobra.Command {
	connect := false
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read configuration and accounts, and say what is wrong",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := c.load()
			if err != nil {
				return err
			}
			var warnings []string
			if cfg.Accounts.Store == configs.StoreFile {
				accounts, err := resolver.LoadFile(string(cfg.Accounts.File))
				if err != nil {
					return err
				}
				warnings = accounts.Warnings()
			}
			warnings = append(warnings, cfg.ReadableSecrets()...)
			warnings = append(warnings, cfg.Web.Warnings()...)
			warnings = append(warnings, cfg.Worker.Warnings(cfg.Web)...)
			warnings = append(warnings, cfg.Notices.Warnings(cfg.Web)...)
			if connect {
				rdb, err := c.openRedis(cfg)
				if err != nil {
					return err
				}
				defer func() { _ = rdb.Close() }()
				if err := redisconn.Ping(cmd.Context(), rdb); err != nil {
					return err
				}
				warnings = append(warnings, redisconn.Warnings(cmd.Context(), rdb)...)
				unbound, err := unboundSecrets(cmd.Context(), cfg, rdb)
				if err != nil {
					return err
				}
				warnings = append(warnings, unbound...)
			}
			if c.json {
				return c.printJSON(map[string]any{"ok": true, "warnings": append([]string{}, warnings...)})
			}
			for _, w := range warnings {
				if err := c.printf("warning: %s\n", w); err != nil {
					return err
				}
			}
			return c.printf("configuration and accounts are fine\n")
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, "also ask Redis whether it answers and keeps its data")
	return cmd
}

// unboundSecrets warns of accounts in Redis whose secrets an older version has sealed.
func unboundSecrets(ctx context.Context, cfg configs.Config, rdb redis.UniversalClient) ([]string, error) {
	if cfg.Accounts.Store != configs.StoreRedis {
		return nil, nil
	}
	opened, err := app.OpenAccounts(cfg, rdb, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	warning, err := opened.UnboundWarning(ctx)
	if err = errors.Join(err, opened.Close()); err != nil || warning == "" {
		return nil, err
	}
	return []string{warning}, nil
}

func (c *cli) configShow() *cobra.Command {
	defaults := false
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in force, secrets redacted",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if defaults {
				return c.printf("%s", configs.Template())
			}
			cfg, err := c.load()
			if err != nil {
				return err
			}
			return cfg.Show(c.out)
		},
	}
	cmd.Flags().BoolVar(&defaults, "defaults", false, "print every key with its default and meaning instead")
	return cmd
}
