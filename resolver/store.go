package resolver

import (
	"context"

	"github.com/rohrpost/rohrpost"
)

// A Store knows the accounts. It is asked for every mail, from many goroutines:
// it answers from memory.
type Store interface {
	// Accounts are the accounts that come into question for a mail of this user
	// of this tenant; either may be empty or unknown, which is no error. An
	// error means that the store cannot tell now: the mail is tried again.
	Accounts(ctx context.Context, tenant, user string) (Candidates, error)
}

// Candidates are the accounts in question, those that are switched off
// included; nil is none. Callers do not change them.
type Candidates struct {
	Platform, Tenant, User *Account

	TenantAdmin   string // address of the tenant's administrator; may be empty
	PlatformAdmin string // address of the platform's; may be empty

	Order    Order     // the tenant's own; zero: the default
	Branding *Branding // of the tenant's mails; nil: none

	// Person is what the store knows of the user. What the mail says of the
	// user goes before it.
	Person rohrpost.User
}

func (c *Candidates) at(level Level) *Account {
	switch level {
	case User:
		return c.User
	case Tenant:
		return c.Tenant
	}
	return c.Platform
}
