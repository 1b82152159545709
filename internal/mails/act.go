package mails

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/producer"
)

// An Action is what a person does to a mail.
type Action string

// The actions.
const (
	Retry  Action = "retry"  // at once, to whom has not got it
	Cancel Action = "cancel" // before it is handed over
	PutOff Action = "put off"
)

// A Deed is an action, and who does it.
type Deed struct {
	Action Action
	At     time.Time // of PutOff: the new time
	Who    string    // the name of the person
	Source audit.Source
	Remote string // the address that the request came from
}

// ErrAction says that there is no such action.
var ErrAction = errors.New("mails: no such action")

func (d *Deed) record(tenant string) (audit.Record, error) {
	r := audit.Record{Who: d.Who, Source: d.Source, Remote: d.Remote, Tenant: tenant}
	switch d.Action {
	case Retry:
		r.Action = audit.Retry
	case Cancel:
		r.Action = audit.Cancel
	case PutOff:
		r.Action = audit.Reschedule
	default:
		return r, fmt.Errorf("%w: %q", ErrAction, d.Action)
	}
	return r, nil
}

// Act does something to one mail, and writes it down. The error is one of the producer's:
// ErrNotFound, ErrFinal, ErrSending, ErrNothingToRetry, ErrContentGone, of a time
// rohrpost.FieldErrors; or Redis's.
func (s *Service) Act(ctx context.Context, tenant, id string, d Deed) error {
	if err := s.refuse(d); err != nil {
		return err
	}
	return s.audited(ctx, tenant, []string{id}, 1, d, func(ctx context.Context) (int, error) {
		if err := s.do(ctx, tenant, id, d); err != nil {
			return 0, err
		}
		return 1, nil
	})
}

// refuse tells before anything is written down that a time is none.
func (s *Service) refuse(d Deed) error {
	if d.Action == PutOff && !d.At.After(s.now()) {
		return rohrpost.FieldErrors{{Field: "not_before", Problem: "is in the past"}}
	}
	return nil
}

// audited writes down a deed, does it, and writes down to how many mails it was done.
func (s *Service) audited(ctx context.Context, tenant string, ids []string, of int, d Deed, do func(context.Context) (int, error)) error {
	line, err := d.record(tenant)
	if err != nil {
		return err
	}
	line.Of = of
	for _, id := range ids {
		line.Mails = append(line.Mails, audit.Mail{Tenant: tenant, ID: id})
	}
	entry, err := s.audit.Begin(ctx, line)
	if err != nil {
		return err
	}
	n, err := do(ctx)
	return errors.Join(err, entry.Done(ctx, n))
}

func (s *Service) do(ctx context.Context, tenant, id string, d Deed) error {
	client := s.producer.ForTenant(tenant)
	switch d.Action {
	case Retry:
		return client.Retry(ctx, id)
	case Cancel:
		return client.Cancel(ctx, id)
	}
	return client.Reschedule(ctx, id, d.At)
}

// Correct sends a copy of a mail that has ended to a corrected address, in place of one of
// its recipients who have not got it, and answers with the receipt of the copy. The record
// of the original stays as it is. A second call for the same address sends nothing.
// The error is that of producer.SendCorrected.
func (s *Service) Correct(ctx context.Context, tenant, id, failed, corrected string, d Deed) (rohrpost.Receipt, error) {
	var receipt rohrpost.Receipt
	line := audit.Record{Who: d.Who, Source: d.Source, Remote: d.Remote, Tenant: tenant, Action: audit.Correct, Of: 1, Mails: []audit.Mail{{Tenant: tenant, ID: id}}}
	entry, err := s.audit.Begin(ctx, line)
	if err != nil {
		return receipt, err
	}
	n := 0
	if receipt, err = s.producer.ForTenant(tenant).SendCorrected(ctx, id, failed, corrected); err == nil && !receipt.Duplicate {
		n = 1
	}
	return receipt, errors.Join(err, entry.Done(ctx, n))
}

func original(id string) string { return producer.OriginalOf(id) }
