package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// newerPayloadDelay is the pause before another worker, perhaps a newer one, is
// offered a payload that this one does not know.
const newerPayloadDelay = time.Minute

// handle turns tasks into attempts.
func (w *Worker) handle(ctx context.Context, d queue.Delivery) error {
	w.flying.Add(1)
	defer w.flying.Add(-1)
	job, err := payload.Decode(d.Payload)
	switch {
	case errors.Is(err, payload.ErrVersion):
		w.log.Warn().Str("job_id", d.ID).Err(err).Msg("deferred: run a newer worker to send this mail")
		return &queue.Deferral{Delay: newerPayloadDelay, Cause: err}
	case err != nil:
		w.log.Error().Str("job_id", d.ID).Err(err).Msg("archived: this task was not written by a rohrpost producer")
		return queue.Archive(err)
	}
	mail := queue.Ref{Queue: queue.Name(job.Priority), ID: string(job.Key())}
	known := w.dispatch.Begin(mail) || d.Again
	defer w.dispatch.End(mail)
	// asynq's context ends when Redis was away for longer than a lease. Nothing
	// must be cut off for that: what the server says counts, whenever Redis is back.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.opts.AttemptTimeout)
	defer cancel()
	defer context.AfterFunc(w.cut, cancel)()
	return w.newAttempt(job).run(ctx, known)
}
