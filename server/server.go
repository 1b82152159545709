package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/pages"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/worker"
)

// Options of a Server. Those of the worker are required; the zero value of every other
// option is its default.
type Options struct {
	Worker worker.Options
	// Mails is through which the pages cancel, retry and reschedule, and through which
	// Worker.Notices leave. Nil: a client with the defaults.
	Mails *producer.Client
	// Addr is where Run listens, as "127.0.0.1:8080"; there is no TLS. Empty: nowhere,
	// the application serves Handler.
	Addr string
	// Users may sign in, with name and password. None: whoever opens the Link is the operator.
	Users []configs.User
	// Links are the applications that bring their people by signed links, which package
	// producer/adminlink makes; the one that embeds this may be one of them.
	Links []configs.Link
	// ForwardAuth is a proxy, one of TrustedProxies, that names users in a header. The
	// zero value is none.
	ForwardAuth configs.ForwardAuth
	// OIDC is where operators sign in; it needs PublicURL. The zero value is nowhere.
	OIDC configs.OIDC
	// PublicURL is where people reach the pages, with BasePath, as
	// "https://crm.example/mail". Empty: it is not known.
	PublicURL string
	// BasePath is the path below which the pages stand, as "/mail". Handler expects
	// requests with it.
	BasePath string
	// EmbedOrigins are the sites that may show the pages in a frame, over TLS, as
	// "https://crm.example".
	EmbedOrigins []string
	// TrustedProxies are believed what they write into X-Forwarded-For.
	TrustedProxies []netip.Prefix
	// MetricsToken opens /metrics, as a Bearer token. Empty: operators alone read it.
	MetricsToken rohrpost.Secret
	// Language of the pages for a browser that names no known one: de or en. Empty: en.
	Language string
}

// drainTimeout is how long a download may go on after Run was told to end.
const drainTimeout = 10 * time.Second

// A Server is a worker and the pages for its operators. It runs once.
type Server struct {
	options Options
	worker  *worker.Worker
	pages   *web.Server
	closed  func() error // of the pages, once
}

// New checks the options and makes a server. It does no I/O; the error tells all that
// is wrong with the options, a line each.
func New(o Options) (*Server, error) {
	s := &Server{options: o}
	w, err := worker.New(s.noticing())
	settings := configs.Default()
	settings.Web = o.settings()
	if err := errors.Join(err, settings.Validate()); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	if o.Mails == nil {
		if o.Mails, err = producer.New(o.Worker.Redis, producer.Options{Keep: o.Worker.Keep}); err != nil {
			return nil, fmt.Errorf("server: %w", err)
		}
	}
	s.worker, s.options.Mails = w, o.Mails
	s.pages, err = pages.New(engine.Of(w), o.Mails, web.Options{
		Users: o.Users, TrustedProxies: o.TrustedProxies, MetricsToken: o.MetricsToken, Language: o.Language,
		Links: o.Links, ForwardAuth: settings.Web.ForwardAuth, OIDC: o.OIDC,
		PublicURL: o.PublicURL, BasePath: o.BasePath, EmbedOrigins: o.EmbedOrigins,
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.closed = sync.OnceValue(s.pages.Close)
	return s, nil
}

// settings are the options as the configuration of rohrpost has them, to be checked.
func (o *Options) settings() configs.Web {
	w := configs.Default().Web
	w.Addr = cmp.Or(o.Addr, w.Addr)
	w.Users, w.Links, w.OIDC, w.MetricsToken = o.Users, o.Links, o.OIDC, o.MetricsToken
	w.PublicURL, w.BasePath, w.EmbedOrigins = o.PublicURL, o.BasePath, o.EmbedOrigins
	secretHeader := w.ForwardAuth.SecretHeader
	w.ForwardAuth = o.ForwardAuth
	w.ForwardAuth.SecretHeader = cmp.Or(w.ForwardAuth.SecretHeader, secretHeader)
	for _, proxy := range o.TrustedProxies {
		w.TrustedProxies = append(w.TrustedProxies, proxy.String())
	}
	return w
}

// noticing are the options of the worker, which tells administrators of accounts that
// stop through the mails of the server.
func (s *Server) noticing() worker.Options {
	o := s.options.Worker
	if o.Notices.Send == nil {
		o.Notices.Send = func(ctx context.Context, m rohrpost.Message) error {
			_, err := s.options.Mails.Send(ctx, m)
			if errors.Is(err, producer.ErrConflict) {
				return nil // another worker was faster, and has counted other mails
			}
			return err
		}
	}
	o.Notices.Language = cmp.Or(o.Notices.Language, s.options.Language)
	o.Notices.PublicURL = cmp.Or(o.Notices.PublicURL, s.options.PublicURL)
	return o
}

// Handler serves the pages; it expects the whole path of a request, from the root on.
func (s *Server) Handler() http.Handler { return s.pages.Handler() }

// Link is the address of a page that lets a browser in, as long as this server lives.
// page is where the pages are reached, as "http://127.0.0.1:8080/problems". It is empty
// where people sign in.
func (s *Server) Link(page string) string { return s.pages.Link(page) }

// Run sends mails, and listens at Addr, until ctx ends or Close is called; see
// worker.Worker.Run. The pages are there until the last mail is done.
func (s *Server) Run(ctx context.Context) error {
	return engine.Of(s.worker).Run(ctx, s.listen)
}

// Close ends Run, waits for it, and frees what New has made. It may be called again.
func (s *Server) Close() error {
	return errors.Join(s.worker.Close(), s.closed())
}

// listen serves the pages at Addr until the worker has stopped.
func (s *Server) listen() error {
	if s.options.Addr == "" {
		return nil
	}
	listener, err := net.Listen("tcp", s.options.Addr)
	if err != nil {
		return fmt.Errorf("server: %w (choose another address, or end what listens there)", err)
	}
	log := s.options.Worker.Logger
	served := web.NewHTTPServer(s.Handler(), log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := served.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error().Err(err).Msg("the pages are gone")
		}
	}()
	engine.Of(s.worker).OnStop("listener", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		err := served.Shutdown(ctx)
		if err != nil {
			err = served.Close()
		}
		<-done
		return err
	})
	log.Info().Stringer("addr", listener.Addr()).Msg("pages are served")
	return nil
}
