package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
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
	opts    Options
	log     zerolog.Logger
	serving sync.WaitGroup
	addr    net.Addr
	pages   *web.Server // nil without the web part
	redis   redis.UniversalClient
	engine  *engine.Engine
}

// New makes a process; it does no I/O.
func New(o Options) (*App, error) {
	if !o.Roles.Worker && !o.Roles.Web {
		return nil, errors.New("app: no role")
	}
	return &App{opts: o, log: o.Logger}, nil
}

// Start starts the parts. When it fails, what was started is stopped again. A ctx that
// ends meanwhile is no failure: Stop stops what was started.
func (a *App) Start(ctx context.Context) error {
	err := a.start(ctx)
	if err == nil || ctx.Err() != nil {
		return nil
	}
	return errors.Join(err, a.Stop())
}

func (a *App) start(ctx context.Context) error {
	cfg := a.opts.Config
	redisconn.LogTo(zerolog.Nop()) // a Redis that does not answer at the start is the error of Start
	rdb, err := OpenRedis(cfg, "rohrpost", cfg.Worker.Concurrency+10)
	if err != nil {
		return err
	}
	a.redis = rdb
	if a.engine, err = a.newEngine(); err != nil {
		return err
	}
	if err := a.engine.Open(ctx); err != nil {
		return err
	}
	redisconn.LogTo(a.log)
	for _, w := range cfg.ReadableSecrets() {
		a.log.Warn().Msg(w)
	}
	if a.opts.Roles.Web {
		err = a.startWeb()
	} else {
		err = a.startProbes()
	}
	if err != nil || !a.opts.Roles.Worker {
		return err
	}
	return a.startWorker(ctx)
}

// Stop stops the parts, last in, first out.
func (a *App) Stop() error {
	var errs []error
	if a.engine != nil {
		errs = append(errs, a.engine.Stop())
	}
	a.serving.Wait()
	if a.redis != nil {
		errs = append(errs, a.redis.Close())
	}
	return errors.Join(errs...)
}

// Addr is where the web part listens; nil without one.
func (a *App) Addr() net.Addr { return a.addr }

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
		MaxSize: int64(l.MaxMessageSize), Keep: cfg.Ledger.Keep, KeepSubject: cfg.Ledger.KeepSubject, Recipients: recipients,
		WaitingMailsPerTenant: int64(l.WaitingMailsPerTenant), WaitingBytesPerTenant: int64(l.WaitingBytesPerTenant),
		NotBeforeMax: l.NotBeforeMax, ExpiresMax: l.ExpiresMax,
		MessageIDDomain: cfg.Messages.IDDomain, RequireUnsubscribe: cfg.Messages.RequireUnsubscribe,
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
