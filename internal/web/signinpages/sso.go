package signinpages

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/rohrpost/rohrpost/internal/adminlink"
	"github.com/rohrpost/rohrpost/internal/web/signin"
	"github.com/rohrpost/rohrpost/internal/web/ui"
	producer "github.com/rohrpost/rohrpost/producer/adminlink"
)

// sso signs in whoever an application sends with a signed link. Another site may post
// here: the token is the proof, and it is good once.
func (p *Pages) sso(w http.ResponseWriter, r *http.Request, _ signin.Person) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	token := r.PostFormValue("token")
	if r.Method != http.MethodPost {
		token = r.URL.Query().Get("token")
	}
	r.URL.RawQuery = "" // no page repeats the token
	link, err := p.login.Redeem(w, r, token)
	switch {
	case err == nil:
		p.ui.Redirect(w, r, destination(link))
	case errors.Is(err, signin.ErrUnavailable):
		p.problem(w, r, http.StatusServiceUnavailable, "unasked")
	case errors.Is(err, adminlink.ErrExpired):
		p.problem(w, r, http.StatusGone, "expired")
	case errors.Is(err, adminlink.ErrUsed):
		p.problem(w, r, http.StatusGone, "used")
	case errors.Is(err, adminlink.ErrForbidden):
		p.problem(w, r, http.StatusForbidden, "not_allowed")
	default:
		p.problem(w, r, http.StatusBadRequest, "invalid")
	}
}

// destination is the path that a link opens: the account of its place, or the tenant's
// first page. An operator without a tenant sees their own.
func destination(link producer.Link) string {
	place := link.Place
	if place == "" && link.Action == producer.Test {
		place = producer.PlaceTenant
	}
	if link.Tenant == "" {
		return "/"
	}
	if user := producer.UserOf(place); user != "" {
		return ui.TenantPath(link.Tenant, "/accounts/user/"+url.PathEscape(user)) + fragment(link)
	}
	if place == producer.PlaceTenant {
		return ui.TenantPath(link.Tenant, "/accounts/tenant") + fragment(link)
	}
	return ui.TenantPath(link.Tenant, "/")
}

// fragment is the part of the page that the person came for.
func fragment(link producer.Link) string {
	if link.Action == producer.Test {
		return "#test"
	}
	return ""
}
