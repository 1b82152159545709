package netguard

import (
	"errors"
	"net"
)

// Hidden reports whether an outsider must not learn how dialing went: it was refused,
// or the name was not found. Told apart, the two would say which names there are in
// the network behind this system.
func Hidden(err error) bool {
	_, refused := errors.AsType[*Refused](err)
	_, unresolved := errors.AsType[*net.DNSError](err)
	return refused || unresolved
}

// Detail is what an operator sees of a refusal: the address after resolution and the
// reason. It is "" of every other error.
func Detail(err error) string {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Address + ": " + r.Reason
	}
	return ""
}
