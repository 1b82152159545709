package producer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// A task is a job as asynq holds it: the one place where its mail is.
type task struct {
	ref     queue.Ref
	payload []byte
	job     *payload.Job
}

// find looks for the task of a job that refuse has nothing against. The error is
// ErrSending when a worker has the task, ErrContentGone when nobody has.
func (c *Client) find(ctx context.Context, record *ledger.Record, refuse func(*ledger.Record) error) (*task, error) {
	if err := refuse(record); err != nil {
		return nil, err
	}
	names := []string{record.Queue}
	if record.Queue == "" { // a worker wrote the record
		names = queue.Names()
	}
	for _, name := range names {
		ref := queue.Ref{Queue: name, ID: string(record.Key)}
		found, err := c.tasks.Task(ref)
		switch {
		case errors.Is(err, queue.ErrNoTask):
			continue
		case err != nil:
			return nil, err
		}
		job, err := payload.Decode(found.Payload)
		switch {
		case err != nil:
			return nil, err
		case job.Tenant != record.Tenant:
			continue // it has no record, and workers drop it
		case found.State == queue.Active:
			return nil, ErrSending
		}
		return &task{ref, found.Payload, job}, nil
	}
	return nil, c.gone(ctx, record.Key, refuse)
}

// gone says why a job has no task: it may have ended this moment.
func (c *Client) gone(ctx context.Context, key payload.Key, refuse func(*ledger.Record) error) error {
	record, err := c.ledger.Load(ctx, key)
	if err == nil {
		err = refuse(record)
	}
	if err == nil {
		err = ErrContentGone
	}
	return err
}

// prolong keeps attachments and large bodies for a mail whose time begins at due.
func (c *Client) prolong(ctx context.Context, job *payload.Job, due time.Time) error {
	use := blob.UseOf(job)
	err := c.blobs.Prolong(ctx, use.User, c.ledger.HorizonFrom(job, due), use.Digests...)
	if errors.Is(err, blob.ErrMissing) {
		return ErrContentGone
	}
	return err
}

// move lets a task run at another time; the zero time is now. A task that has
// vanished since it was found, from a full archive perhaps, is put back: the record
// says by now that it is on its way.
func (c *Client) move(ctx context.Context, t *task, at time.Time) error {
	err := queue.Move(ctx, c.rdb, t.ref, at)
	if !errors.Is(err, queue.ErrNoTask) {
		return err
	}
	job := *t.job
	job.NotBefore, job.Priority = at, rohrpost.Priority(t.ref.Queue)
	var batch lua.Batch
	recorder := queue.NewRecorder(&batch)
	ticket, err := recorder.Add(ctx, &job, t.payload)
	if err != nil {
		return err
	}
	recorder.Wake()
	if err = batch.Exec(ctx, c.rdb); err == nil {
		_, err = ticket.Accepted()
	}
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}
