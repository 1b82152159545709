package notice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/resolver"
)

// lookEvery is how often the states are looked at.
const lookEvery = 5 * time.Second

// Options of a Notifier. Redis, States, Accounts and Send are required.
type Options struct {
	Redis    redis.UniversalClient
	States   func() []*breaker.State // that this process knows
	Accounts resolver.Store          // has the addresses of the administrators
	// Send puts a mail of the platform into the queue. A message whose id is there
	// already is no error; one that is refused is rohrpost.FieldErrors.
	Send func(context.Context, rohrpost.Message) error

	// Operators get what is theirs, beside the platform's administrator. Empty: the
	// administrator alone.
	Operators []string
	// PublicURL is where people reach the pages, as "https://mail.example.com/rohrpost".
	// Empty: a notice says in words where to look.
	PublicURL string
	Language  string         // de, else English
	Zone      *time.Location // of the times in a notice; nil: this machine's
	// Gather is how long an account must not work before that is told; what stops
	// meanwhile is told with it. 0: one minute.
	Gather time.Duration
	Now    func() time.Time // nil: time.Now
	Logger zerolog.Logger   // zero: silent
}

// A Notifier tells administrators which accounts do not work. One goroutine uses it.
type Notifier struct {
	options  Options
	books    store
	backlogs *backlog.Store
	rests    map[string]rest // by account
	warned   map[string]bool // tenants without an address
	behind   []fault         // accounts whose mails wait for a server
	asked    time.Time       // for those
}

// A rest is until when a fault needs no look at the book.
type rest struct{ since, until time.Time }

// Check is what is wrong with the options, all of it, the required ones apart.
func (o *Options) Check() error {
	var errs []error
	for _, address := range o.Operators {
		if err := rohrpost.CheckAddress(address); err != nil {
			errs = append(errs, fmt.Errorf("notices: operator %w", err))
		}
	}
	if o.PublicURL != "" {
		if err := CheckURL(o.PublicURL); err != nil {
			errs = append(errs, fmt.Errorf("notices: the public URL %w", err))
		}
	}
	if o.Gather < 0 {
		errs = append(errs, errors.New("notices: gather must not be negative"))
	}
	return errors.Join(errs...)
}

// New checks the options; it does no I/O.
func New(o Options) (*Notifier, error) {
	if o.Redis == nil || o.States == nil || o.Accounts == nil || o.Send == nil {
		return nil, errors.New("notices: redis, states, accounts and send are required")
	}
	if err := o.Check(); err != nil {
		return nil, err
	}
	o.Gather = cmp.Or(o.Gather, time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	return &Notifier{
		options: o, books: store{o.Redis}, backlogs: backlog.New(o.Redis, nil), rests: map[string]rest{}, warned: map[string]bool{},
	}, nil
}

// Run looks until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	tick := time.NewTicker(min(lookEvery, n.options.Gather))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := n.Look(ctx); err != nil && ctx.Err() == nil {
			n.options.Logger.Warn().Err(err).Msg("not every administrator was told of an account that has stopped; it is tried again")
		}
	}
}

// Look tells what is to be told now. The error is that of Redis, of the accounts or of Send:
// what could not be told is told by a later look.
func (n *Notifier) Look(ctx context.Context) error {
	now := n.options.Now()
	all, err := n.faults(ctx, now)
	n.forget(all)
	errs := []error{err}
	for tenant, list := range all {
		if !slices.ContainsFunc(list, func(f fault) bool { return n.due(now, f) }) {
			continue
		}
		if err := n.tell(ctx, now, tenant, list); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// due reports whether a fault is a reason to look at the book.
func (n *Notifier) due(now time.Time, f fault) bool {
	r, ok := n.rests[f.Account]
	return now.Sub(f.Since) >= n.options.Gather && !(ok && r.since.Equal(f.Since) && now.Before(r.until))
}

// forget drops what is remembered of accounts that work.
func (n *Notifier) forget(all map[string][]fault) {
	if len(n.rests) == 0 {
		return
	}
	stands := map[string]bool{}
	for _, list := range all {
		for _, f := range list {
			stands[f.Account] = true
		}
	}
	for account := range n.rests {
		if !stands[account] {
			delete(n.rests, account)
		}
	}
}

// tell brings a tenant's book up to date, and sends what it says.
func (n *Notifier) tell(ctx context.Context, now time.Time, tenant string, list []fault) error {
	to, err := n.recipients(ctx, tenant)
	if err != nil || len(to) == 0 {
		return err
	}
	var unread error
	b, err := n.books.change(ctx, tenant, func(b *book) bool {
		changed := b.tell(now, n.options.Gather, list)
		if changed && b.Pending != nil {
			unread = n.count(ctx, b.Pending.Faults)
		}
		return changed && unread == nil
	})
	if err = errors.Join(err, unread); err != nil {
		return err
	}
	if b.Pending != nil {
		if err := n.send(ctx, tenant, to, b.Pending); err != nil {
			return err
		}
		id := b.Pending.ID
		if b, err = n.books.change(ctx, tenant, func(b *book) bool { return b.done(id) }); err != nil {
			return err
		}
	}
	if b.Pending == nil { // else it was begun meanwhile: the next look sends it, too
		for _, f := range list {
			n.rests[f.Account] = rest{f.Since, b.rests(now, f)}
		}
	}
	return nil
}

// count fills in how many mails wait.
func (n *Notifier) count(ctx context.Context, list []fault) error {
	accounts := make([]string, len(list))
	for i, f := range list {
		accounts[i] = f.Account
	}
	sizes, err := n.backlogs.Sizes(ctx, accounts...)
	for i, size := range sizes {
		list[i].Waiting = size
	}
	return err
}

// send puts a notice into the queue. One that is refused for good is given up.
func (n *Notifier) send(ctx context.Context, tenant string, to []rohrpost.Address, what *notice) error {
	m := n.message(ctx, tenant, what)
	m.To = to
	err := n.options.Send(ctx, m)
	log := n.options.Logger.With().Str("job_id", what.ID).Str("tenant", tenant).Int("accounts", len(what.Faults)+what.More).Logger()
	stopped := slices.ContainsFunc(what.Faults, func(f fault) bool {
		return f.Account == string(resolver.Platform) && f.Kind != breaker.Settings
	})
	_, refused := errors.AsType[rohrpost.FieldErrors](err)
	switch {
	case refused:
		log.Warn().Err(err).Msg("an administrator is not told that accounts have stopped")
	case err != nil:
		return fmt.Errorf("notice to tenant %q: %w", tenant, err)
	case stopped:
		log.Warn().Msg("the platform's account has stopped: the notice to the operators waits for it, as all of its mails do")
	default:
		log.Info().Msg("an administrator is told that accounts have stopped")
	}
	return nil
}

// recipients are who is told for a tenant. Without one, or without an account of the
// platform to tell it through, that is logged once.
func (n *Notifier) recipients(ctx context.Context, tenant string) ([]rohrpost.Address, error) {
	c, err := n.options.Accounts.Accounts(ctx, tenant, "")
	if err != nil {
		return nil, fmt.Errorf("the administrator of tenant %q: %w", tenant, err)
	}
	addresses, missing := []string{c.TenantAdmin}, "it has no admin_address"
	if tenant == "" {
		addresses, missing = append([]string{c.PlatformAdmin}, n.options.Operators...), "neither notices.operators nor the platform's admin_address names one"
	}
	if c.Platform == nil {
		addresses, missing = nil, "there is no platform account to send through"
	}
	var to []rohrpost.Address
	for _, address := range addresses {
		a := rohrpost.Address{Address: address}
		if address != "" && !slices.Contains(to, a) {
			to = append(to, a)
		}
	}
	if len(to) == 0 && !n.warned[tenant] {
		n.warned[tenant] = true
		n.options.Logger.Warn().Str("tenant", tenant).Msg("accounts have stopped, and nobody is told: " + missing)
	}
	return to, nil
}
