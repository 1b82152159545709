package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

const (
	reconcileEvery = 15 * time.Minute
	reconcileShare = 0.1                  // of the time: mails go first
	reconcileKey   = "rohrpost:reconcile" // held by the process that has reconciled last
)

// reconciler is the duty to compare the ledger with the queues.
func (w *Worker) reconciler() duty {
	return duty{reconcileKey, reconcileEvery, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, reconcileEvery-leadEvery)
		defer cancel()
		return w.reconcile(ctx, reconcile.Options{Share: reconcileShare})
	}, "the ledger and the queues were not compared to the end; it is tried again later"}
}

// reconcile compares the ledger with the queues, and mends what it finds: every mail
// is in exactly one place, or its end is written down. o may shorten its pauses.
func (w *Worker) reconcile(ctx context.Context, o reconcile.Options) error {
	o.Redis, o.Keep, o.Logger, o.Now = w.opts.Redis, w.opts.Keep, w.log, w.now
	census, err := w.quota.Census(ctx, 0)
	if err != nil {
		return err
	}
	o.Seen = func(r *ledger.Record) {
		see(census, r)
		w.note(r)
	}
	r, err := reconcile.New(o)
	if err != nil {
		return err
	}
	_, err = r.Check(ctx, func(f reconcile.Finding) error {
		if !f.Harmless && f.Kind != reconcile.InDoubt {
			w.log.Warn().Str("job_id", f.JobID).Str("tenant", f.Tenant).Str("finding", string(f.Kind)).Strs("where", f.Where).Msg(f.Detail)
		}
		switch {
		case f.Kind == reconcile.Lost:
			return w.markLost(ctx, f.Key, lost(f.Cause))
		case f.Kind == reconcile.NotInBacklog:
			return w.dispatch.Enqueue(ctx, f.Account, queue.Ref{Queue: f.Queue, ID: string(f.Key)}, &dispatch.Wait{Reason: dispatch.Busy})
		case f.Repairable:
			if err := r.Repair(ctx, f); !errors.Is(err, reconcile.ErrNotRepairable) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.correct(ctx, census)
}

// see shows a record to a census.
func see(census *quota.Census, r *ledger.Record) {
	var ended time.Time
	switch {
	case r.Weight == 0:
		return
	case !r.Counted():
		ended = r.UpdatedAt
	}
	census.See(r.Tenant, r.Weight, r.EnqueuedAt, ended)
}

// correct sets right what waits for each tenant.
func (w *Worker) correct(ctx context.Context, census *quota.Census) error {
	corrections, err := census.Correct(ctx)
	for tenant, a := range corrections {
		w.log.Info().Str("tenant", tenant).Int64("mails", a.Mails).Int64("bytes", a.Bytes).
			Msg("what waits for the tenant was counted wrongly, and is corrected")
	}
	return err
}

// lost is the failure of a mail that was lost in that way.
func lost(cause reconcile.Cause) error {
	switch cause {
	case reconcile.Deleted:
		return failure.ErrDeleted
	case reconcile.Restarted:
		return failure.ErrRolledBack
	}
	return failure.ErrLost
}

// markLost writes down that a mail has failed because its content is gone. Recipients
// that may have it are uncertain, as after any attempt that was not settled.
func (w *Worker) markLost(ctx context.Context, key payload.Key, cause error) error {
	record, err := w.ledger.Load(ctx, key)
	if errors.Is(err, ledger.ErrUnknown) || err == nil && record.State.Final() {
		return nil
	}
	if err != nil {
		return err
	}
	job := &payload.Job{MessageID: record.MessageID, EnqueuedAt: record.EnqueuedAt, Bare: key.Bare()}
	job.ID, job.Tenant, job.Metadata, job.OnUncertain = record.ID, record.Tenant, record.Metadata, rohrpost.Hold
	job.User.ID = record.User
	for _, r := range record.Recipients {
		job.To = append(job.To, rohrpost.Address{Address: r.Address})
	}
	w.giveUp(ctx, job, record, local(cause, "found by comparing ledger and queues"))
	return nil
}
