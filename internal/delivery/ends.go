package delivery

import (
	"context"
	"time"

	"github.com/rohrpost/rohrpost/internal/blob"
)

// ends gives up the blobs of a mail that is done with: asynq deletes its task.
func (a *attempt) ends() {
	a.w.leaver.Leave(blob.UseOf(a.job))
}

// fails keeps the content of a mail that has failed, within the bound of its tenant.
func (a *attempt) fails(ctx context.Context) {
	if err := a.w.failed.Add(context.WithoutCancel(ctx), a.job); err != nil {
		a.log().Warn().Err(err).Msg("the content of a failed mail stays until its time is over, beside the bound of its tenant")
	}
}

// flushEvery is how often a worker writes what has gathered: tenants that wait for room
// do not notice, and Redis does not either.
const flushEvery = 250 * time.Millisecond

// flushed says of what a worker gathers whether the last writing has failed.
type flushed struct{ returns, leaver, becomes bool }

// flushLoop writes what has gathered until ctx ends.
func (w *Worker) flushLoop(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	var failing flushed
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		w.flush(ctx, &failing)
	}
}

// flush writes what has gathered, and warns of the first of a row of failures.
func (w *Worker) flush(ctx context.Context, failing *flushed) {
	write := func(failing *bool, flush func(context.Context) error, what string) {
		err := flush(ctx)
		if err != nil && !*failing && ctx.Err() == nil {
			w.log.Warn().Err(err).Msg(what)
		}
		*failing = err != nil
	}
	write(&failing.returns, w.returns.Flush,
		"mails that have ended still count as waiting for their tenants; it is tried again, and set right when the worker reconciles")
	write(&failing.leaver, w.leaver.Flush,
		"attachments of mails that have ended are still in redis; it is tried again, and they end by their time")
	write(&failing.becomes, w.becomes.Flush,
		"the index of mails does not know yet what has become of some; it is tried again, and set right when the worker reconciles")
}
