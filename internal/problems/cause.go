package problems

import (
	"slices"
	"strings"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// A cause is what the entries of one problem have in common.
type cause struct {
	Subject
	tenant   string // of a problem with the mails themselves; an account has its own
	rule     int
	category string
	stage    string
}

// failed is the failure that an entry tells of.
func failed(e *errorlog.Entry) *failure.Failure {
	return &failure.Failure{
		Stage: failure.Stage(e.Stage), Class: failure.Class(e.Class), Category: e.Category, Rule: e.Rule,
		Code: e.Code, Enhanced: e.Enhanced, Diagnostic: e.Diagnostic,
	}
}

// causeOf says to which problem an entry belongs. What a person must act on decides: an
// account has one problem however many mails have met it; mailboxes that do not exist
// are one, in whichever domain; what a recipient's server has against this system is one
// per domain. For everybody's problems, a server that fails is one for all accounts.
func causeOf(e *errorlog.Entry, f *failure.Failure, all bool) cause {
	c := cause{rule: e.Rule, category: e.Category, stage: e.Stage}
	scope := f.Scope()
	switch {
	case scope == failure.ScopeServer && all && e.Host != "":
		c.Server = e.Host
	case scope != failure.ScopeMail && e.Account != "":
		c.Account = e.Account
	case ofAddress(f):
		c.tenant = e.Tenant
	case ofRecipients(f):
		c.tenant, c.Domain = e.Tenant, domainOf(e)
	default:
		c.tenant, c.Account = e.Tenant, e.Account
	}
	if c.Account != "" || c.Server != "" {
		c.stage = "" // the rule says what is wrong with it
	}
	return c
}

// ofAddress reports whether a recipient's address is to blame.
func ofAddress(f *failure.Failure) bool {
	return slices.Contains([]string{"recipient_unknown", "recipient_invalid", "recipient_disabled", "address_needs_utf8"}, f.Category)
}

// ofRecipients reports whether the recipients' servers are.
func ofRecipients(f *failure.Failure) bool {
	return (f.Stage == failure.StageRcpt || f.Stage == failure.StageRemote) && f.Scope() == failure.ScopeMail ||
		slices.Contains([]string{"recipient_domain", "recipient_policy", "mailbox_full", "greylisted"}, f.Category)
}

// domainOf is the domain of all recipients of an entry; empty if there are several.
func domainOf(e *errorlog.Entry) string {
	common := ""
	for i, r := range e.Recipients {
		domain := strings.ToLower(r[strings.LastIndexByte(r, '@')+1:])
		if i > 0 && domain != common {
			return ""
		}
		common = domain
	}
	return common
}

// mend notes where the problem is mended, and whether waiting mends nothing.
func (p *Problem) mend(whose Whose) {
	f := p.Failure()
	p.Person = f.Class == failure.Config || f.NeedsPerson() || p.Became.Held > 0
	if w := p.Waiting; w != nil {
		p.Person = p.Person || w.Kind == Parked || w.Kind == Settings
	}
	switch {
	case p.Account != "" && (p.Waiting != nil || f.Scope() != failure.ScopeMail):
		p.Remedy = MendAccount
		if p.Account == string(resolver.Platform) && !whose.All && whose.Tenant != "" {
			p.Remedy = MendOperator
		}
	case p.Server != "":
		p.Remedy = MendServer
	case ofAddress(f):
		p.Remedy = MendRecipients
	default:
		p.Remedy = MendMail
	}
}
