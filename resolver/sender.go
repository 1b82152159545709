package resolver

import (
	"cmp"
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/idn"
)

// Central reports whether From is the tenant's central sender address: a server that
// refuses the sender may lack that alias.
func (s *Sender) Central() bool {
	return s.Account != nil && s.Account.Level == Tenant && s.Account.CentralSender.Address != ""
}

// person is the user as the mail names them, completed by the store.
func person(c *Candidates, req *Request) rohrpost.User {
	user := req.User
	if user.FirstName == "" && user.LastName == "" {
		user.FirstName, user.LastName = c.Person.FirstName, c.Person.LastName
	}
	user.Address = cmp.Or(user.Address, c.Person.Address)
	return user
}

// from is the From of a mail through the account, and why.
func from(a *Account, asked rohrpost.Address, user rohrpost.User) (rohrpost.Address, string) {
	own := rohrpost.Address{Name: cmp.Or(a.Name, user.Name()), Address: a.Address}
	switch {
	case a.Level == Tenant && a.CentralSender.Address != "":
		central := a.CentralSender
		central.Name = cmp.Or(central.Name, own.Name)
		return central, "From is the tenant's central sender address"
	case asked.Address == "":
		return own, "From is the account's address"
	case a.ForceSender:
		return own, "From is the account's address, which it forces whatever is asked for"
	case !a.allows(asked.Address):
		return own, "From is the account's address, because the one asked for is not among its aliases"
	}
	asked.Name = cmp.Or(asked.Name, own.Name)
	return asked, "From is the address asked for, which the account allows"
}

// answerable reports whether every server can be told to answer to an address: one whose
// local part is not ASCII can stand in a header only where SMTPUTF8 is.
func answerable(address string) bool {
	_, needsUTF8, err := idn.Address(address)
	return address != "" && err == nil && !needsUTF8
}

func (a *Account) allows(address string) bool {
	return sameAddress(address, a.Address) ||
		slices.ContainsFunc(a.Aliases, func(alias string) bool { return sameAddress(address, alias) })
}

// sameAddress compares as RFC 5321 §2.4 wants it: the domain without case, the
// local part with.
func sameAddress(a, b string) bool {
	i, j := strings.LastIndexByte(a, '@'), strings.LastIndexByte(b, '@')
	return i >= 0 && j >= 0 && a[:i] == b[:j] && strings.EqualFold(a[i:], b[j:])
}

func replyTo(c *Candidates, a *Account, req *Request, user rohrpost.User) []rohrpost.Address {
	if len(req.ReplyTo) > 0 {
		return req.ReplyTo
	}
	if a.Level == User {
		user.Address = cmp.Or(user.Address, a.Address)
	}
	if answerable(user.Address) && (a.Level == User || a.ReplyToUser) {
		return []rohrpost.Address{{Name: user.Name(), Address: user.Address}}
	}
	// A tenant's answers go to the platform only if the platform sent: they are
	// nothing that another company should read.
	admin := c.TenantAdmin
	if a.Level == Platform {
		admin = cmp.Or(admin, c.PlatformAdmin)
	}
	return []rohrpost.Address{{Address: cmp.Or(admin, a.Address)}}
}
