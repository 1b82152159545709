package accounts

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// ErrFile says that accounts cannot be edited because they stand in a file.
var ErrFile = errors.New("the accounts stand in a file: edit that, or keep them in Redis (accounts.store: redis)")

// Options of a Desk. One of File and Book is set; the rest is required.
type Options struct {
	File    *resolver.File    // accounts in a file
	Book    *redisstore.Store // accounts in Redis
	Route   *route.Route
	Gate    *gate.Gate
	Errors  ErrorLog
	Limiter *doctor.Limiter
	HELO    string // of the Message-ID of test mails
	// Elsewhere says that other processes use the accounts, and hold what opens
	// their secrets.
	Elsewhere bool
	Now       func() time.Time // nil: time.Now
}

// A Desk manages accounts. It is safe for concurrent use.
type Desk struct {
	Options
	resolver *resolver.Resolver
}

// New checks the options. It does no I/O.
func New(o Options) (*Desk, error) {
	if (o.File == nil) == (o.Book == nil) || o.Route == nil || o.Gate == nil || o.Errors == nil || o.Limiter == nil {
		return nil, errors.New("accounts: file or book, route, gate, error log and limiter are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Desk{Options: o}
	seen := d.Store()
	if d.Elsewhere {
		seen = asWorkers{seen}
	}
	var err error
	d.resolver, err = resolver.New(resolver.Options{Store: seen})
	return d, err
}

// Store is where workers look accounts up.
func (d *Desk) Store() resolver.Store {
	if d.File != nil {
		return d.File
	}
	return d.Book
}

// Editable is the book; ErrFile without one.
func (d *Desk) Editable() (*redisstore.Store, error) {
	if d.Book == nil {
		return nil, ErrFile
	}
	return d.Book, nil
}

// An Item is one account of a list.
type Item struct {
	Place     resolver.Place     `json:"place"`
	ID        string             `json:"id"`
	State     string             `json:"state"`
	Address   string             `json:"address"`
	Transport resolver.Transport `json:"transport"`
	Host      string             `json:"host"`
	Version   int64              `json:"version,omitempty"`  // in Redis
	Default   bool               `json:"switched_off"`       // use_platform_default
	Parked    string             `json:"parked,omitempty"`   // category of the refused login
	Unusable  string             `json:"unusable,omitempty"` // why it cannot send
	Warnings  []string           `json:"warnings,omitempty"`
}

// List goes through all accounts, or those of one tenant.
func (d *Desk) List(ctx context.Context, tenant string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if d.File != nil {
			for _, a := range d.File.All() {
				if (tenant == "" || a.Tenant == tenant) && !yield(d.item(a, 0), nil) {
					return
				}
			}
			return
		}
		records := d.Book.All(ctx)
		if tenant != "" {
			records = d.Book.Of(ctx, tenant)
		}
		for r, err := range records {
			if err != nil {
				yield(Item{}, err)
				return
			}
			if r.Account == nil {
				continue
			}
			item := d.item(r.Account, r.Version)
			item.Warnings = append(item.Warnings, RecordWarnings(r)...)
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (d *Desk) item(a *resolver.Account, version int64) Item {
	i := Item{
		Place: resolver.Place{Tenant: a.Tenant, User: a.User}, ID: a.ID(), State: a.State.String(), Address: a.Address,
		Transport: a.Transport(), Host: a.Host(), Version: version, Default: a.UsePlatformDefault, Unusable: a.Unusable, Warnings: a.Warnings(),
	}
	if n := d.parked(a); n != nil && a.State == resolver.Active {
		i.State, i.Parked = string(resolver.Parked), n.Category
	}
	return i
}

// Item is the account at a place as in List, without its version. The error is
// redisstore.ErrUnknown if there is none.
func (d *Desk) Item(ctx context.Context, p resolver.Place) (Item, error) {
	a, _, err := d.Find(ctx, p)
	if err != nil {
		return Item{}, err
	}
	return d.item(a, 0), nil
}

// parked is the notice of an account whose settings were refused. Where secrets
// cannot be read, nobody can tell today's settings from those that were refused:
// workers do, and release the account when they differ.
func (d *Desk) parked(a *resolver.Account) *gate.Notice {
	if d.Elsewhere {
		for _, n := range d.Gate.Notices() {
			if n.Kind == gate.Parked && n.Subject == a.ID() {
				return n
			}
		}
		return nil
	}
	return d.Gate.Parked(a.ID(), a.Fingerprint)
}

// Find is the account that is stored at a place, and what belongs to it. The
// error is redisstore.ErrUnknown if there is none.
func (d *Desk) Find(ctx context.Context, p resolver.Place) (*resolver.Account, resolver.Candidates, error) {
	c, err := d.Store().Accounts(ctx, p.Tenant, p.User)
	if err != nil {
		return nil, c, err
	}
	a := map[resolver.Level]*resolver.Account{resolver.Platform: c.Platform, resolver.Tenant: c.Tenant, resolver.User: c.User}[p.Level()]
	if a == nil {
		return nil, c, fmt.Errorf("%s: %w", p, redisstore.ErrUnknown)
	}
	return a, c, nil
}

// Delete removes what is stored at a place, and the tokens that came of it.
// version is that of the record as it was seen.
func (d *Desk) Delete(ctx context.Context, who redisstore.Actor, p resolver.Place, version int64) error {
	book, err := d.Editable()
	if err != nil {
		return err
	}
	r, err := book.Get(ctx, p)
	if err != nil {
		return err
	}
	if err := book.Delete(ctx, who, p, version); err != nil || r.Account == nil {
		return err
	}
	return errors.Join(d.Release(ctx, p), d.Route.Forget(ctx, r.Account))
}

// Release lets a parked account log in again.
func (d *Desk) Release(ctx context.Context, p resolver.Place) error {
	return d.Gate.Release(ctx, p.String())
}
