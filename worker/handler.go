package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// newerPayloadDelay is the pause before another worker, perhaps a newer one, is
// offered a payload that this one does not know.
const newerPayloadDelay = time.Minute

// A deferral tells asynq when to bring the task again.
type deferral struct {
	delay  time.Duration
	counts bool // shows as a failure in asynq's statistics
	cause  error
}

func (d *deferral) Error() string { return d.cause.Error() }
func (d *deferral) Unwrap() error { return d.cause }

// isFailure keeps deferrals that are nobody's fault out of asynq's counters.
func isFailure(err error) bool {
	var d *deferral
	return !errors.As(err, &d) || d.counts
}

// retryDelay answers asynq's question when to run a task again. Any error but a
// deferral means that asynq took the task away from a worker that died or lost
// its lease; what the ledger knows decides then.
func (w *Worker) retryDelay(_ int, err error, task *asynq.Task) time.Duration {
	if d, ok := errors.AsType[*deferral](err); ok {
		// asynq truncates to whole seconds.
		return (d.delay + time.Second - 1).Truncate(time.Second)
	}
	w.interrupted(task, err)
	return time.Second
}

// handler turns tasks into attempts.
func (w *Worker) handler(feed *queue.Feed) asynq.Handler {
	return asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		defer feed.Done()
		w.flying.Add(1)
		defer w.flying.Add(-1)
		job, err := rohrpost.DecodeJob(task.Payload())
		switch {
		case errors.Is(err, rohrpost.ErrPayloadVersion):
			id, _ := asynq.GetTaskID(ctx)
			w.log.Warn().Str("job_id", id).Err(err).Msg("deferred: run a newer worker to send this mail")
			return &deferral{delay: newerPayloadDelay, cause: err}
		case err != nil:
			id, _ := asynq.GetTaskID(ctx)
			w.log.Error().Str("job_id", id).Err(err).Msg("archived: this task was not written by a rohrpost producer")
			return fmt.Errorf("%w: %w", err, asynq.SkipRetry)
		}
		retried, _ := asynq.GetRetryCount(ctx)
		mail := gate.Mail{Queue: queue.Name(job.Priority), ID: string(job.Key())}
		known := w.opts.Gate.Came(mail) || retried > 0
		defer w.opts.Gate.Arrived(mail)
		// asynq's context ends when Redis was away for longer than a lease. Nothing
		// must be cut off for that: what the server says counts, whenever Redis is back.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.opts.AttemptTimeout)
		defer cancel()
		defer context.AfterFunc(w.cut, cancel)()
		return w.newAttempt(job).run(ctx, known)
	})
}
