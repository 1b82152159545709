package engine

import (
	"context"
	"errors"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/route"
)

// Accounts are the accounts of a process, and what sends through them.
type Accounts struct {
	*accounts.Service
	breaker *breaker.Breaker
	route   *route.Route
}

// NewAccounts makes the accounts alone. It does no I/O: see Load.
func NewAccounts(o Options) (*Accounts, error) {
	_, _, a, err := assemble(o)
	return a, err
}

// Load reads which accounts are parked.
func (a *Accounts) Load(ctx context.Context) error { return a.breaker.Load(ctx) }

// States are those of accounts and servers that Load has found.
func (a *Accounts) States() []*breaker.State { return a.breaker.States() }

// Close closes the connections to mail servers.
func (a *Accounts) Close() error { return a.route.Close() }

// openAccounts reads which accounts are parked, and keeps the accounts up to date until
// Stop.
func (e *Engine) openAccounts(ctx context.Context) error {
	e.OnStop("connections to mail servers", e.accounts.Close)
	var err error
	if !e.opts.PagesOnly { // else a refused login would be tried again after an update
		err = e.accounts.breaker.Migrate(ctx)
	}
	if err = errors.Join(err, e.accounts.Load(ctx)); err != nil {
		return err
	}
	for _, w := range e.Warnings() {
		e.opts.Logger.Warn().Msg(w)
	}
	running, cancel := context.WithCancel(context.Background())
	e.serving.Go(func() { e.accounts.breaker.Run(running) })
	if !e.opts.PagesOnly { // pages hold no connections
		e.serving.Go(func() { e.accounts.route.Run(running) })
	}
	e.serving.Go(func() { e.accounts.Run(running) })
	e.OnStop("accounts", func() error { cancel(); return nil })
	return nil
}

// Warnings are what the accounts advise against, and what their secrets miss.
// Pages alone know nothing of that: they have neither keys nor files with passwords.
func (e *Engine) Warnings() []string {
	if e.opts.PagesOnly || e.accounts == nil {
		return nil
	}
	warnings := e.accounts.Warnings()
	if e.accounts.Sealed() && e.opts.Seal.Identities.IsZero() {
		warnings = append(warnings, "secrets.identity_file is not set: accounts with OAuth2, and those in Redis that have a secret, cannot send (rohrpost keygen makes a key)")
	}
	return warnings
}

// Reload reads the accounts file again, which happens by itself within a second of a
// change, too. Accounts in Redis are up to date without.
func (e *Engine) Reload() {
	if e.accounts != nil {
		e.accounts.Reload()
	}
}
