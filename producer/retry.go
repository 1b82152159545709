package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// Retry sends a mail again. One that waits (scheduled, deferred, parked) is tried
// at once. One that has ended goes to those recipients only who have not got it, or
// of whom that is not known (uncertain). Its time begins anew, and an Expires that
// has passed no longer counts. Id, Message-ID and history stay.
//
// Retry may be repeated, after an error of Redis too. The error is ErrNotFound,
// ErrAmbiguous, ErrSending, ErrNothingToRetry, ErrContentGone, or Redis's.
func (c *Client) Retry(ctx context.Context, id string) error {
	record, err := c.locate(ctx, id)
	if err == nil {
		err = c.retry(ctx, record)
	}
	return jobError(id, err)
}

func (c *Client) retry(ctx context.Context, record *ledger.Record) error {
	t, err := c.find(ctx, record, unsent)
	if err != nil {
		return err
	}
	if err := c.prolong(ctx, t.job, c.now()); err != nil {
		return err
	}
	err = c.ledger.Reopen(ctx, t.job)
	if err == nil {
		c.became(record, rohrpost.Queued, c.ledger.HorizonFrom(t.job, c.now()))
	}
	c.tally(ctx)
	if err != nil {
		return err
	}
	if err := c.move(ctx, t, time.Time{}); !errors.Is(err, queue.ErrActive) {
		return err
	}
	return nil // somebody else has run it
}

// unsent refuses a job that nobody waits for.
func unsent(r *ledger.Record) error {
	switch r.State {
	case rohrpost.Accepted, rohrpost.Canceled, rohrpost.Bounced:
		return fmt.Errorf("%w: %s", ErrNothingToRetry, r.State)
	}
	return nil
}

// Reschedule puts a mail that waits off to another time, or brings it forward; at
// is rounded up to a whole second. Its time begins anew then; an Expires of its own
// ends it as before. What else keeps the mail waiting, a parked account for example,
// may keep it longer.
//
// Reschedule may be repeated, after an error of Redis too. The error is
// rohrpost.FieldErrors for a time in the past or not before Expires, ErrNotFound,
// ErrAmbiguous, ErrFinal, ErrSending (the new time may be noted all the same),
// ErrContentGone, or Redis's.
func (c *Client) Reschedule(ctx context.Context, id string, at time.Time) error {
	record, err := c.locate(ctx, id)
	if err != nil {
		return jobError(id, err)
	}
	t, err := c.find(ctx, record, unfinished)
	if err != nil {
		return jobError(id, err)
	}
	at, err = c.rules.Later(at, c.now(), t.job.Expires)
	if err != nil {
		return err
	}
	return jobError(id, c.reschedule(ctx, record, t, at))
}

func (c *Client) reschedule(ctx context.Context, record *ledger.Record, t *task, at time.Time) error {
	if err := c.prolong(ctx, t.job, at); err != nil {
		return err
	}
	if err := c.ledger.Reschedule(ctx, t.job, at); err != nil {
		return err
	}
	c.became(record, rohrpost.Scheduled, c.ledger.HorizonFrom(t.job, at))
	c.tally(ctx)
	err := c.move(ctx, t, at)
	if errors.Is(err, queue.ErrActive) {
		return ErrSending // the worker reads the new time before the dot, unless it was just done
	}
	return err
}

// unfinished refuses a job that has ended.
func unfinished(r *ledger.Record) error {
	if r.State.Final() {
		return fmt.Errorf("%w: %s", ErrFinal, r.State)
	}
	return nil
}
