package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// Roles are what a process does.
type Roles struct{ Worker, Web bool }

// Options of an App.
type Options struct {
	Config  configs.Config
	Roles   Roles
	Version string
	Logger  zerolog.Logger
	// Extra are pages beside those of the web part, by path prefix.
	Extra map[string]http.Handler
}

// An App is one process of rohrpost.
type App struct {
	opts     Options
	log      zerolog.Logger
	cleanups []cleanup
	serving  sync.WaitGroup
	addr     net.Addr
	pages    *web.Server    // nil without the web part
	file     *resolver.File // nil: no accounts file
}

type cleanup struct {
	name string
	run  func() error
}

// New makes a process; it does no I/O.
func New(o Options) (*App, error) {
	if !o.Roles.Worker && !o.Roles.Web {
		return nil, errors.New("app: no role")
	}
	return &App{opts: o, log: o.Logger}, nil
}

// Start starts the parts. When it fails, what was started is stopped again.
func (a *App) Start(ctx context.Context) error {
	if err := a.start(ctx); err != nil {
		return errors.Join(err, a.Stop())
	}
	return nil
}

func (a *App) start(ctx context.Context) error {
	cfg := a.opts.Config
	redisconn.LogTo(zerolog.Nop()) // a Redis that does not answer at the start is the error of Start
	rdb, err := OpenRedis(cfg, "rohrpost", cfg.Worker.Concurrency+10)
	if err != nil {
		return err
	}
	a.onStop("redis", rdb.Close)
	if err := redisconn.Ping(ctx, rdb); err != nil {
		return err
	}
	redisconn.LogTo(a.log)
	for _, w := range append(cfg.ReadableSecrets(), redisconn.Warnings(ctx, rdb)...) {
		a.log.Warn().Msg(w)
	}
	log, err := NewErrorLog(cfg, rdb)
	if err != nil {
		return err
	}
	desk, err := a.startDesk(ctx, rdb)
	if err != nil {
		return err
	}
	p := parts{redis: rdb, errors: log, desk: desk, metrics: a.newMetrics(rdb, log)}
	if a.opts.Roles.Web {
		if err := a.startWeb(p); err != nil {
			return err
		}
	}
	if a.opts.Roles.Worker {
		return a.startWorker(ctx, p)
	}
	return nil
}

// Stop runs the clean-ups, last in, first out.
func (a *App) Stop() error {
	var errs []error
	for _, c := range slices.Backward(a.cleanups) {

		if err := c.run(); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", c.name, err))
		}
		a.log.Debug().Str("part", c.name).Msg("stopped")
	}
	a.cleanups = nil
	a.serving.Wait()
	return errors.Join(errs...)
}

// Addr is where the web part listens; nil without one.
func (a *App) Addr() net.Addr { return a.addr }

func (a *App) onStop(name string, run func() error) {
	a.cleanups = append(a.cleanups, cleanup{name, run})
}

// OpenRedis opens the configured Redis; it does not connect.
func OpenRedis(cfg configs.Config, name string, poolSize int) (redis.UniversalClient, error) {
	return redisconn.Open(redisconn.Options{
		URL: cfg.Redis.URL, Password: cfg.Redis.Password, ClientName: name, PoolSize: poolSize,
	})
}

// NewProducer makes the client package with the configured limits.
func NewProducer(cfg configs.Config, rdb redis.UniversalClient) (*producer.Client, error) {
	recipients, err := cfg.PayloadRecipients()
	if err != nil {
		return nil, err
	}
	l := cfg.Limits
	return producer.New(rdb, producer.Options{
		MaxSize: int64(l.MaxMessageSize), Keep: cfg.Ledger.Keep, Recipients: recipients,
		WaitingMailsPerTenant: int64(l.WaitingMailsPerTenant), WaitingBytesPerTenant: int64(l.WaitingBytesPerTenant),
		NotBeforeMax: l.NotBeforeMax, ExpiresMax: l.ExpiresMax,
	})
}

// NewErrorLog makes the configured error log.
func NewErrorLog(cfg configs.Config, rdb redis.UniversalClient) (*errorlog.Log, error) {
	return errorlog.New(errorlog.Options{
		Redis: rdb, Retention: cfg.ErrorLog.Retention, MaxEntries: int64(cfg.ErrorLog.MaxEntries), MaxBytes: int64(cfg.ErrorLog.MaxBytes),
		ShowRecipients: cfg.ErrorLog.ShowRecipients,
	})
}

// NewLogger makes the process log. The console form is for people and slower.
func NewLogger(cfg configs.Log, out interface{ Write([]byte) (int, error) }) zerolog.Logger {
	level, err := zerolog.ParseLevel(cfg.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if cfg.Format == "console" {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly, NoColor: os.Getenv("NO_COLOR") != ""}
	}
	return zerolog.New(zerolog.SyncWriter(out)).Level(level).With().Timestamp().Logger()
}
