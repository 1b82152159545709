package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/rohrpost/rohrpost/internal/pages"
	"github.com/rohrpost/rohrpost/internal/web"
)

// Link is the address of a page, with what lets a browser in; it is empty where
// nothing is served, or people sign in.
func (a *App) Link(path string) string {
	if a.pages == nil {
		return ""
	}
	return a.pages.Link("http://" + a.addr.String() + a.opts.Config.Web.BasePath + path)
}

// drainTimeout is how long a download may go on after the process was told to
// stop.
const drainTimeout = 10 * time.Second

func (a *App) startWeb() error {
	cfg := a.opts.Config
	proxies, err := cfg.Web.Proxies()
	if err != nil {
		return fmt.Errorf("web.trusted_proxies: %w", err)
	}
	for _, w := range cfg.Web.Warnings() {
		a.log.Warn().Msg(w)
	}
	o := web.Options{
		MetricsToken: cfg.Web.MetricsToken, Users: cfg.Web.Users, Socket: cfg.Web.Socket != "", TrustedProxies: proxies,
		Links: cfg.Web.Links, ForwardAuth: cfg.Web.ForwardAuth, OIDC: cfg.Web.OIDC,
		PublicURL: cfg.Web.PublicURL, BasePath: cfg.Web.BasePath, EmbedOrigins: cfg.Web.EmbedOrigins,
		Language: cfg.ErrorLog.Language, Extra: a.opts.Extra,
	}
	client, err := NewProducer(cfg, a.redis)
	if err != nil {
		return err
	}
	server, err := pages.New(a.engine, client, o)
	if err != nil {
		return err
	}
	a.engine.OnStop("pages", server.Close)
	if o.Socket {
		err = a.listenSocket("web.socket", string(cfg.Web.Socket), server.Handler())
	} else {
		err = a.listen("web.addr", cfg.Web.Addr, server.Handler())
	}
	if err != nil {
		return err
	}
	a.pages = server
	if a.engine.Accounts() == nil {
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
	a.serve(listener, handler)
	return nil
}

// serve answers on a listener until Stop.
func (a *App) serve(listener net.Listener, handler http.Handler) {
	a.addr = listener.Addr()
	server := web.NewHTTPServer(handler, a.log)
	a.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error().Err(err).Msg("the pages are gone")
		}
	})
	a.engine.OnStop("listener", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			return server.Close()
		}
		return nil
	})
	a.log.Info().Stringer("addr", a.addr).Msg("pages are served")
}
