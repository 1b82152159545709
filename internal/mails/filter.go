package mails

import (
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
)

// A Filter picks mails of a tenant. What is set must match.
type Filter struct {
	State rohrpost.State
	// Recipient is a whole address or, as "@example.org", a domain, in any case.
	Recipient string
	ID        string    // exactly
	MessageID string    // exactly, with or without angle brackets
	User      string    // the id of the person who caused it, exactly
	From, To  time.Time // when it was enqueued, both inclusive
}

// States are those that a filter may name, in the order in which a mail goes through them.
func States() []rohrpost.State {
	return []rohrpost.State{
		rohrpost.Scheduled, rohrpost.Queued, rohrpost.Sending, rohrpost.Deferred, rohrpost.Parked, rohrpost.Accepted, rohrpost.Partly,
		rohrpost.Failed, rohrpost.Uncertain, rohrpost.Expired, rohrpost.Canceled,
	}
}

// Check refuses with rohrpost.FieldErrors what can match no mail.
func (f Filter) Check() error {
	var problems rohrpost.FieldErrors
	if f.State != "" && !slices.Contains(States(), f.State) {
		problems = append(problems, &rohrpost.FieldError{Field: "state", Problem: "is no state of a mail"})
	}
	if r := mailindex.Fold(f.Recipient); r != "" {
		address := r
		if strings.HasPrefix(r, "@") {
			address = "anybody" + r
		}
		if rohrpost.CheckAddress(address) != nil {
			problems = append(problems, &rohrpost.FieldError{
				Field: "recipient", Problem: "is neither a whole address nor a domain such as @example.org",
			})
		}
	}
	if !f.From.IsZero() && !f.To.IsZero() && f.From.After(f.To) {
		problems = append(problems, &rohrpost.FieldError{Field: "to", Problem: "is before from"})
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

func (f Filter) query(tenant string) mailindex.Query {
	return mailindex.Query{Tenant: tenant, State: f.State, Recipient: f.Recipient, User: f.User, From: f.From, To: f.To}
}

// one reports whether the filter names one mail.
func (f Filter) one() bool { return f.ID != "" || f.MessageID != "" }

// picks compares a record: the index knows less of a mail, or something older.
func (f Filter) picks(tenant string, r *ledger.Record) bool {
	switch {
	case r == nil || r.Tenant != tenant:
		return false
	case f.State != "" && r.State != f.State,
		f.ID != "" && r.ID != f.ID,
		f.MessageID != "" && strings.Trim(r.MessageID, "<>") != strings.Trim(f.MessageID, "<> "),
		f.User != "" && r.User != f.User,
		!f.From.IsZero() && r.EnqueuedAt.Before(f.From),
		!f.To.IsZero() && r.EnqueuedAt.After(f.To):
		return false
	case f.Recipient == "":
		return true
	}
	return slices.ContainsFunc(r.Recipients, func(s rohrpost.RecipientStatus) bool {
		return mailindex.Matches(f.Recipient, s.Address)
	})
}

// ids are those that the filter may mean: its ID, or what may be one in a Message-ID, which
// has the id before the @, and behind an id that an application has chosen marks of its
// tenant and its time, each after a dot.
func (f Filter) ids() []string {
	if f.ID != "" {
		return []string{f.ID}
	}
	left, _, _ := strings.Cut(strings.Trim(f.MessageID, "<> "), "@")
	ids := []string{left}
	const marks = 2
	for range marks {
		dot := strings.LastIndexByte(left, '.')
		if dot <= 0 {
			break
		}
		left = left[:dot]
		ids = append(ids, left)
	}
	return ids
}
