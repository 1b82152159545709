package app

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/headroom"
	"github.com/rohrpost/rohrpost/internal/metrics"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/worker"
)

// parts are what both roles use.
type parts struct {
	redis   redis.UniversalClient
	errors  *errorlog.Log
	desk    *accounts.Desk // nil: pages without an accounts file
	metrics *metrics.Metrics
}

func (a *App) newMetrics(rdb redis.UniversalClient, log *errorlog.Log) *metrics.Metrics {
	return metrics.New(metrics.Options{
		Version: a.opts.Version, Queues: queue.NewInspector(rdb), ErrorLog: log, Memory: a.watchMemory(rdb),
	})
}

// watchMemory warns, until Stop, when Redis is nearly full.
func (a *App) watchMemory(rdb redis.UniversalClient) *headroom.Gauge {
	gauge := headroom.New(headroom.Options{Redis: rdb})
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() { gauge.Watch(ctx, a.log) })
	a.onStop("memory watch", func() error { cancel(); watch.Wait(); return nil })
	return gauge
}

// startWorker starts accounts, transport, worker and, if asked for, the listener
// for health and metrics of a process without the web part.
func (a *App) startWorker(ctx context.Context, p parts) error {
	cfg := a.opts.Config
	desk := p.desk
	if cfg.Retry.UncertainPause < cfg.Worker.AttemptTimeout {
		a.log.Warn().Msg("retry.uncertain_pause is shorter than worker.attempt_timeout: a mail whose server answers late may be sent twice")
	}
	senders, err := resolver.New(resolver.Options{Store: desk.Store()})
	if err != nil {
		return err
	}
	p.metrics.Connections(func() int { return desk.Route.Stats().InUse }, func() int { return desk.Route.Stats().Idle })
	w, err := worker.New(worker.Options{
		Redis: p.redis, Resolver: senders, Transport: desk.Route, Gate: desk.Gate, ErrorLog: p.errors, Metrics: p.metrics, Logger: a.log,
		Concurrency: cfg.Worker.Concurrency, Servers: cfg.Worker.Servers, Connections: cfg.Limits.ConnectionsPerAccount,
		TenantConnections: cfg.Accounts.MaxConnections,
		AttemptTimeout:    cfg.Worker.AttemptTimeout, ShutdownTimeout: cfg.Worker.ShutdownTimeout,
		Identities: cfg.Secrets.Identity, Keep: cfg.Ledger.Keep, FailedBytes: int64(cfg.Limits.FailedBytesPerTenant),
		ShowRecipients: cfg.ErrorLog.ShowRecipients,
		Retry: worker.Retry{
			First: cfg.Retry.First, Factor: cfg.Retry.Factor, Jitter: orNone(cfg.Retry.Jitter), Max: cfg.Retry.Max,
			GiveUp: cfg.Retry.GiveUp, Greylist: orNone(cfg.Retry.GreylistMin), Uncertain: orNone(cfg.Retry.UncertainPause),
		},
	})
	if err != nil {
		return err
	}
	p.metrics.InFlight(w.InFlight)
	tuneMemory()
	if cfg.Worker.Addr != "" && !a.opts.Roles.Web {
		for _, w := range cfg.Worker.Warnings(cfg.Web) {
			a.log.Warn().Msg(w)
		}
		probes, err := web.Probes(p.redis, p.metrics.Handler(), cfg.Web.MetricsToken, a.log)
		if err != nil {
			return err
		}
		if err := a.listen("worker.addr", cfg.Worker.Addr, probes); err != nil {
			return err
		}
	}
	if err := w.Start(ctx); err != nil {
		return err
	}
	a.onStop("worker", func() error { w.Stop(); return nil })
	if err := a.startTrials(p); err != nil {
		return err
	}
	a.log.Info().Int("concurrency", cfg.Worker.Concurrency).Msg("worker is running")
	return nil
}

// orNone turns a setting of 0 into what the worker takes for none: to it 0 is the
// default.
func orNone[T float64 | time.Duration](v T) T {
	if v == 0 {
		return -1
	}
	return v
}

// tuneMemory lets the garbage collector run less often than is usual: a worker
// keeps little and throws away much. Above a gigabyte it runs as often as it
// must. GOGC and GOMEMLIMIT win.
func tuneMemory() {
	const percent, softLimit = 400, 1 << 30
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(softLimit)
	}
}
