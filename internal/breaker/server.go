package breaker

import "github.com/rohrpost/rohrpost/resolver"

// ServerOf names the server of an account. What a tenant has entered wrongly must not
// block a server for the others: only accounts that speak to it in the same way share its
// state.
func ServerOf(a *resolver.Account) string {
	name := a.Host() + " " + string(a.Server().Encryption)
	if !a.Trusted {
		name += TenantsServer
	}
	return name
}

// OfServer reports whether it is the state of a server, as ServerOf has named it.
func (s *State) OfServer(name string) bool { return s.Subject == serverSubject(name) }
