package ui

import (
	"net/http"

	"github.com/rohrpost/rohrpost/internal/web/signin"
)

// A Handler answers a request of a person.
type Handler func(http.ResponseWriter, *http.Request, signin.Person)

// A Need is what a person must be to have a page.
type Need int

// Needs. Reader, Admin and Owner are about the {tenant} of a pattern, see TenantOf.
const (
	Anyone   Need = iota // also who has not signed in: the Person is empty
	SignedIn             // somebody who is known
	Reader               // may read what is the tenant's
	Admin                // may change it
	Owner                // may change the account of its {user}
	Operator             // may everything
)

// A Router takes handlers, by the patterns of http.ServeMux. It has checked the need
// before it calls one.
type Router interface {
	Handle(pattern string, need Need, h Handler)
}

// Met reports whether a person is what a request needs.
func (n Need) Met(r *http.Request, p signin.Person) bool {
	switch n {
	case Anyone:
		return true
	case SignedIn:
		return p.Role != ""
	case Operator:
		return p.Operator()
	}
	tenant, ok := TenantOf(r)
	switch {
	case !ok:
		return false
	case n == Reader:
		return p.MayRead(tenant)
	case n == Admin:
		return p.MayManage(tenant)
	}
	return n == Owner && p.MayOwn(tenant, r.PathValue("user"))
}
