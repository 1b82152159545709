package app

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/rohrpost/rohrpost/internal/web"
)

// startWorker takes mails until Stop.
func (a *App) startWorker(ctx context.Context) error {
	cfg := a.opts.Config
	if cfg.Retry.UncertainPause < cfg.Worker.AttemptTimeout {
		a.log.Warn().Msg("retry.uncertain_pause is shorter than worker.attempt_timeout: a mail whose server answers late may be sent twice")
	}
	for _, w := range cfg.Notices.Warnings(cfg.Web) {
		a.log.Warn().Msg(w)
	}
	tuneMemory()
	return a.engine.Work(ctx)
}

// startProbes serves health and metrics of a worker without pages, if asked for.
func (a *App) startProbes() error {
	cfg := a.opts.Config
	if cfg.Worker.Addr == "" {
		return nil
	}
	for _, w := range cfg.Worker.Warnings(cfg.Web) {
		a.log.Warn().Msg(w)
	}
	probes, err := web.Probes(a.redis, a.engine.Metrics(), cfg.Web.MetricsToken, a.log)
	if err != nil {
		return err
	}
	return a.listen("worker.addr", cfg.Worker.Addr, probes)
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
