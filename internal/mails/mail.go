package mails

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Mail is one mail with all that is known of it.
type Mail struct {
	Item
	// Timeline is what happened to it, oldest first.
	Timeline []Step
	// Wait is what keeps it waiting now; nil: nothing that is known.
	Wait *Wait
	// Original is the id of the mail of which this one is a copy to a corrected address;
	// empty: of none.
	Original string
	// What a person may do now; each may be refused all the same.
	CanRetry, CanCancel, CanPutOff bool
	// Failed are the recipients who have not got it and will not.
	Failed []string
	// Uncorrectable is why no copy can go to a corrected address in place of one of these:
	// producer.ErrSealed or producer.ErrContentGone; nil: one can.
	Uncorrectable error
}

// A Wait is why mails of an account, or to a server, do not go.
type Wait struct {
	Kind    breaker.Kind // parked, slow, down or settings
	Account string       // empty: it is the server
	Since   time.Time
	Until   time.Time // when one mail tries again; zero: when somebody acts
	Rule    int       // picks the hint
	Reply   string    // what the server has said, or the fault, in one line
}

// Get is one mail of a tenant. The error is ErrNotFound, or Redis's.
func (s *Service) Get(ctx context.Context, tenant, id string) (*Mail, error) {
	r, err := s.ledger.Find(ctx, tenant, id)
	if errors.Is(err, ledger.ErrUnknown) {
		return nil, fmt.Errorf("mail %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	m := &Mail{Item: s.item(r), Original: original(id)}
	if m.Timeline, err = s.timeline(ctx, r); err != nil {
		return nil, err
	}
	if m.Wait, err = s.wait(ctx, r); err != nil {
		return nil, err
	}
	ended := r.State.Final()
	m.CanCancel = !ended && r.State != rohrpost.Sending || r.State == rohrpost.Uncertain
	m.CanPutOff = !ended && r.State != rohrpost.Sending
	switch r.State {
	case rohrpost.Accepted, rohrpost.Canceled, rohrpost.Bounced, rohrpost.Sending, rohrpost.Queued:
	default:
		m.CanRetry = true
	}
	if ended {
		for _, to := range r.Recipients {
			if to.State == rohrpost.RecipientFailed || to.State == rohrpost.RecipientBounced {
				m.Failed = append(m.Failed, to.Address)
			}
		}
	}
	if len(m.Failed) > 0 {
		m.Uncorrectable = s.uncorrectable(ctx, tenant, id, m.Failed[0])
		m.CanRetry = m.CanRetry && !errors.Is(m.Uncorrectable, producer.ErrContentGone)
	}
	return m, nil
}

// uncorrectable is why no copy of a mail can go to a corrected address in place of a failed
// one. Whatever else there is against it, it may pass.
func (s *Service) uncorrectable(ctx context.Context, tenant, id, failed string) error {
	err := s.producer.ForTenant(tenant).CanCorrect(ctx, id, failed)
	for _, lasting := range []error{producer.ErrSealed, producer.ErrContentGone} {
		if errors.Is(err, lasting) {
			return lasting
		}
	}
	return nil
}

// wait is what keeps a mail waiting: the state of its account or of its server.
func (s *Service) wait(ctx context.Context, r *ledger.Record) (*Wait, error) {
	if r.State != rohrpost.Deferred && r.State != rohrpost.Parked || r.Account == "" {
		return nil, nil //nolint:nilnil // nothing is no error
	}
	host := ""
	for _, e := range slices.Backward(r.History) {
		if host = e.Host; host != "" {
			break
		}
	}
	subjects := append(servers(host), r.Account, breaker.SettingsSubject(r.Account))
	if err := s.blocks.Refresh(ctx, subjects...); err != nil {
		return nil, fmt.Errorf("state of the account: %w", err)
	}
	for _, state := range s.blocks.States() {
		if !slices.Contains(subjects, state.Subject) {
			continue
		}
		w := &Wait{Kind: state.Kind, Account: state.Account(), Since: state.Since, Until: state.Until, Rule: state.Rule, Reply: state.Diagnostic}
		if state.Code != 0 {
			w.Reply = fmt.Sprintf("%d %s", state.Code, state.Diagnostic)
		}
		return w, nil
	}
	return nil, nil //nolint:nilnil // nothing is no error
}

// servers are the subjects that a server may have: how it is spoken to, and whether by an
// account that a tenant has entered, is in their names.
func servers(host string) []string {
	if host == "" {
		return nil
	}
	var subjects []string
	for _, encryption := range []resolver.Encryption{resolver.None, resolver.STARTTLS, resolver.TLS} {
		for _, whose := range []string{"", breaker.TenantsServer} {
			subjects = append(subjects, breaker.ServerPrefix+host+" "+string(encryption)+whose)
		}
	}
	return subjects
}
