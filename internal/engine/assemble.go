package engine

import (
	"errors"
	"net/http"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// assemble fills in the options, and makes what seals and the accounts.
// Where one part is wrong, another stands in for it, so that all faults are told.
func assemble(o Options) (Options, *seal.Box, *Accounts, error) {
	o, err := o.withDefaults()
	box, boxErr := seal.New(o.Seal)
	if boxErr != nil {
		box = new(seal.Box)
	}
	a, accountsErr := newAccounts(o, box)
	return o, box, a, errors.Join(err, boxErr, accountsErr)
}

func newAccounts(o Options, box *seal.Box) (*Accounts, error) {
	var err, breakerErr, limitErr error
	a := accounts.Options{
		Redis: o.Redis, File: o.File, Store: o.Stored, Own: o.Store, All: o.All, Elsewhere: o.PagesOnly, Errors: o.ErrorLog, Logger: o.Logger,
	}
	a.Breaker, breakerErr = breaker.New(breaker.Options{Redis: o.Redis, Backlog: backlog.New(o.Redis, nil), Reader: o.PagesOnly, Logger: o.Logger})
	a.Limiter, limitErr = doctor.NewLimiter(doctor.LimiterOptions{Redis: o.Redis})
	a.Route, err = openRoute(o, a.Breaker, box)
	index, indexErr := mailindex.New(mailindex.Options{Redis: o.Redis})
	a.Senders = index
	if err := errors.Join(breakerErr, limitErr, indexErr, err); err != nil || !o.hasAccounts() {
		return nil, err
	}
	service, err := accounts.New(a)
	return &Accounts{Service: service, breaker: a.Breaker, route: a.Route}, err
}

func openRoute(o Options, parked *breaker.Breaker, box *seal.Box) (*route.Route, error) {
	guard, guardErr := netguard.New(o.Guard)
	if guardErr != nil {
		guard = new(netguard.Guard)
	}
	leases, leaseErr := lease.New(lease.Options{Redis: o.Redis, Logger: o.Logger})
	r, err := route.New(route.Options{
		Tokens: func(client *http.Client) (*oauth.Tokens, error) {
			return oauth.New(oauth.Options{Redis: o.Redis, Box: box, HTTPClient: client, Logger: o.Logger})
		},
		Guard: guard, Breaker: parked, Leases: leases,
		Microsoft: o.Microsoft, Google: o.Google,
		HELO: o.HELO, MaxConnections: o.Connections, TenantConnections: o.TenantConnections, Logger: o.Logger,
	})
	return r, errors.Join(guardErr, leaseErr, err)
}
