package worker

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/inventory"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/quota"
)

const (
	stockEvery = 15 * time.Minute
	stockShare = 0.1              // of the time: mails go first
	stockKey   = "rohrpost:stock" // held by the process that has taken stock last
)

// stock is taken in one process at a time.
func (w *Worker) stock() duty {
	return duty{stockKey, stockEvery, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, stockEvery-leadEvery)
		defer cancel()
		return w.takeStock(ctx, inventory.Options{Share: stockShare})
	}, "stock was not taken to the end; it is tried again later"}
}

// takeStock compares the ledger with the queues, and mends what it finds: every mail
// is in exactly one place, or its end is written down. o may shorten its pauses.
func (w *Worker) takeStock(ctx context.Context, o inventory.Options) error {
	o.Redis, o.Keep, o.Logger, o.Now = w.opts.Redis, w.opts.Keep, w.log, w.now
	census, err := w.quota.Census(ctx, 0)
	if err != nil {
		return err
	}
	o.Seen = func(r *ledger.Record) { see(census, r) }
	stock, err := inventory.New(o)
	if err != nil {
		return err
	}
	_, err = stock.Check(ctx, func(f inventory.Finding) error {
		if !f.Harmless && f.Kind != inventory.InDoubt {
			w.log.Warn().Str("job_id", f.JobID).Str("tenant", f.Tenant).Str("finding", string(f.Kind)).Strs("where", f.Where).Msg(f.Detail)
		}
		switch {
		case f.Kind == inventory.Lost:
			return w.bury(ctx, f.Key, lost(f.Cause))
		case f.Kind == inventory.NoRoom:
			return w.opts.Gate.Join(ctx, gate.Door{Account: f.Account}, gate.Mail{Queue: f.Queue, ID: string(f.Key)}, &gate.Wait{Reason: gate.Busy})
		case f.Repairable:
			if err := stock.Repair(ctx, f); !errors.Is(err, inventory.ErrNotRepairable) {
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
func lost(cause inventory.Cause) error {
	switch cause {
	case inventory.Deleted:
		return failure.ErrDeleted
	case inventory.Restarted:
		return failure.ErrRolledBack
	}
	return failure.ErrLost
}

// bury writes down that a mail has failed whose content nobody has any more. Who may
// have it is uncertain, as after any attempt that was not settled.
func (w *Worker) bury(ctx context.Context, key rohrpost.Key, cause error) error {
	record, err := w.ledger.Load(ctx, key)
	if errors.Is(err, ledger.ErrUnknown) || err == nil && record.State.Final() {
		return nil
	}
	if err != nil {
		return err
	}
	job := &rohrpost.Job{MessageID: record.MessageID, EnqueuedAt: record.EnqueuedAt, Bare: key.Bare()}
	job.ID, job.Tenant, job.Metadata, job.OnUncertain = record.ID, record.Tenant, record.Metadata, rohrpost.Hold
	for _, r := range record.Recipients {
		job.To = append(job.To, rohrpost.Address{Address: r.Address})
	}
	w.giveUp(ctx, job, record, local(cause, "found by taking stock"))
	return nil
}
