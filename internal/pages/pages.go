// Package pages puts the pages in front of an engine.
package pages

import (
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/engine"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/trial"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/producer"
)

// New makes the pages of an engine. What they say comes from o, everything that they
// ask from the engine and from client. It does no I/O.
func New(e *engine.Engine, client *producer.Client, o web.Options) (*web.Server, error) {
	parts := e.Options()
	o.OpenRedis = func() (redis.UniversalClient, error) { return redisconn.Clone(parts.Redis) }
	o.Redis, o.ErrorLog, o.Metrics, o.Mails, o.Version, o.Logger = parts.Redis, parts.ErrorLog, e.Metrics(), mails{client}, parts.Version, parts.Logger
	o.Keep, o.MaxConnections = parts.Keep, parts.TenantConnections
	if a := e.Accounts(); a != nil {
		o.States = a.States
	}
	var err error
	if o.Accounts, err = triers(e, parts); err != nil {
		return nil, err
	}
	if e.Accounts() != nil {
		o.Service, o.Approvals = e.Accounts().Service, e.Accounts().Service
	}
	index, err := mailindex.New(mailindex.Options{Redis: parts.Redis, Keep: parts.Keep})
	if err != nil {
		return nil, err
	}
	o.Counts = counts{index}
	if o.MailService, err = mailService(parts, client, index); err != nil {
		return nil, err
	}
	if o.Problems, err = newProblems(e, parts); err != nil {
		return nil, err
	}
	return web.New(o)
}

// triers are who tries accounts for the pages: this process, if it is a worker too;
// else the workers. Nil without accounts.
func triers(e *engine.Engine, parts engine.Options) (web.Accounts, error) {
	switch {
	case e.Accounts() == nil:
		return nil, nil
	case !parts.PagesOnly:
		return e.Accounts(), nil
	}
	return trial.NewClient(trial.ClientOptions{Redis: parts.Redis, Box: e.Box(), Accounts: e.Accounts()})
}
