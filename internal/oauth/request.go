package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/oauth2/jwt"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
)

const (
	defaultTimeout  = 20 * time.Second
	defaultLifetime = 10 * time.Minute // where expires_in is missing (RFC 6749 §5.1)
	maxLifetime     = 48 * time.Hour   // Microsoft with continuous access evaluation: 28 h
)

// A requester asks token endpoints. It follows no redirect, and waits no longer
// than its timeout; the library reads at most 1 MiB of an answer.
type requester struct {
	client  http.Client
	timeout time.Duration
}

func newRequester(client *http.Client, timeout time.Duration) requester {
	if client == nil {
		client = &http.Client{}
	}
	r := requester{client: *client, timeout: cmp.Or(timeout, defaultTimeout)}
	r.client.Timeout = 0 // ask has its own
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if r.client.Transport == nil {
		r.client.Transport = http.DefaultTransport
	}
	return r
}

// granted is the answer of a token endpoint (RFC 6749 §5.1).
type granted struct {
	access, refresh secret.String // refresh: the one asked with if no other was given
	lifetime        time.Duration
	idToken         secret.String
	scope           string
}

// token asks for an access token by the credentials' grant. refresh is the
// refresh token, for Delegated.
func (r *requester) token(ctx context.Context, c Credentials, refresh secret.String) (granted, *failure.Failure) {
	return r.ask(ctx, c, []secret.String{refresh}, func(ctx context.Context) (*oauth2.Token, error) {
		if c.grant() == ServiceAccount {
			account, err := c.serviceAccount()
			if err != nil {
				return nil, err
			}
			conf := jwt.Config{
				Email: account.Email, PrivateKey: []byte(account.Key), PrivateKeyID: account.KeyID,
				Subject: c.Subject, Scopes: []string{c.scope()}, TokenURL: c.endpoint().TokenURL,
			}
			return conf.TokenSource(ctx).Token()
		}
		conf := clientcredentials.Config{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(),
			TokenURL: c.endpoint().TokenURL, AuthStyle: c.endpoint().AuthStyle, Scopes: []string{c.scope()},
		}
		if c.grant() == Delegated {
			// Not by oauth2.Config, which cannot name a scope when it refreshes:
			// Microsoft would choose the resource.
			conf.EndpointParams = url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh.Reveal()}}
			conf.Scopes = append(conf.Scopes, "offline_access")
			if c.Provider == Google {
				conf.Scopes = nil // it refuses a scope that was granted as part of a wider one
			}
		}
		return conf.Token(ctx)
	})
}

// code redeems an authorization code.
func (r *requester) code(ctx context.Context, c Credentials, redirectURL string, code, verifier secret.String) (granted, *failure.Failure) {
	return r.ask(ctx, c, []secret.String{code, verifier}, func(ctx context.Context) (*oauth2.Token, error) {
		conf := c.config(redirectURL)
		return conf.Exchange(ctx, code.Reveal(), oauth2.VerifierOption(verifier.Reveal()))
	})
}

func (c Credentials) config(redirectURL string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret.Reveal(),
		Endpoint: c.endpoint(), RedirectURL: redirectURL, Scopes: c.consentScopes(),
	}
}

// ask makes one request. secrets are in it, beside those of the credentials.
func (r *requester) ask(ctx context.Context, c Credentials, secrets []secret.String, request func(context.Context) (*oauth2.Token, error)) (granted, *failure.Failure) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	line := &line{next: r.client.Transport, bind: func(req *http.Request) *http.Request { return req.WithContext(ctx) }}
	client := r.client
	client.Transport = line
	t, err := request(context.WithValue(ctx, oauth2.HTTPClient, &client))
	if err != nil {
		cause := line.cause(ctx, err)
		if !c.Connected() {
			cause.Session.Login = failure.LoginApp
		}
		cause.Conceal = conceal.New(append(secrets, c.ClientSecret, c.RefreshToken)...).Text
		return granted{}, failure.Classify(cause)
	}
	if t.AccessToken == "" || !printable(t.AccessToken) || !printable(t.RefreshToken) {
		return granted{}, failure.Classify(line.noToken())
	}
	g := granted{access: secret.New(t.AccessToken), refresh: secret.New(t.RefreshToken), lifetime: defaultLifetime}
	if !t.Expiry.IsZero() {
		g.lifetime = min(max(0, time.Until(t.Expiry)), maxLifetime)
	}
	idToken, _ := t.Extra("id_token").(string)
	g.idToken = secret.New(idToken)
	g.scope, _ = t.Extra("scope").(string)
	return g, nil
}

// printable holds what goes into a header or an SMTP command to what a token may
// consist of (RFC 6749 appendix A.12).
func printable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' })
}

// A line makes up for two things of the library: its JWT request heeds no
// context, and it wraps no error of the network.
type line struct {
	next   http.RoundTripper
	bind   func(*http.Request) *http.Request // to the context
	status int
	err    error
}

// RoundTrip is that of the client, looked at.
func (l *line) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.next.RoundTrip(l.bind(req))
	if err != nil {
		l.err = fmt.Errorf("%s: %w", req.URL.Host, err)
		return nil, err
	}
	l.status = resp.StatusCode
	resp.Body = &watched{ReadCloser: resp.Body, line: l, host: req.URL.Host}
	return resp, nil
}

type watched struct {
	io.ReadCloser
	line *line
	host string
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.line.err = fmt.Errorf("%s: %w", w.host, err)
	}
	return n, err
}

// cause is what an error of the library stands for.
func (l *line) cause(ctx context.Context, err error) failure.Cause {
	refusal, refused := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case refused:
		return refusedBy(refusal)
	case l.err != nil:
		return failure.Cause{Stage: failure.StageToken, Err: l.err}
	case l.status != 0:
		return l.noToken()
	case ctx.Err() != nil:
		return failure.Cause{Stage: failure.StageToken, Err: ctx.Err()}
	}
	// No request could be made of the credentials: a key that is none.
	return failure.Cause{Stage: failure.StageToken, Err: fmt.Errorf("%w: no token request can be made of them", failure.ErrSettings)}
}

func (l *line) noToken() failure.Cause {
	return failure.Cause{Stage: failure.StageToken, Reply: failure.Reply{
		Code: l.status, Lines: []string{"the answer of the token endpoint holds no token"},
	}}
}
