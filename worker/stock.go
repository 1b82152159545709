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
)

const (
	stockEvery = 15 * time.Minute
	stockShare = 0.1              // of the time: mails go first
	stockKey   = "rohrpost:stock" // held by the process that has taken stock last
)

// stockLoop takes stock in one process at a time. One that dies over it is followed
// by another at the next turn.
func (w *Worker) stockLoop(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		mine, err := w.opts.Redis.SetNX(ctx, stockKey, w.token, stockEvery).Result()
		if err != nil || !mine {
			continue
		}
		taking, cancel := context.WithTimeout(ctx, stockEvery-sweepEvery)
		if err := w.takeStock(taking, inventory.Options{Share: stockShare}); err != nil && ctx.Err() == nil {
			w.log.Warn().Err(err).Msg("stock was not taken to the end; it is tried again later")
		}
		cancel()
	}
}

// takeStock compares the ledger with the queues, and mends what it finds: every mail
// is in exactly one place, or its end is written down. o may shorten its pauses.
func (w *Worker) takeStock(ctx context.Context, o inventory.Options) error {
	o.Redis, o.Keep, o.Logger, o.Now = w.opts.Redis, w.opts.Keep, w.log, w.now
	stock, err := inventory.New(o)
	if err != nil {
		return err
	}
	_, err = stock.Check(ctx, func(f inventory.Finding) error {
		if !f.Harmless {
			w.log.Warn().Str("job_id", f.JobID).Str("tenant", f.Tenant).Str("finding", string(f.Kind)).Strs("where", f.Where).Msg(f.Detail)
		}
		switch {
		case f.Kind == inventory.Lost:
			return w.bury(ctx, f.Key)
		case f.Kind == inventory.NoRoom:
			return w.opts.Gate.Join(ctx, gate.Door{Account: f.Account}, gate.Mail{Queue: f.Queue, ID: string(f.Key)}, &gate.Wait{Reason: gate.Busy})
		case f.Repairable:
			if err := stock.Repair(ctx, f); !errors.Is(err, inventory.ErrNotRepairable) {
				return err
			}
		}
		return nil
	})
	return err
}

// bury writes down that a mail has failed whose content nobody has any more. Who may
// have it is uncertain, as after any attempt that was not settled.
func (w *Worker) bury(ctx context.Context, key rohrpost.Key) error {
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
	w.giveUp(ctx, job, record, local(failure.ErrLost, "found by taking stock"))
	return nil
}
