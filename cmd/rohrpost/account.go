package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

func (c *cli) account() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Manage sender accounts of platform, tenants and users",
		Long: `Manage sender accounts.

Without --tenant the platform's account is meant, with it the tenant's, with --user too that of the user.
Accounts in Redis (accounts.store: redis) can be edited; those in a file are edited there.`,
	}
	c.setting(cmd, "accounts", "accounts.file", "accounts file")
	cmd.AddCommand(
		c.accountList(), c.accountShow(), c.accountSet(), c.accountDelete(),
		c.accountUnlock(), c.accountLock(), c.accountApprove(), c.accountRelease(), c.accountHistory(),
		c.accountExplain(), c.accountTest(), c.accountDoctor(), c.accountConnect(),
		c.accountImport(), c.accountReseal(), c.accountPresets(), c.accountPreview(),
	)
	return cmd
}

// placeFlags add --tenant and --user.
func placeFlags(cmd *cobra.Command, p *resolver.Place) {
	cmd.Flags().StringVar(&p.Tenant, "tenant", "", "tenant id; empty: the platform")
	cmd.Flags().StringVar(&p.User, "user", "", "user id")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if p.User != "" && p.Tenant == "" {
			return &usageError{errors.New("--user needs --tenant: a user belongs to one")}
		}
		return nil
	}
}

// accounts opens the accounts. Without Redis it still answers what stands in an
// accounts file.
func (c *cli) accounts(ctx context.Context) (*accounts.Service, func(), error) {
	cfg, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	rdb, err := c.openRedis(cfg)
	if err != nil {
		return nil, nil, err
	}
	opened, err := app.OpenAccounts(cfg, rdb, zerolog.Nop())
	if err != nil {
		return nil, nil, errors.Join(err, rdb.Close())
	}
	done := func() { _ = errors.Join(opened.Close(), rdb.Close()) }
	if err = redisconn.Ping(ctx, rdb); err == nil {
		err = opened.Load(ctx)
	}
	switch {
	case err != nil && !opened.InFile():
		done()
		return nil, nil, err
	case err != nil:
		_, _ = fmt.Fprintln(c.err, "rohrpost: warning: nobody knows which accounts are parked:", err)
	}
	return opened.Service, done, nil
}

// withAccounts opens the accounts for as long as do takes.
func (c *cli) withAccounts(ctx context.Context, do func(ctx context.Context, service *accounts.Service) error) error {
	service, done, err := c.accounts(ctx)
	if err != nil {
		return err
	}
	defer done()
	return do(ctx, service)
}

// withStore is withAccounts for what edits accounts in Redis.
func (c *cli) withStore(ctx context.Context, do func(ctx context.Context, store *redisstore.Store) error) error {
	return c.withAccounts(ctx, func(ctx context.Context, service *accounts.Service) error {
		store, err := service.Store()
		if err != nil {
			return err
		}
		return do(ctx, store)
	})
}

// onAccounts is a command that needs nothing but the accounts.
func (c *cli) onAccounts(do func(ctx context.Context, service *accounts.Service) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error { return c.withAccounts(cmd.Context(), do) }
}

// onStore is a command that needs nothing but the accounts in Redis.
func (c *cli) onStore(do func(ctx context.Context, store *redisstore.Store) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error { return c.withStore(cmd.Context(), do) }
}

// operator is the person at the command line, who has access to Redis and keys.
func (c *cli) operator() redisstore.Actor {
	name := ""
	for _, v := range c.environ {
		if value, ok := strings.CutPrefix(v, "USER="); ok {
			name = value
		}
	}
	return redisstore.Actor{Name: "cli:" + cmp.Or(name, "operator"), Role: redisstore.Operator}
}

// current is the version of a record, 0 without one.
func current(ctx context.Context, store *redisstore.Store, p resolver.Place) (int64, error) {
	r, err := store.Get(ctx, p)
	switch {
	case errors.Is(err, redisstore.ErrUnknown):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return r.Version, nil
}
