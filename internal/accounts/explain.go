package accounts

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// Explain says to somebody who would send a mail, and why nobody else. Of the
// platform's account a tenant learns that it sends, and what stands in the mail;
// where files and secrets are is for operators alone. The sentences are in lang, as in
// package words.
func (s *Service) Explain(ctx context.Context, who redisstore.Actor, req resolver.Request, lang string) (resolver.Explanation, error) {
	sender, err := s.resolver.Resolve(ctx, req)
	if sender.Account == nil {
		return resolver.Explanation{}, err
	}
	parked := s.parked(sender.Account)
	e := sender.Explain() // of an account that cannot be used, too
	operator := who.Role == redisstore.Operator
	unusable := sender.Account.Unusable
	switch {
	case unusable == "" && parked == nil:
	case !operator && sender.Account.Level == resolver.Platform:
		e.Waits = "the platform's account cannot send at the moment: its operator has to act"
	case !operator && unusable != "":
		e.Waits = "its secret cannot be read; the operator finds the reason with: rohrpost account show"
	case unusable != "":
		e.Waits = unusable
	default:
		e.Waits = words.Sentence(lang, "the account is parked since "+parked.Since.Format(time.RFC3339)) + ": " + failure.Hint(parked.Rule, lang)
	}
	if !operator {
		forTenant(&e, sender.Account)
	}
	speak(&e, lang)
	return e, nil
}

// Sender is who would send a mail, for operators: a preview shows the mail as it leaves.
// The error is resolver.NoAccountError's, that of an account that cannot be used, or that of
// the store.
func (s *Service) Sender(ctx context.Context, who redisstore.Actor, req resolver.Request) (resolver.Sender, error) {
	if who.Role != redisstore.Operator {
		return resolver.Sender{}, redisstore.ErrForbidden
	}
	return s.resolver.Resolve(ctx, req)
}

// speak puts the sentences into a language.
func speak(e *resolver.Explanation, lang string) {
	for _, sentence := range []*string{&e.Why, &e.Waits, &e.Fallback} {
		*sentence = words.Sentence(lang, *sentence)
	}
	for i := range e.PassedOver {
		e.PassedOver[i].Why = words.Sentence(lang, e.PassedOver[i].Why)
	}
	e.Warnings = words.Sentences(lang, e.Warnings)
}

// forTenant takes away what is not a tenant's.
func forTenant(e *resolver.Explanation, a *resolver.Account) {
	open := *a
	open.Unusable = "" // it may name a file
	e.Warnings = open.Warnings()
	if a.Level == resolver.Platform {
		e.Transport, e.Authentication, e.Host, e.ReversePath, e.Warnings = "", "", "", "", nil
	}
	for i := range e.PassedOver {
		if e.PassedOver[i].Level == resolver.Platform {
			e.PassedOver[i].Transport = ""
		}
	}
}

// asWorkers are the accounts as workers see them. A process of pages alone has none
// of the keys and files with secrets: that it cannot read them says nothing.
type asWorkers struct{ resolver.Store }

// Accounts implements resolver.Store.
func (s asWorkers) Accounts(ctx context.Context, tenant, user string) (resolver.Candidates, error) {
	c, err := s.Store.Accounts(ctx, tenant, user)
	for _, a := range []**resolver.Account{&c.Platform, &c.Tenant, &c.User} {
		if *a != nil && (*a).Unusable != "" {
			usable := **a
			usable.Unusable = ""
			*a = &usable
		}
	}
	return c, err
}
