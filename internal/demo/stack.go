package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/app"
	"github.com/rohrpost/rohrpost/internal/redisconn/embedded"
	"github.com/rohrpost/rohrpost/internal/sandbox"
)

// A Stack is everything that a mail needs, in one process: Redis in memory, a
// catch-all mail server, a worker, and the web part.
type Stack struct {
	Config  configs.Config
	Redis   *embedded.Server // nil: a real Redis is used
	Mails   *sandbox.Server
	App     *app.App
	Folder  string // of the accounts file; a temporary one
	started []func()
}

// Options of a Stack.
type Options struct {
	Config   configs.Config // Redis.URL "embedded:": in memory
	SMTPAddr string         // of the catch-all server; "127.0.0.1:0" for any port
	Version  string
	Logger   zerolog.Logger
}

// accounts sends everything to the catch-all server, through an account of each
// level.
const accounts = `platform:
  address: noreply@platform.example
  name: Platform
  admin_address: postmaster@platform.example
  smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}
tenants:
  acme:
    admin_address: it@acme.example
    account:
      address: info@acme.example
      name: ACME GmbH
      reply_to_user: true
      smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}
    users:
      max:
        first_name: Max
        last_name: Muster
        account:
          address: max@acme.example
          smtp: {host: 127.0.0.1, port: %[1]d, encryption: none}
`

// StartStack starts all parts; Stop ends them.
func StartStack(ctx context.Context, o Options) (s *Stack, err error) {
	s = &Stack{Config: o.Config}
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if s.Folder, err = os.MkdirTemp("", "rohrpost-"); err != nil {
		return s, fmt.Errorf("temporary folder: %w", err)
	}
	if s.Config.Redis.URL == "embedded:" {
		if s.Redis, err = embedded.Start(); err != nil {
			return s, err
		}
		s.started = append(s.started, s.Redis.Close)
		s.Config.Redis.URL = s.Redis.URL()
	}
	if s.Mails, err = sandbox.Start(o.SMTPAddr); err != nil {
		return s, err
	}
	s.started = append(s.started, s.Mails.Close)
	file := filepath.Join(s.Folder, "accounts.yaml")
	if err = os.WriteFile(file, fmt.Appendf(nil, accounts, s.Mails.Addr().Port), 0o600); err != nil {
		return s, fmt.Errorf("accounts file: %w", err)
	}
	s.Config.Accounts.File = configs.Path(file)
	s.App, err = app.New(app.Options{
		Config: s.Config, Roles: app.Roles{Worker: true, Web: true}, Version: o.Version, Logger: o.Logger,
		Extra: map[string]http.Handler{"/mails/": s.Mails.Handler()},
	})
	if err != nil {
		return s, err
	}
	if err = s.App.Start(ctx); err != nil {
		return s, err
	}
	s.started = append(s.started, func() { _ = s.App.Stop() })
	return s, nil
}

// Stop ends all parts and removes the accounts file; what the demo wrote stays.
func (s *Stack) Stop() {
	for _, v := range slices.Backward(s.started) {
		v()
	}
	s.started = nil
	if err := os.Remove(filepath.Join(s.Folder, "accounts.yaml")); err == nil || errors.Is(err, os.ErrNotExist) {
		_ = os.Remove(s.Folder) // fails, as it should, when something else is in it
	}
}

// demoConfig is the default configuration with a backoff of seconds.
func demoConfig() configs.Config {
	cfg := configs.Default()
	cfg.Redis.URL = "embedded:"
	cfg.Web.Addr = "127.0.0.1:0"
	cfg.Retry.First = time.Second
	cfg.Retry.Factor = 1.5
	cfg.Retry.Jitter = 0
	cfg.Retry.GreylistMin = time.Second
	cfg.Worker.Concurrency = 4
	return cfg
}
