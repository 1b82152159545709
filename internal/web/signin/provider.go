package signin

import (
	"errors"
	"net/http"
	"time"

	"github.com/rohrpost/rohrpost/internal/oidc"
	"github.com/rohrpost/rohrpost/internal/session"
)

const (
	// ticketCookie is a sign-in at a provider that has begun.
	ticketCookie = "rohrpost-oidc"
	ticketLife   = 10 * time.Minute
)

// ErrNoOperator says that the provider has signed in somebody who is no operator.
var ErrNoOperator = errors.New("web.oidc.operators does not have the address")

// BeginOIDC answers with where to send the browser to sign in. next is the page to show
// afterwards. The error is of package oidc.
func (l *Login) BeginOIDC(w http.ResponseWriter, r *http.Request, next string) (address string, err error) {
	address, ticket, err := l.oidc.Begin(r.Context(), next)
	if err != nil {
		l.options.Logger.Warn().Err(err).Msg("web: no sign-in at the provider")
		return "", err
	}
	l.options.Cookies.Set(w, r, ticketCookie, ticket, ticketLife)
	return address, nil
}

// CompleteOIDC signs in whoever comes back from the provider, and says which page they
// wanted. The error is of package oidc, ErrNoOperator or ErrUnavailable.
func (l *Login) CompleteOIDC(w http.ResponseWriter, r *http.Request) (next string, err error) {
	query := r.URL.Query()
	ticket, state := l.options.Cookies.Get(r, ticketCookie), query.Get("state")
	if !oidc.Began(ticket, state) {
		return "", oidc.ErrState
	}
	l.options.Cookies.Set(w, r, ticketCookie, "", gone)
	if query.Get("code") == "" {
		return "", oidc.ErrRefused
	}
	who, err := l.oidc.Complete(r.Context(), ticket, state, query.Get("code"))
	if err == nil && !l.isOperator(who.Email) {
		err = ErrNoOperator
	}
	if err == nil {
		err = l.begin(w, r, session.Session{Way: byOIDC, Name: who.Email, Called: who.Name})
	}
	if err != nil {
		l.options.Logger.Warn().Err(err).Str("user", who.Email).Msg("web: the provider lets nobody in")
		return "", err
	}
	return who.Next, nil
}
