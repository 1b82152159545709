package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"github.com/rohrpost/rohrpost/internal/secret"
)

// Why nobody was signed in. The text of the error names the cause for the log.
var (
	ErrUnreachable = errors.New("the provider or Redis does not answer as it should")
	ErrState       = errors.New("the sign-in did not begin here, has ended, or took longer than ten minutes")
	ErrRefused     = errors.New("the provider's answer is not valid")
	ErrUnverified  = errors.New("the provider does not say that it has verified an address")
)

const (
	// patience is how long the provider may take to answer a request.
	patience = 10 * time.Second
	// redisPatience is the same for Redis.
	redisPatience = 2 * time.Second
)

// Options of a Provider. All but ClientSecret and Client are required.
type Options struct {
	Issuer       string // its URL
	ClientID     string
	ClientSecret secret.String
	RedirectURL  string // where it sends browsers back to, as it is registered there
	Redis        redis.UniversalClient
	Client       *http.Client // nil: one that waits ten seconds
}

// A Provider signs people in.
type Provider struct {
	options Options
	found   atomic.Pointer[oidc.Provider] // what it has said of itself; nil until it is needed
}

// New makes a provider. It does no I/O.
func New(o Options) *Provider {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: patience}
	}
	return &Provider{options: o}
}

// An Identity is who has signed in.
type Identity struct {
	Email string // verified
	Name  string // may be empty
	Next  string // what Begin was given
}

// Begin answers with where to send the browser, and the ticket by which it is known when
// it comes back: the caller keeps it in a cookie that no script reads, for ten minutes.
// next is for the caller; more than 2 KiB of it is dropped. Nothing is kept here.
func (p *Provider) Begin(ctx context.Context, next string) (address, ticket string, err error) {
	config, _, err := p.config(ctx)
	if err != nil {
		return "", "", err
	}
	t := newTicket(next)
	return config.AuthCodeURL(t.state(), oidc.Nonce(t.nonce()), oauth2.S256ChallengeOption(t.verifier())), t.String(), nil
}

// Complete says who has signed in, from the browser's ticket and what came back. The error
// is one of this package. A ticket is good once.
func (p *Provider) Complete(ctx context.Context, ticket, state, code string) (Identity, error) {
	begun, _ := parseTicket(ticket)
	if !Began(ticket, state) {
		return Identity{}, ErrState
	}
	who, err := p.identify(ctx, begun, code)
	if err == nil {
		err = p.use(ctx, state)
	}
	if err != nil {
		return Identity{}, err
	}
	return who, nil
}

// identify asks the provider whose code it is.
func (p *Provider) identify(ctx context.Context, begun ticket, code string) (Identity, error) {
	config, verifier, err := p.config(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.options.Client)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(begun.verifier()))
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return Identity{}, fmt.Errorf("%w: the token endpoint answers %d %s", ErrRefused, refused.Response.StatusCode, refused.ErrorCode)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := verifier.Verify(ctx, raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(begun.nonce())) != 1 {
		return Identity{}, fmt.Errorf("%w: another nonce", ErrRefused)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Name     string `json:"name"`
	}
	if err := signed.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if claims.Email == "" || !claims.Verified {
		return Identity{}, ErrUnverified
	}
	return Identity{claims.Email, claims.Name, begun.next}, nil
}

// use notes that a sign-in was completed, which it may be once. Only whom the provider has
// signed in leaves something in Redis.
func (p *Provider) use(ctx context.Context, state string) error {
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	first, err := p.options.Redis.SetNX(ctx, usedKey(state), 1, usedFor).Result()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case !first:
		return ErrState
	}
	return nil
}

// config is the client's, after the provider has said where its endpoints are.
func (p *Provider) config(ctx context.Context) (oauth2.Config, *oidc.IDTokenVerifier, error) {
	found := p.found.Load()
	if found == nil {
		var err error
		if found, err = oidc.NewProvider(oidc.ClientContext(ctx, p.options.Client), p.options.Issuer); err != nil {
			return oauth2.Config{}, nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		p.found.Store(found)
	}
	return oauth2.Config{
		ClientID: p.options.ClientID, ClientSecret: p.options.ClientSecret.Reveal(), RedirectURL: p.options.RedirectURL,
		Endpoint: found.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, found.Verifier(&oidc.Config{ClientID: p.options.ClientID}), nil
}
