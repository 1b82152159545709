package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/producer"
)

// Why something was not done to a task.
var (
	errBadBody = errors.New("the request names no tasks")
	errNoMail  = errors.New("not a mail")
	errNewer   = errors.New("a mail of a newer version")
	errWaits   = errors.New("it waits for a worker already")
	errYoung   = errors.New("a mail that may be being enqueued")
	errNoTime  = errors.New("the time of the act is over")
)

// young is for how long a task may be there before its mail's record is.
const young = 10 * time.Minute

// A target is a task, and the mail in it.
type target struct {
	*queue.Task
	job *payload.Job // nil: it is no mail of rohrpost
}

// find reads a task. Its id says nothing: the mail in it does.
func (a *acts) find(name, id string) (*target, error) {
	task, err := a.inspector.Task(queue.Ref{Queue: name, ID: id})
	if err != nil {
		return nil, err
	}
	job, err := payload.Decode(task.Payload)
	if errors.Is(err, payload.ErrVersion) {
		return nil, errNewer
	}
	if err != nil {
		job = nil
	}
	return &target{task, job}, nil
}

// act does one deed to one task: Delete cancels the mail, Run sends it. Which way Run
// takes depends on where the task is by now, not on the tab.
func (a *acts) act(ctx context.Context, d deed, id string) error {
	t, err := a.find(d.queue, id)
	if err != nil {
		return err
	}
	switch {
	case d.action == audit.Cancel:
		return a.cancel(ctx, t)
	case t.job == nil:
		return errNoMail
	}
	switch t.State {
	case queue.Archived:
		return a.mails.Retry(ctx, t.job.Tenant, t.job.ID)
	case queue.Pending:
		return errWaits
	}
	return a.mails.Reschedule(ctx, t.job.Tenant, t.job.ID, a.now().Add(time.Second))
}

// cancel ends a mail. A task of which the ledger knows nothing cannot be ended
// there: it is deleted.
func (a *acts) cancel(ctx context.Context, t *target) error {
	if t.job != nil {
		err := a.mails.Cancel(ctx, t.job.Tenant, t.job.ID)
		switch {
		case !errors.Is(err, producer.ErrNotFound):
			return err
		case a.now().Sub(t.job.EnqueuedAt) < young:
			return errYoung
		}
	}
	return a.inspector.Delete(t.Ref)
}

// reason is the key of the text that says why something was not done. What nobody
// has thought of goes to the log.
func (a *acts) reason(err error) string {
	for _, known := range []struct {
		err error
		key string
	}{
		{errBadBody, "act_body"},
		{queue.ErrNoTask, "act_no_task"},
		{errNoMail, "act_no_mail"},
		{errNewer, "act_newer"},
		{errWaits, "act_waits"},
		{errYoung, "act_young"},
		{errNoTime, "act_no_time"},
		{producer.ErrNotFound, "act_no_record"},
		{producer.ErrFinal, "act_final"},
		{producer.ErrSending, "act_sending"},
		{producer.ErrNothingToRetry, "act_nothing"},
		{producer.ErrContentGone, "act_content"},
	} {
		if errors.Is(err, known.err) {
			return known.key
		}
	}
	if _, ok := errors.AsType[*rohrpost.FieldError](err); ok {
		return "act_expires" // Reschedule has nothing else against a moment from now
	}
	a.log.Error().Err(err).Msg("web: an act has failed")
	return "act_failed"
}
