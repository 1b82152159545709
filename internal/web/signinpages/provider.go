package signinpages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/rohrpost/rohrpost/internal/oidc"
	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// providerPath is where the way to the provider begins.
func providerPath(next string) string {
	if next == "/" {
		return "/oidc/login"
	}
	return "/oidc/login?" + url.Values{"next": {next}}.Encode()
}

// toProvider sends a person to the OpenID Connect provider.
func (p *Pages) toProvider(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	address, err := p.login.BeginOIDC(w, r, local(r.URL.Query().Get("next")))
	if err != nil {
		p.problem(w, r, http.StatusServiceUnavailable, "no_provider")
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther) //nolint:gosec // the address is that of the configured provider
}

// fromProvider signs in whoever comes back.
func (p *Pages) fromProvider(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
	next, err := p.login.CompleteOIDC(w, r)
	r.URL.RawQuery = "" // no page repeats it
	switch {
	case err == nil:
		p.ui.Redirect(w, r, local(next))
	case errors.Is(err, oidc.ErrState):
		p.problem(w, r, http.StatusBadRequest, "no_state")
	case errors.Is(err, oidc.ErrUnverified):
		p.problem(w, r, http.StatusForbidden, "unverified")
	case errors.Is(err, signin.ErrNoOperator):
		p.problem(w, r, http.StatusForbidden, "no_operator")
	case errors.Is(err, oidc.ErrRefused):
		p.problem(w, r, http.StatusForbidden, "provider_refuses")
	default:
		p.problem(w, r, http.StatusServiceUnavailable, "no_provider")
	}
}
