package netguard

import "errors"

// undialed is an error of dialing before there was an allowed address: the name was not
// found, for example.
type undialed struct{ error }

// Unwrap is the error.
func (u undialed) Unwrap() error { return u.error }

// Hidden reports whether an outsider must not learn how dialing went: it was refused,
// or came to no address that is allowed, for whatever reason. Told apart, these would
// say which names there are in the network behind this system.
func Hidden(err error) bool {
	_, refused := errors.AsType[*Refused](err)
	_, unreached := errors.AsType[undialed](err)
	return refused || unreached
}

// Detail is what an operator sees of a refusal: the address after resolution and the
// reason. It is "" of every other error.
func Detail(err error) string {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Address + ": " + r.Reason
	}
	return ""
}
