package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const (
	// keepEvery is how often idle refresh tokens are looked for.
	keepEvery = 6 * time.Hour
	// recheckEvery is how often the settings of parked accounts are compared with
	// those that were refused.
	recheckEvery = 250 * time.Millisecond
)

// OpenDesk makes the counter for accounts that the configuration describes. It
// reads the accounts file, and asks Redis nothing: see gate.Gate.Load.
func OpenDesk(cfg configs.Config, rdb redis.UniversalClient, log zerolog.Logger) (*accounts.Desk, error) {
	return newDesk(cfg, rdb, log, false)
}

// newDesk is OpenDesk. elsewhere says that other processes use the accounts.
func newDesk(cfg configs.Config, rdb redis.UniversalClient, log zerolog.Logger, elsewhere bool) (*accounts.Desk, error) {
	o := accounts.Options{HELO: cfg.Worker.Helo, Elsewhere: elsewhere}
	var err error
	if cfg.Accounts.Store == configs.StoreRedis {
		o.Book, err = openBook(cfg, rdb)
	} else {
		o.File, err = resolver.LoadFile(string(cfg.Accounts.File))
	}
	if err != nil {
		return nil, err
	}
	if o.Gate, err = gate.New(gate.Options{Redis: rdb, Logger: log, Workers: cfg.Worker.Concurrency}); err != nil {
		return nil, err
	}
	if o.Errors, err = NewErrorLog(cfg, rdb); err != nil {
		return nil, err
	}
	if o.Limiter, err = doctor.NewLimiter(doctor.LimiterOptions{Redis: rdb}); err != nil {
		return nil, err
	}
	if o.Route, err = openRoute(cfg, rdb, o.Gate, log); err != nil {
		return nil, err
	}
	return accounts.New(o)
}

func openBook(cfg configs.Config, rdb redis.UniversalClient) (*redisstore.Store, error) {
	a := cfg.Accounts
	return redisstore.New(redisstore.Options{
		Redis: rdb, Recipients: cfg.Secrets.Recipients, Identities: cfg.Secrets.Identity, RequireBound: cfg.Secrets.RequireBound,
		Policy: redisstore.Policy{Unlock: a.RequireUnlock, Check: a.RequireCheck, Approve: a.RequireApproval},
	})
}

func openRoute(cfg configs.Config, rdb redis.UniversalClient, parked *gate.Gate, log zerolog.Logger) (*route.Route, error) {
	guard, err := openGuard(cfg, log)
	if err != nil {
		return nil, err
	}
	leases, err := gate.NewLeases(gate.LeaseOptions{Redis: rdb, Logger: log})
	if err != nil {
		return nil, err
	}
	box, err := openBox(cfg)
	if err != nil {
		return nil, err
	}
	return route.New(route.Options{
		Tokens: func(client *http.Client) (*oauth.Tokens, error) {
			return oauth.New(oauth.Options{Redis: rdb, Box: box, HTTPClient: client, Logger: log})
		},
		Guard: guard, Gate: parked, Leases: leases,
		Microsoft: route.Application{ClientID: cfg.OAuth2.MicrosoftClientID, ClientSecret: cfg.OAuth2.MicrosoftClientSecret},
		Google:    route.Application{ClientID: cfg.OAuth2.GoogleClientID, ClientSecret: cfg.OAuth2.GoogleClientSecret},
		HELO:      cfg.Worker.Helo, MaxConnections: cfg.Limits.ConnectionsPerAccount, TenantConnections: cfg.Accounts.MaxConnections, Logger: log,
	})
}

// openBox seals and opens with the configured keys.
func openBox(cfg configs.Config) (*seal.Box, error) {
	return seal.New(seal.Options{Recipients: cfg.Secrets.Recipients, Identities: cfg.Secrets.Identity, RequireBound: cfg.Secrets.RequireBound})
}

func openGuard(cfg configs.Config, log zerolog.Logger) (*netguard.Guard, error) {
	allow, err := cfg.Accounts.Networks()
	deny, denyErr := cfg.Accounts.Denied()
	ports, portsErr := cfg.Accounts.Ports()
	if err := errors.Join(err, denyErr, portsErr); err != nil {
		return nil, err
	}
	return netguard.New(netguard.Options{Allow: allow, Deny: deny, Ports: ports, Logger: log})
}

// startDesk opens the counter for this process, and keeps it up to date until Stop.
// Pages alone can do without an accounts file.
func (a *App) startDesk(ctx context.Context, rdb redis.UniversalClient) (*accounts.Desk, error) {
	desk, err := newDesk(a.opts.Config, rdb, a.log, !a.opts.Roles.Worker)
	if errors.Is(err, os.ErrNotExist) && !a.opts.Roles.Worker {
		return nil, nil // startWeb says so
	}
	if err != nil {
		return nil, err
	}
	if err := desk.Gate.Load(ctx); err != nil {
		return nil, errors.Join(err, desk.Route.Close())
	}
	a.onStop("connections to mail servers", desk.Route.Close)
	for _, w := range a.accountWarnings(desk) {
		a.log.Warn().Msg(w)
	}
	a.keepAccounts(desk)
	return desk, nil
}

// accountWarnings are what the accounts advise against, and what their secrets miss.
// Pages alone know nothing of that: they have neither keys nor files with passwords.
func (a *App) accountWarnings(desk *accounts.Desk) []string {
	if !a.opts.Roles.Worker {
		return nil
	}
	var warnings []string
	sealed := desk.Book != nil
	if desk.File != nil {
		warnings = desk.File.Warnings()
		sealed = slices.ContainsFunc(desk.File.All(), func(a *resolver.Account) bool { return a.OAuth2.InUse() })
	}
	if sealed && a.opts.Config.Secrets.Identity.IsZero() {
		warnings = append(warnings, "secrets.identity_file is not set: accounts with OAuth2, and those in Redis that have a secret, cannot send (rohrpost keygen makes a key)")
	}
	return warnings
}

// keepAccounts starts what keeps accounts up to date, until Stop. What needs their
// secrets is the workers'.
func (a *App) keepAccounts(desk *accounts.Desk) {
	ctx, cancel := context.WithCancel(context.Background())
	a.serving.Go(func() { desk.Gate.Run(ctx) })
	a.serving.Go(func() { desk.Route.Run(ctx) })
	if desk.File != nil {
		a.file = desk.File
		a.serving.Go(func() { desk.File.Watch(ctx, a.reloaded) })
	} else {
		a.serving.Go(func() { desk.Book.Run(ctx) })
		a.serving.Go(func() { a.warnUnbound(ctx, desk) })
	}
	if a.opts.Roles.Worker {
		a.serving.Go(func() { a.keepTokens(ctx, desk) })
		a.serving.Go(func() { a.recheck(ctx, desk) })
	}
	a.onStop("accounts", func() error { cancel(); return nil })
}

// warnUnbound names the accounts whose secrets an older version has sealed.
func (a *App) warnUnbound(ctx context.Context, desk *accounts.Desk) {
	warning, err := desk.UnboundWarning(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.Debug().Err(err).Msg("whether all secrets are bound to their server is not known")
	}
	if warning != "" {
		a.log.Warn().Msg(warning)
	}
}

// Reload reads the accounts file again, which happens by itself within a second of a
// change, too. Accounts in Redis are up to date without.
func (a *App) Reload() {
	if a.file == nil {
		a.log.Info().Msg("there is no accounts file to be reloaded")
		return
	}
	a.reloaded(a.file.Reload())
}

// reloaded says how reading the accounts file again went.
func (a *App) reloaded(err error) {
	if err != nil {
		a.log.Error().Err(err).Msg("the accounts file was changed and cannot be used: the last good one stays in force")
		return
	}
	a.log.Info().Msg("accounts reloaded")
}

// recheck releases parked accounts that have new settings.
func (a *App) recheck(ctx context.Context, desk *accounts.Desk) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := desk.Recheck(ctx); err != nil && ctx.Err() == nil {
			a.log.Debug().Err(err).Msg("a parked account could not be looked up; soon again")
		}
	}
}

// keepTokens uses refresh tokens that were not used for a week.
func (a *App) keepTokens(ctx context.Context, desk *accounts.Desk) {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		n, err := desk.Keep(ctx)
		if err != nil && ctx.Err() == nil {
			a.log.Warn().Err(err).Msg("idle accounts were not all looked after; it is tried again later")
		}
		if n > 0 {
			a.log.Info().Int("accounts", n).Msg("refresh tokens of idle accounts were used")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
