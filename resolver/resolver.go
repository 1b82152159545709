package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
)

var (
	// ErrNoAccount is the identity of a *NoAccountError.
	ErrNoAccount = errors.New("no account can send this mail")
	// ErrUnusable says that it is an account's turn which cannot send, see
	// Account.Unusable. The Sender beside it names the account.
	ErrUnusable = errors.New("the account cannot be used")
)

// A NoAccountError says that nothing is set up for a mail. It wraps
// [ErrNoAccount].
type NoAccountError struct {
	Tenant, User string
	PassedOver   []Passed
}

// Error names every level with its reason, and the remedy.
func (e *NoAccountError) Error() string {
	var b strings.Builder
	b.WriteString(ErrNoAccount.Error())
	for _, p := range e.PassedOver {
		fmt.Fprintf(&b, "; %s: %s", p.Level, p.Why)
	}
	b.WriteString("; set up the platform's account, which serves all who have none")
	return b.String()
}

// Unwrap makes it an error of settings, so that the mail waits for them.
func (e *NoAccountError) Unwrap() []error { return []error{ErrNoAccount, failure.ErrSettings} }

// Options of a Resolver.
type Options struct {
	Store Store // required
}

// A Resolver finds the sender of a mail. It is safe for concurrent use.
type Resolver struct{ store Store }

// New makes a Resolver. The error says which option is missing.
func New(o Options) (*Resolver, error) {
	if o.Store == nil {
		return nil, errors.New("resolver: Options.Store is missing")
	}
	return &Resolver{store: o.Store}, nil
}

// A Request is what a mail says about its sender.
type Request struct {
	Tenant   string // id; empty: the platform itself
	User     rohrpost.User
	Origin   rohrpost.Origin   // empty: Automatic
	Category rohrpost.Category // empty: Transactional
	From     rohrpost.Address  // asked for; zero: none
	ReplyTo  []rohrpost.Address
}

// A Sender is the answer: which account sends, and why.
type Sender struct {
	Account     *Account
	From        rohrpost.Address
	ReplyTo     []rohrpost.Address // at least one
	ReversePath string             // without angle brackets
	Why         string             // one sentence: why this account and this From
	Branding    *Branding          // of the tenant; may be nil
	PassedOver  []Passed           // all others, in the order in which they are asked

	// Fallback says that the platform's account sends in place of one that is parked.
	Fallback bool
	// Reserve sends while Account is parked; nil: the mail waits.
	Reserve *Account
}

// Passed is a level whose account does not send, or what is stored beside the
// OAuth2 that does.
type Passed struct {
	Level     Level     `json:"level"`
	Transport Transport `json:"transport,omitempty"` // empty: there is no account
	Why       string    `json:"why"`
}

// Resolve finds account, From, Reply-To and reverse-path of a mail.
//
// The account: user, tenant, platform for a mail that a person writes; tenant,
// user, platform for a mail of a program; the platform only for marketing.
//
// From is the tenant's central sender if the tenant's account sends and has
// one; else the From asked for, if the account does not force its own and the
// address is its own or an alias; else the account's address. A missing display
// name is the account's, else the user's.
//
// Reply-To is what was asked for; else the user's address, if the user's own
// account sends or the account says so; else the tenant's administrator, or
// without one the platform's if the platform sends; else the account's address.
// The reverse-path is the account's, else the account's address.
//
// The error is a *NoAccountError, ErrUnusable, or that of the store. With
// ErrUnusable the answer is there all the same: the account that will send, once it can.
func (r *Resolver) Resolve(ctx context.Context, req Request) (Sender, error) {
	c, err := r.store.Accounts(ctx, req.Tenant, req.User.ID)
	if err != nil {
		return Sender{}, fmt.Errorf("accounts of tenant %q: %w", req.Tenant, err)
	}
	s := choose(&c, &req)
	if s.Account == nil {
		return s, &NoAccountError{Tenant: req.Tenant, User: req.User.ID, PassedOver: s.PassedOver}
	}
	s.address(&c, &req)
	s.Reserve = reserve(&c, &req, s.Account)
	why := s.Account.Unusable
	if s.Account.State == Parked {
		why = cmp.Or(why, "its login was refused, and is not tried again before its settings change")
	}
	if why != "" {
		kind := failure.ErrSettings
		if s.Account.Unusable == Misplaced {
			kind = failure.ErrMisplaced
		}
		return s, fmt.Errorf("%s: %w: %s: %w", s.Account.ID(), ErrUnusable, why, kind)
	}
	return s, nil
}

// address fills in what the mail says of its sender.
func (s *Sender) address(c *Candidates, req *Request) {
	user := person(c, req)
	var whyFrom string
	s.From, whyFrom = from(s.Account, req.From, user)
	s.ReplyTo = replyTo(c, s.Account, req, user)
	s.ReversePath = cmp.Or(s.Account.ReversePath, s.Account.Address)
	s.Branding = c.Branding
	s.Why += "; " + whyFrom + "."
}

// Through is the sender that a mail has through this account, whatever else there
// is and whether the account may be used or not: for test mails. c has what
// belongs to the account, its accounts are not looked at.
func Through(a *Account, c Candidates, req Request) Sender {
	s := Sender{Account: a, Why: "This account was asked for"}
	s.address(&c, &req)
	return s
}
