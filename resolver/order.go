package resolver

import (
	"fmt"
	"slices"

	"github.com/rohrpost/rohrpost"
)

// An Order is in which order the levels are asked; empty lists are the default.
// A level that a list leaves out never sends; marketing mail, which leaves through
// the platform only, does not follow it.
type Order struct {
	Manual    []Level `json:"manual,omitempty"`    // default: user, tenant, platform
	Automatic []Level `json:"automatic,omitempty"` // default: tenant, user, platform
}

// levels is the order for a mail. Marketing leaves through the platform only,
// but the others are told why they do not send.
func (o *Order) levels(req *Request) []Level {
	own, usual := o.Automatic, []Level{Tenant, User, Platform}
	if req.Origin == rohrpost.Manual {
		own, usual = o.Manual, []Level{User, Tenant, Platform}
	}
	if len(own) > 0 && req.Category != rohrpost.Marketing {
		return own
	}
	return usual
}

// validate wants every level at most once.
func (o *Order) validate(c *checker) {
	for field, levels := range map[string][]Level{"order.manual": o.Manual, "order.automatic": o.Automatic} {
		for i, l := range levels {
			switch {
			case l != User && l != Tenant && l != Platform:
				c.fail(field, "%q is not one of user, tenant, platform", l)
			case slices.Contains(levels[:i], l):
				c.fail(field, "names %s twice", l)
			}
		}
	}
}

// choose sets Account, the first half of Why, and PassedOver.
func choose(c *Candidates, req *Request) Sender {
	order := c.Order.levels(req)
	s := Sender{PassedOver: make([]Passed, 0, len(order))}
	for _, level := range order {
		a := c.at(level)
		why := unfit(a, level, req)
		switch {
		case why == "" && s.Account != nil:
			why = "the " + string(s.Account.Level) + "'s account goes first here"
		case why == "":
			s.Account, s.Why = a, because(level, req, s.PassedOver)
		}
		if why != "" {
			s.pass(a, level, why)
		} else if a.OAuth2.InUse() && a.SMTP.Host != "" {
			s.PassedOver = append(s.PassedOver, Passed{Level: level, Transport: ViaSMTP, Why: "OAuth2 goes before SMTP; the SMTP settings stay stored"})
		}
	}
	for _, level := range [...]Level{User, Tenant, Platform} {
		if !slices.Contains(order, level) {
			s.pass(c.at(level), level, "the tenant's own order leaves it out")
		}
	}
	return s
}

// pass notes why an account does not send.
func (s *Sender) pass(a *Account, level Level, why string) {
	p := Passed{Level: level, Why: why}
	if a != nil {
		p.Transport = a.Transport()
	}
	s.PassedOver = append(s.PassedOver, p)
}

// unfit says why the account of a level must not send; "" if it may.
func unfit(a *Account, level Level, req *Request) string {
	switch {
	case a == nil:
		return absent(level, req)
	case a.UsePlatformDefault:
		return "it is switched off in favour of the platform's (use_platform_default)"
	case req.Category == rohrpost.Marketing && level != Platform:
		return "marketing mail leaves through the platform's account only"
	case a.active():
		return ""
	case a.State == Locked:
		return "it is locked: the platform must unlock own servers of this tenant (rohrpost account unlock)"
	case a.State == Entered:
		return "its settings are not checked: send a test mail (rohrpost account test)"
	case a.State == Checked:
		return "it is checked and waits for the platform's approval (rohrpost account approve)"
	}
	return "it is not active"
}

func absent(level Level, req *Request) string {
	switch {
	case level == Platform:
		return "none is set up"
	case req.Tenant == "":
		return "the mail names no tenant"
	case level == Tenant:
		return "the tenant has none"
	case req.User.ID == "":
		return "the mail names no user"
	}
	return "the user has none"
}

// because says why the account of a level sends, after passed did not.
func because(level Level, req *Request, passed []Passed) string {
	manual := req.Origin == rohrpost.Manual
	who := "A program sends"
	if manual {
		who = "A person sends"
	}
	switch {
	case req.Category == rohrpost.Marketing:
		return "Marketing mail always leaves through the platform's account"
	case level == Platform && req.Tenant == "":
		return "The mail is the platform's own"
	case len(passed) == 1 && manual && passed[0].Level == User:
		return fmt.Sprintf("%s who has no account in use, so the %s's serves", who, level)
	case len(passed) == 1:
		return fmt.Sprintf("%s and the %s has no account in use, so the %s's serves", who, passed[0].Level, level)
	case len(passed) == 2:
		return fmt.Sprintf("%s and neither %s nor %s has an account in use, so the %s's serves", who, passed[0].Level, passed[1].Level, level)
	case level == User && manual:
		return who + ", and has an own account"
	case level == Tenant && !manual:
		return who + ", and for that the tenant's account goes first"
	}
	return "The tenant's own order has the " + string(level) + "'s account first"
}
