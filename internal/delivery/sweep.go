package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const sweepKey = "rohrpost:sweep" // held by the one process that sweeps

// sweeper is the duty to look after the archive.
func (w *Worker) sweeper() duty {
	return duty{sweepKey, leadEvery - time.Second, w.sweep, "the archive could not be swept"}
}

// sweep finds the tasks that asynq archived without asking anybody: after a
// crash with no retry left, or by another tool. Their jobs have
// failed, and the error log says so. Tasks whose job ended long ago are deleted,
// with the mail that they hold.
func (w *Worker) sweep(ctx context.Context) error {
	if err := w.migrate(ctx); err != nil {
		return err
	}
	tasks := queue.NewInspector(w.opts.Redis)
	for _, name := range queue.Names() {
		if err := tasks.Archive(name, func(t *queue.Task) error { return w.sweepTask(ctx, tasks, t) }); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) sweepTask(ctx context.Context, tasks *queue.Inspector, task *queue.Task) error {
	job, err := payload.Decode(task.Payload)
	if err != nil {
		return nil // not ours, or of a newer version: an operator decides
	}
	record, err := w.ledger.Load(ctx, job.Key())
	switch {
	case errors.Is(err, ledger.ErrUnknown) && w.now().Sub(later(task.LastFail, job.Due())) > w.opts.Keep:
		// The ledger has forgotten the job, and so may the queue.
		if err := tasks.Delete(task.Ref); !errors.Is(err, queue.ErrNoTask) {
			return err
		}
		return nil
	case err != nil && !errors.Is(err, ledger.ErrUnknown):
		return err
	case err == nil && record.State.Final():
		return nil
	case err == nil && record.Reopened():
		// A person has sent it on its way again, and was interrupted.
		if err := queue.Move(ctx, w.opts.Redis, task.Ref, time.Time{}); !errors.Is(err, queue.ErrNoTask) && !errors.Is(err, queue.ErrActive) {
			return err
		}
		return nil
	}
	job.OnUncertain = rohrpost.Hold // nothing sends it again by itself
	w.giveUp(ctx, job, record, local(failure.ErrArchived, task.LastErr))
	return nil
}

// giveUp settles a job that nobody works on any more. What settle answers is for
// asynq, which is done with the task.
func (w *Worker) giveUp(ctx context.Context, job *payload.Job, record *ledger.Record, f *failure.Failure) {
	a := w.newAttempt(job)
	a.record = record
	if record != nil && record.Sending != nil {
		_ = a.doubt(ctx, record.Sending)
		return
	}
	for i := range a.recipients {
		if a.waits(i, a.previous(i).State) {
			a.open = append(a.open, i)
		}
	}
	_ = a.settle(ctx, a.allFailed(f))
}

// migrate takes over what workers of an older version have left, or still write.
func (w *Worker) migrate(ctx context.Context) error {
	return errors.Join(w.opts.Breaker.Migrate(ctx), w.backlogs.Migrate(ctx))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
