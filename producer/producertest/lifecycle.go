package producertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// Cancel is that of producer.Client.
func (r *Recorder) Cancel(_ context.Context, id string) error {
	return r.act(id, func(rec *record) error {
		s := &rec.status
		switch {
		case s.State.Final() && s.State != rohrpost.Uncertain:
			return fmt.Errorf("%w: %s", producer.ErrFinal, s.State)
		case s.State == rohrpost.Sending:
			return producer.ErrSending
		}
		state := rohrpost.Canceled
		for _, recipient := range s.Recipients {
			if recipient.State == rohrpost.RecipientAccepted {
				state = rohrpost.Partly
			}
		}
		note(s, rohrpost.Event{State: state})
		return nil
	})
}

// Retry is that of producer.Client.
func (r *Recorder) Retry(_ context.Context, id string) error {
	return r.act(id, func(rec *record) error { return retry(&rec.status) })
}

// RetryAll is that of producer.Client, in the order of the ids.
func (r *Recorder) RetryAll(_ context.Context, f producer.RetryFilter) ([]string, error) {
	f.Tenant = cmp.Or(f.Tenant, r.rules.Tenant())
	if err := f.Check(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, rec := range r.order {
		s := cloneStatus(rec.status)
		if !s.State.Final() || !r.rules.Sees(s.Tenant) || !f.Matches(s) || retry(&s) != nil {
			continue
		}
		ids = append(ids, s.ID)
		if !f.DryRun {
			rec.status = s
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Reschedule is that of producer.Client.
func (r *Recorder) Reschedule(_ context.Context, id string, at time.Time) error {
	var refused error
	err := r.act(id, func(rec *record) error {
		s := &rec.status
		switch {
		case s.State.Final():
			return fmt.Errorf("%w: %s", producer.ErrFinal, s.State)
		case s.State == rohrpost.Sending:
			return producer.ErrSending
		}
		if at, refused = r.rules.Later(at, now(), rec.message.Expires); refused == nil {
			note(s, rohrpost.Event{State: rohrpost.Scheduled, NextAttempt: at})
		}
		return nil
	})
	if refused != nil {
		return refused
	}
	return err
}

// act changes a job.
func (r *Recorder) act(id string, change func(*record) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec, err := r.locateLocked(id)
	if err != nil {
		return err
	}
	if err := change(rec); err != nil {
		return fmt.Errorf("job %q: %w", id, err)
	}
	return nil
}

// retry lets the recipients wait who have not got the mail.
func retry(s *rohrpost.Status) error {
	switch s.State {
	case rohrpost.Accepted, rohrpost.Canceled, rohrpost.Bounced:
		return fmt.Errorf("%w: %s", producer.ErrNothingToRetry, s.State)
	case rohrpost.Sending:
		return producer.ErrSending
	}
	open := false
	for i, recipient := range s.Recipients {
		switch recipient.State {
		case rohrpost.RecipientAccepted, rohrpost.RecipientBounced, rohrpost.RecipientSuppressed:
			continue
		case rohrpost.RecipientUncertain:
			s.MaybeTwice = s.MaybeTwice || s.State.Final()
		}
		open = true
		if s.State.Final() {
			s.Recipients[i] = rohrpost.RecipientStatus{Address: recipient.Address, State: rohrpost.RecipientWaiting}
		}
	}
	if !open && s.State.Final() {
		return fmt.Errorf("%w: %s", producer.ErrNothingToRetry, s.State)
	}
	note(s, rohrpost.Event{State: rohrpost.Queued})
	return nil
}

// note writes what a person has done. The same act again leaves no second event.
func note(s *rohrpost.Status, e rohrpost.Event) {
	e.Time, e.By = now(), rohrpost.ByOperator
	if e.State != s.State || s.NextAttempt != nil && !s.NextAttempt.Equal(e.NextAttempt) {
		s.History = append(s.History, e)
	}
	s.State, s.UpdatedAt, s.NextAttempt = e.State, e.Time, nil
	if !e.NextAttempt.IsZero() {
		s.NextAttempt = &e.NextAttempt
	}
}
