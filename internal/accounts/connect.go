package accounts

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A Connect is a mailbox that is to be connected with OAuth2.
type Connect struct {
	Who   redisstore.Actor
	Place resolver.Place
	// Settings name the provider. What else they leave open is taken from the stored
	// account, if that has the same provider.
	Settings resolver.OAuth2Settings
	Address  string // of the mailbox; empty: the stored account's, else that of the person who signs in
	// RedirectURL is where the provider sends the browser back to, as it is
	// registered there.
	RedirectURL string
	// Session is the browser session that asks: the redirect must come from the same
	// one. Else somebody could send another person to the sign-in page, and have that
	// person's mailbox. Empty: it is not checked (on the loopback interface).
	Session string
	// Take is given the settings with the refresh token, in place of the store: see
	// Connecting. Nil: they are stored with the account.
	Take func(resolver.OAuth2Settings) error
}

// Connected is a mailbox that was connected.
type Connected struct {
	Place   resolver.Place
	Mailbox string // who has signed in
	// Expected is the account's mailbox if it is another one: somebody may have
	// signed in with the wrong account.
	Expected string
}

// A Connecting is a mailbox that somebody is connecting with this process alone, as a
// command line does it.
type Connecting struct {
	service *Service
	connect Connect
	signIn  *oauth.SignIn
	state   secret.String
	ended   atomic.Bool
}

// Connect prepares a connection. The error is redisstore.ErrForbidden,
// redisstore.ErrLocked, redisstore.ErrNotAccepted, ErrFile, ErrOwn, that no secret can
// be stored, a *rohrpost.FieldError, or wraps failure.ErrSettings.
func (s *Service) Connect(ctx context.Context, c Connect) (*Connecting, error) {
	if err := s.mayTry(ctx, c.Who, c.Place); err != nil {
		return nil, err
	}
	if c.Take == nil { // before somebody signs in for nothing
		store, err := s.Store()
		if err != nil {
			return nil, err
		}
		if err := errors.Join(store.CanStore(), store.MayEnter(ctx, c.Who, c.Place)); err != nil {
			return nil, err
		}
	}
	if err := s.complete(ctx, &c); err != nil {
		return nil, err
	}
	signIn, err := s.signIn(&c, secret.String{})
	if err != nil {
		return nil, err
	}
	return &Connecting{service: s, connect: c, signIn: signIn, state: secret.New(rand.Text())}, nil
}

// signIn is that of a Connect; verifier is zero for a new one.
func (s *Service) signIn(c *Connect, verifier secret.String) (*oauth.SignIn, error) {
	account := (&resolver.Settings{Address: c.Address, OAuth2: &c.Settings}).Account(c.Place.Level(), c.Place.Tenant, c.Place.User)
	account.Trusted = s.file != nil || c.Place.Tenant == ""
	return s.route.SignIn(account, c.RedirectURL, verifier)
}

// URL is the address of the provider's sign-in page.
func (c *Connecting) URL() string { return c.signIn.URL(c.state.Reveal()) }

// Complete is CompleteConnect; it is good once.
func (c *Connecting) Complete(ctx context.Context, r oauth.Redirect) (Connected, error) {
	if !c.state.Equal(secret.New(r.State)) || c.ended.Swap(true) {
		return Connected{}, oauth.ErrNoSignIn
	}
	return c.service.finish(ctx, &c.connect, c.signIn, r)
}

// BeginConnect answers with the address of the provider's sign-in page, which is good
// for ten minutes, once. CompleteConnect of any process takes what comes back. The error
// is that of Connect, ErrTooMany, or one of Redis. Take must be nil.
func (s *Service) BeginConnect(ctx context.Context, c Connect) (url string, err error) {
	begun, err := s.Connect(ctx, c)
	if err != nil {
		return "", err
	}
	state, err := s.signIns.keep(ctx, &begun.connect, begun.signIn.Verifier())
	if err != nil {
		return "", err
	}
	return begun.signIn.URL(state), nil
}

// complete takes from the stored account what a Connect leaves open: nobody who
// connects it again names anything twice.
func (s *Service) complete(ctx context.Context, c *Connect) error {
	record, err := s.Record(ctx, c.Place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown) || err == nil && record.Entry.Account == nil:
		return nil // the mailbox that signs in makes it
	case err != nil:
		return err
	}
	a, _, err := s.Find(ctx, c.Place)
	if err != nil {
		return err
	}
	c.Address = cmp.Or(c.Address, a.Address)
	if a.OAuth2.Provider != c.Settings.Provider {
		return nil
	}
	old, o := record.Entry.Account.OAuth2, &c.Settings
	o.Transport, o.Username = cmp.Or(o.Transport, old.Transport), old.Username
	o.Tenant, o.Cloud, o.Endpoints = cmp.Or(o.Tenant, old.Tenant), cmp.Or(o.Cloud, old.Cloud), cmp.Or(o.Endpoints, old.Endpoints)
	if o.ClientID = cmp.Or(o.ClientID, old.ClientID); o.ClientID != old.ClientID || !o.ClientSecret.IsZero() {
		return nil
	}
	return completeSecret(c, old, record, a)
}

// completeSecret takes the application's secret from the stored account, unless it would
// go elsewhere than where it was entered for.
func completeSecret(c *Connect, old *resolver.OAuth2Settings, record *redisstore.Record, a *resolver.Account) error {
	const key = "oauth2.client_secret"
	o := &c.Settings
	elsewhere := o.Tenant != old.Tenant || o.Cloud != old.Cloud || deref(o.Endpoints) != deref(old.Endpoints)
	switch {
	case a.OAuth2.ClientSecret.IsZero() && !slices.Contains(record.Secrets, key):
	case elsewhere:
		return &rohrpost.FieldError{Field: key, Problem: "must be given again, because the directory, cloud or endpoints it belongs to have changed"}
	case a.Unusable != "":
		return fmt.Errorf("%s: %s: %w", c.Place, a.Unusable, &rohrpost.FieldError{Field: key, Problem: "must be given again"})
	default:
		o.ClientSecret = a.OAuth2.ClientSecret
	}
	return nil
}

func deref(e *resolver.Endpoints) resolver.Endpoints {
	if e == nil {
		return resolver.Endpoints{}
	}
	return *e
}

// CompleteConnect redeems what the browser has brought back, stores it with the account,
// notes that in the account's history, and lets the account log in again. session is the
// browser session, as in Connect.
//
// The error is oauth.ErrNoSignIn, the *failure.Failure of the sign-in, that of
// Connect.Take, or one of the store's. A code is good once: a caller whose browser may
// leave gives a context that does not end with it.
func (s *Service) CompleteConnect(ctx context.Context, session string, r oauth.Redirect) (Connected, error) {
	c, verifier, ok, err := s.signIns.take(ctx, r.State, session)
	if err != nil {
		return Connected{}, err
	}
	if !ok {
		return Connected{}, oauth.ErrNoSignIn
	}
	signIn, err := s.signIn(&c, verifier)
	if err != nil {
		return Connected{}, err
	}
	return s.finish(ctx, &c, signIn, r)
}

// finish redeems the code and stores what it brings.
func (s *Service) finish(ctx context.Context, c *Connect, signIn *oauth.SignIn, r oauth.Redirect) (Connected, error) {
	end := signIn.Finish(ctx, r)
	log := s.log.With().Str("account", c.Place.String()).Str("user", c.Who.Name).Logger()
	if f := end.Failure; f != nil {
		log.Warn().Str("category", f.Category).Str("diagnostic", f.Diagnostic).Msg("account not connected")
		return Connected{}, f
	}
	known := cmp.Or(c.Settings.Username, c.Address)
	out := Connected{Place: c.Place, Mailbox: cmp.Or(end.Mailbox, known)}
	if known != "" && !strings.EqualFold(known, out.Mailbox) {
		out.Expected = known
	}
	c.Settings.RefreshToken, c.Settings.Username = end.RefreshToken, out.Mailbox
	if deref(c.Settings.Endpoints) == (resolver.Endpoints{}) {
		c.Settings.Endpoints = nil // those of the provider
	}
	var err error
	if c.Take != nil {
		err = c.Take(c.Settings)
	} else {
		err = s.storeConnection(ctx, c)
	}
	if err != nil {
		log.Error().Str("error", failure.Scrub(err.Error())).Msg("the connection is not stored")
		return Connected{}, err
	}
	log.Info().Msg("account connected")
	return out, nil
}

// storeConnection puts the connection into the stored account, or makes one.
func (s *Service) storeConnection(ctx context.Context, c *Connect) error {
	r, err := s.store.Get(ctx, c.Place)
	switch {
	case errors.Is(err, redisstore.ErrUnknown):
		r = &redisstore.Record{}
	case err != nil:
		return err
	}
	if r.Entry.Account == nil {
		r.Entry.Account = &resolver.Settings{}
	}
	settings := r.Entry.Account
	settings.Address, settings.OAuth2 = cmp.Or(settings.Address, c.Settings.Username), &c.Settings
	if strings.EqualFold(settings.Address, c.Settings.Username) {
		c.Settings.Username = ""
	}
	if _, err := s.store.Put(ctx, c.Who, c.Place, r.Version, &r.Entry); err != nil {
		return err
	}
	if s.elsewhere {
		return nil // the workers see that the settings are new, and release it
	}
	if err := s.Release(ctx, c.Place); err != nil {
		s.log.Warn().Err(err).Str("account", c.Place.String()).Msg("the account is connected; a worker releases it")
	}
	return nil
}
