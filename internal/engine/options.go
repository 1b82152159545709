package engine

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/notice"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Options of an Engine. Redis is required, and one of File, Stored and Store, which
// pages alone may lack.
type Options struct {
	Redis redis.UniversalClient

	File   *resolver.File    // accounts in a file
	Stored *redisstore.Store // accounts in Redis
	Store  resolver.Store    // accounts of an application
	// All goes through the accounts of Store. Nil: refresh tokens that no mail uses
	// are not renewed.
	All func(context.Context) iter.Seq2[*resolver.Account, error]
	// PagesOnly says that other processes are the workers.
	PagesOnly bool

	ErrorLog *errorlog.Log // nil: one with the defaults
	Version  string        // of the program, for its metrics
	Logger   zerolog.Logger

	Concurrency       int
	Servers           int
	Connections       int
	TenantConnections int
	Retry             delivery.Retry
	AttemptTimeout    time.Duration
	ShutdownTimeout   time.Duration
	Keep              time.Duration
	FailedBytes       int64
	ShowRecipients    bool
	Outgoing          outgoing.Options

	HELO              string
	Seal              seal.Options // of tokens and of accounts in Redis; its identities open mails, too
	Guard             netguard.Options
	Microsoft, Google route.Application

	// Notices are what notice.New wants and the engine does not have: Send, and how
	// notices look. Without Send nobody is told of accounts that stop.
	Notices notice.Options
}

// delivery are the options of the pool, without its parts.
func (o *Options) delivery() delivery.Options {
	return delivery.Options{
		Redis: o.Redis, Logger: o.Logger,
		Concurrency: o.Concurrency, Servers: o.Servers, Connections: o.Connections, TenantConnections: o.TenantConnections,
		AttemptTimeout: o.AttemptTimeout, ShutdownTimeout: o.ShutdownTimeout, Retry: o.Retry,
		Identities: o.Seal.Identities, Keep: o.Keep, FailedBytes: o.FailedBytes, ShowRecipients: o.ShowRecipients,
		Outgoing: o.Outgoing,
	}
}

// hasAccounts reports whether there is a place with accounts.
func (o *Options) hasAccounts() bool { return o.File != nil || o.Stored != nil || o.Store != nil }

// withDefaults fills in the error log. It tells what is missing, and what the pool
// does not take; of the keys seal.New tells.
func (o Options) withDefaults() (Options, error) {
	var errs []error
	if !o.hasAccounts() && !o.PagesOnly {
		errs = append(errs, errors.New("a store of accounts is required"))
	}
	if o.Redis == nil {
		errs = append(errs, errors.New("a Redis client is required"))
		// It stands in, never connected, so that the parts can tell their faults, too.
		o.Redis, _ = redisconn.Open(redisconn.Options{})
	}
	if o.ErrorLog == nil {
		var err error
		o.ErrorLog, err = errorlog.New(errorlog.Options{Redis: o.Redis, ShowRecipients: o.ShowRecipients})
		errs = append(errs, err)
	}
	o.Guard.Logger = o.Logger
	pool := o.delivery()
	pool.Identities = resolver.Secret{}
	return o, errors.Join(append(errs, pool.Check(), o.Notices.Check())...)
}
