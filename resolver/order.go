package resolver

import "github.com/rohrpost/rohrpost"

// choose sets Account, the first half of Why, and PassedOver.
func choose(c *Candidates, req *Request) Sender {
	order := [...]Level{Tenant, User, Platform}
	if req.Origin == rohrpost.Manual {
		order = [...]Level{User, Tenant, Platform}
	}
	marketing := req.Category == rohrpost.Marketing
	s := Sender{PassedOver: make([]Passed, 0, len(order))}
	for _, level := range order {
		a := c.at(level)
		var why string
		switch {
		case a == nil:
			why = absent(level, req)
		case a.UsePlatformDefault:
			why = "it is switched off in favour of the platform's (use_platform_default)"
		case marketing && level != Platform:
			why = "marketing mail leaves through the platform's account only"
		case s.Account != nil:
			why = after(s.Account.Level)
		default:
			s.Account, s.Why = a, because(level, req)
			continue
		}
		p := Passed{Level: level, Why: why}
		if a != nil {
			p.Transport = a.Transport()
		}
		s.PassedOver = append(s.PassedOver, p)
	}
	return s
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

func after(chosen Level) string {
	switch chosen {
	case User:
		return "the user's account goes first here"
	case Tenant:
		return "the tenant's account goes first here"
	}
	return "the platform's account goes first here"
}

func because(level Level, req *Request) string {
	manual := req.Origin == rohrpost.Manual
	switch {
	case req.Category == rohrpost.Marketing:
		return "Marketing mail always leaves through the platform's account"
	case level == Platform && req.Tenant == "":
		return "The mail is the platform's own"
	case level == Platform:
		return "Neither user nor tenant has an account in use, so the platform sends"
	case level == User && manual:
		return "A person sends, and has an own account"
	case level == User:
		return "A program sends and the tenant has no account in use, so the user's serves"
	case manual:
		return "A person sends who has no account in use, so the tenant's serves"
	}
	return "A program sends, and for that the tenant's account goes first"
}
