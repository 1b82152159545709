package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/notice"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/transport/dkim"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// OpenAccounts opens the accounts that the configuration describes. It reads the
// accounts file, and asks Redis nothing: see Load.
func OpenAccounts(cfg configs.Config, rdb redis.UniversalClient, log zerolog.Logger) (*engine.Accounts, error) {
	o, err := engineOptions(cfg, rdb)
	if err != nil {
		return nil, err
	}
	o.Logger = log
	return engine.NewAccounts(o)
}

// newEngine makes the engine of this process. Pages alone can do without an accounts
// file.
func (a *App) newEngine() (*engine.Engine, error) {
	o, err := engineOptions(a.opts.Config, a.redis)
	if errors.Is(err, os.ErrNotExist) && !a.opts.Roles.Worker {
		err = nil // startWeb says so
	}
	if err != nil {
		return nil, err
	}
	o.Logger, o.Version, o.PagesOnly = a.log, a.opts.Version, !a.opts.Roles.Worker
	if o.Notices, err = a.notices(); err != nil {
		return nil, err
	}
	return engine.New(o)
}

// notices are how administrators are told of accounts that stop. A worker does it.
func (a *App) notices() (notice.Options, error) {
	cfg := a.opts.Config
	if !cfg.Notices.Enabled || !a.opts.Roles.Worker {
		return notice.Options{}, nil
	}
	client, err := NewProducer(cfg, a.redis)
	return notice.Options{
		Send: func(ctx context.Context, m rohrpost.Message) error {
			_, err := client.Send(ctx, m)
			if errors.Is(err, producer.ErrConflict) {
				return nil // another worker was faster, and has counted other mails
			}
			return err
		},
		Operators: cfg.Notices.Addresses(cfg.Web.Users), PublicURL: cfg.Web.PublicURL, Language: cfg.ErrorLog.Language,
		Gather: cfg.Notices.After,
	}, err
}

// engineOptions are the configuration as an engine takes it, and the accounts. The
// error joins what is wrong; os.ErrNotExist is an accounts file that is not there.
func engineOptions(cfg configs.Config, rdb redis.UniversalClient) (engine.Options, error) {
	o := engine.Options{
		Redis: rdb, HELO: cfg.Worker.Helo,
		Concurrency: cfg.Worker.Concurrency, Servers: cfg.Worker.Servers, Connections: cfg.Limits.ConnectionsPerAccount,
		TenantConnections: cfg.Accounts.MaxConnections,
		AttemptTimeout:    cfg.Worker.AttemptTimeout, ShutdownTimeout: cfg.Worker.ShutdownTimeout,
		Retry: delivery.Retry{
			First: cfg.Retry.First, Factor: cfg.Retry.Factor, Jitter: orNone(cfg.Retry.Jitter), Max: cfg.Retry.Max,
			GiveUp: cfg.Retry.GiveUp, Greylist: orNone(cfg.Retry.GreylistMin), Uncertain: orNone(cfg.Retry.UncertainPause),
		},
		Keep: cfg.Ledger.Keep, FailedBytes: int64(cfg.Limits.FailedBytesPerTenant), ShowRecipients: cfg.ErrorLog.ShowRecipients,
		Seal:      seal.Options{Recipients: cfg.Secrets.Recipients, Identities: cfg.Secrets.Identity, RequireBound: cfg.Secrets.RequireBound},
		Microsoft: route.Application{ClientID: cfg.OAuth2.MicrosoftClientID, ClientSecret: cfg.OAuth2.MicrosoftClientSecret},
		Google:    route.Application{ClientID: cfg.OAuth2.GoogleClientID, ClientSecret: cfg.OAuth2.GoogleClientSecret},
	}
	var err, logErr, guardErr, keyErr error
	o.Outgoing, keyErr = OutgoingOptions(cfg)
	o.ErrorLog, logErr = NewErrorLog(cfg, rdb)
	o.Guard, guardErr = guardOptions(&cfg.Accounts)
	if cfg.Accounts.Store == configs.StoreRedis {
		o.Stored, err = openStore(cfg, rdb)
	} else {
		o.File, err = resolver.LoadFile(string(cfg.Accounts.File))
	}
	return o, errors.Join(logErr, guardErr, keyErr, err)
}

// OutgoingOptions are the configuration as it concerns what mails look like.
func OutgoingOptions(cfg configs.Config) (outgoing.Options, error) {
	var keys []*dkim.Key
	var errs []error
	for i, k := range cfg.DKIM {
		key, err := dkim.ParseKey(k.Domain, k.Selector, []byte(k.Key.Reveal()))
		if err != nil {
			errs = append(errs, fmt.Errorf("dkim[%d]: %w", i, err))
			continue
		}
		keys = append(keys, key)
	}
	signers, err := dkim.New(keys...)
	return outgoing.Options{MessageIDDomain: cfg.Messages.IDDomain, Signers: signers}, errors.Join(append(errs, err)...)
}

func openStore(cfg configs.Config, rdb redis.UniversalClient) (*redisstore.Store, error) {
	a := cfg.Accounts
	return redisstore.New(redisstore.Options{
		Redis: rdb, Recipients: cfg.Secrets.Recipients, Identities: cfg.Secrets.Identity, RequireBound: cfg.Secrets.RequireBound,
		Policy: redisstore.Policy{Unlock: a.RequireUnlock, Check: a.RequireCheck, Approve: a.RequireApproval, Accept: a.RequireAcceptance},
	})
}

func guardOptions(a *configs.Accounts) (netguard.Options, error) {
	allow, err := a.Networks()
	deny, denyErr := a.Denied()
	ports, portsErr := a.Ports()
	return netguard.Options{Allow: allow, Deny: deny, Ports: ports}, errors.Join(err, denyErr, portsErr)
}

// Reload reads the accounts file again, which happens by itself within a second of a
// change, too. Accounts in Redis are up to date without.
func (a *App) Reload() { a.engine.Reload() }

// orNone turns a setting of 0 into what the worker takes for none: to it 0 is the
// default.
func orNone[T float64 | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}
