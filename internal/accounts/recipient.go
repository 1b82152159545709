package accounts

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// ErrRecipient says that somebody named a recipient whom only an operator may name.
var ErrRecipient = errors.New("a test mail goes to your own address, to the account's or to its administrator's: only an operator may name another recipient")

// recipient is who gets the test mail, or who is asked for by the doctor. The error
// is a *rohrpost.FieldError, or wraps ErrRecipient.
func (t *Try) recipient(known []string) (rohrpost.Address, error) {
	if t.To.Address == "" {
		if len(known) == 0 {
			return t.To, &rohrpost.FieldError{
				Field: "to", Problem: "is missing, and no address is known to send to: an operator enters yours (web.users: address), or names a recipient",
			}
		}
		return rohrpost.Address{Address: known[0]}, nil
	}
	if err := rohrpost.CheckAddress(t.To.Address); err != nil {
		return t.To, &rohrpost.FieldError{Field: "to", Problem: err.Error()}
	}
	if t.Who.Role == redisstore.Operator {
		return t.To, nil
	}
	for _, address := range known {
		if strings.EqualFold(address, t.To.Address) {
			return rohrpost.Address{Address: address}, nil // as it is known
		}
	}
	if len(known) == 0 {
		return t.To, fmt.Errorf("to: %w; none of these is known here: an operator enters your address (web.users: address)", ErrRecipient)
	}
	return t.To, fmt.Errorf("to: %w (known here: %s)", ErrRecipient, strings.Join(known, ", "))
}

// known are the person's address, the account's and its administrator's, as far as
// there are any. stored is what stands in the store: unsaved settings name nobody,
// for who tries them has just written them.
func (t *Try) known(stored *resolver.Candidates) []string {
	account, admin := stored.Platform, stored.PlatformAdmin
	switch t.Place.Level() {
	case resolver.Tenant:
		account, admin = stored.Tenant, stored.TenantAdmin
	case resolver.User:
		account, admin = stored.User, stored.TenantAdmin
	case resolver.Platform:
	}
	addresses := []string{t.Person}
	if account != nil {
		addresses = append(addresses, account.Address)
	}
	var known []string
	for _, a := range append(addresses, admin) {
		if a != "" {
			known = append(known, a)
		}
	}
	return known
}
