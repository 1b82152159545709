package resolver

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rohrpost/rohrpost"
)

// A Fallback is what a tenant wants for its mails while their account is parked.
type Fallback string

// The fallbacks.
const (
	FallbackNever    Fallback = "never"    // the mails wait; so it is if nothing is said
	FallbackPlatform Fallback = "platform" // the platform's account sends in its place
)

// Fallback is who sends a mail in place of blocked, as Resolve has found it, whose
// account is parked. It is false if the mail has to wait: the tenant does not allow
// another account, its order leaves the platform out, or the platform's account
// cannot send (whether that one is parked, the breaker knows).
//
// From has the platform's address, for its server may send for no other, with the
// name that the mail would have had. Reply-To is the address that would have got the answers.
// The error is that of the store.
func (r *Resolver) Fallback(ctx context.Context, req Request, blocked Sender) (Sender, bool, error) {
	c, err := r.store.Accounts(ctx, req.Tenant, req.User.ID)
	if err != nil {
		return Sender{}, false, fmt.Errorf("accounts of tenant %q: %w", req.Tenant, err)
	}
	a := reserve(&c, &req, blocked.Account)
	if a == nil {
		return Sender{}, false, nil
	}
	s := Sender{
		Account: a, Fallback: true, Branding: blocked.Branding,
		From:        rohrpost.Address{Address: a.Address, Name: cmp.Or(blocked.From.Name, a.Name)},
		ReplyTo:     blocked.ReplyTo,
		ReversePath: cmp.Or(a.ReversePath, a.Address),
		Why: "The account " + blocked.Account.ID() + " is parked since its login or its right to send was refused, and the tenant allows the platform's as fallback; " +
			"From is the platform's address, answers go where they would have gone.",
	}
	s.pass(blocked.Account, blocked.Account.Level, "it is parked since its login or its right to send was refused")
	for _, p := range blocked.PassedOver {
		if p.Level != Platform {
			s.PassedOver = append(s.PassedOver, p)
		}
	}
	return s, true, nil
}

// reserve is the platform's account if it may step in for a; else nil.
func reserve(c *Candidates, req *Request, a *Account) *Account {
	p := c.Platform
	switch {
	case a == nil || a.Level == Platform:
		return nil
	case c.Tenant == nil || c.Tenant.Fallback != FallbackPlatform:
		return nil
	case !slices.Contains(c.Order.levels(req), Platform):
		return nil // it never sends for this tenant
	case unfit(p, Platform, req) != "" || p.State == Parked || p.Unusable != "":
		return nil
	}
	return p
}

// fallback checks the tenant's choice. A user's account follows it.
func (c *checker) fallback(a *Account) {
	switch {
	case a.Fallback == "":
	case a.Level == Platform:
		c.fail("fallback", "the platform's account is the fallback itself")
	case a.Level == User:
		c.fail("fallback", "is the tenant's choice, which the accounts of its users follow")
	case a.Fallback != FallbackNever && a.Fallback != FallbackPlatform:
		c.fail("fallback", "%q is not one of never, platform", a.Fallback)
	}
}
