package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
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

// pending is a sign-in that has begun.
type pending struct {
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"`
}

// An Identity is who has signed in.
type Identity struct {
	Email string // verified
	Name  string // may be empty
	Next  string // what Begin was given
}

// Begin answers with where to send the browser, and the state by which it is known when
// it comes back: the caller keeps it in a cookie. next is for the caller.
func (p *Provider) Begin(ctx context.Context, next string) (address, state string, err error) {
	config, _, err := p.config(ctx)
	if err != nil {
		return "", "", err
	}
	state = rand.Text()
	begun := pending{Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: next}
	value, err := json.Marshal(begun)
	if err != nil {
		return "", "", fmt.Errorf("oidc: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	if err := p.options.Redis.Set(ctx, pendingKey(state), value, pendingFor).Err(); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return config.AuthCodeURL(state, oidc.Nonce(begun.Nonce), oauth2.S256ChallengeOption(begun.Verifier)), state, nil
}

// Complete says who has signed in, from what came back. The error is one of this
// package. A state is good once.
func (p *Provider) Complete(ctx context.Context, state, code string) (Identity, error) {
	begun, err := p.take(ctx, state)
	if err != nil {
		return Identity{}, err
	}
	config, verifier, err := p.config(ctx)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.options.Client)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(begun.Verifier))
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
	if subtle.ConstantTimeCompare([]byte(signed.Nonce), []byte(begun.Nonce)) != 1 {
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
	return Identity{claims.Email, claims.Name, begun.Next}, nil
}

// take ends what Begin has kept.
func (p *Provider) take(ctx context.Context, state string) (pending, error) {
	ctx, cancel := context.WithTimeout(ctx, redisPatience)
	defer cancel()
	value, err := p.options.Redis.GetDel(ctx, pendingKey(state)).Bytes()
	if errors.Is(err, redis.Nil) {
		return pending{}, ErrState
	}
	var begun pending
	if err == nil {
		err = json.Unmarshal(value, &begun)
	}
	if err != nil {
		return pending{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return begun, nil
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
