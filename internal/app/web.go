package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
)

// drainTimeout is how long a download may go on after the process was told to
// stop.
const drainTimeout = 10 * time.Second

func (a *App) startWeb(p parts) error {
	cfg := a.opts.Config
	o := web.Options{
		OpenRedis: func() (redis.UniversalClient, error) { return OpenRedis(cfg, "rohrpost-asynqmon", 0) },
		Redis:     p.redis, ErrorLog: p.errors, Metrics: p.metrics.Handler(), Users: cfg.Web.Users,
		Language: cfg.ErrorLog.Language, Version: a.opts.Version, Logger: a.log, Extra: a.opts.Extra,
	}
	client, err := producer.New(p.redis, producer.Options{Keep: cfg.Ledger.Keep})
	if err != nil {
		return err
	}
	o.Mails = mails{client}
	if o.Accounts, err = a.triers(p); err != nil {
		return err
	}
	server, err := web.New(o)
	if err != nil {
		return err
	}
	a.onStop("pages", server.Close)
	if err := a.listen("web.addr", cfg.Web.Addr, server.Handler()); err != nil {
		return err
	}
	if p.desk == nil {
		a.log.Warn().Msg("there is no accounts file: accounts can be neither tried nor explained here")
	}
	return nil
}

// listen serves a handler until Stop. key is the setting that holds the address.
func (a *App) listen(key, addr string, handler http.Handler) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s: %w (choose another address, or end what listens there)", key, err)
	}
	a.addr = listener.Addr()
	server := web.NewHTTPServer(handler, a.log)
	a.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error().Err(err).Msg("the pages are gone")
		}
	})
	a.onStop("listener", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			return server.Close()
		}
		return nil
	})
	a.log.Info().Stringer("addr", a.addr).Msg("pages are served")
	return nil
}
