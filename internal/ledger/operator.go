package ledger

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

//go:embed cancel.lua
var cancelSource string

//go:embed reopen.lua
var reopenSource string

//go:embed reschedule.lua
var rescheduleSource string

var (
	cancelScript     = redis.NewScript(recordSource + cancelSource)
	reopenScript     = redis.NewScript(recordSource + reopenSource)
	rescheduleScript = redis.NewScript(recordSource + rescheduleSource)
)

// Cancel ends a job that is not past its dot, or gives up one that is held as
// uncertain, and names its queue. Recipients who have the mail keep it: the job is
// then Partly. Those who may have it stay uncertain. The error is ErrUnknown,
// ErrSending, or ErrFinal, also of a job that is canceled already.
func (l *Ledger) Cancel(ctx context.Context, key payload.Key) (queue string, err error) {
	now := l.now()
	event := rohrpost.Event{Time: now, By: rohrpost.ByOperator}
	canceled, partly := event, event
	canceled.State, partly.State = rohrpost.Canceled, rohrpost.Partly
	return l.act(ctx, "cancel", cancelScript, key,
		now.UnixMilli(), now.Add(l.keep).UnixMilli(), encodeEvent(canceled), encodeEvent(partly))
}

// Reopen puts a job on its way again, whatever time it waits for: one that has
// ended goes to the recipients who have not got the mail, or of whom that is not
// known. Its age counts from now, and an Expires that has passed no longer counts.
// It may be repeated. The error is ErrUnknown, ErrSending or ErrNothingToRetry.
//
// The task must be run afterwards. A job whose record says Reopened and whose task
// is still in asynq's archive is one where that was missed.
func (l *Ledger) Reopen(ctx context.Context, job *payload.Job) error {
	now := l.now()
	event := rohrpost.Event{Time: now, State: rohrpost.Queued, By: rohrpost.ByOperator}
	_, err := l.act(ctx, "reopen", reopenScript, job.Key(),
		now.UnixMilli(), l.HorizonFrom(job, now).UnixMilli(), encodeEvent(event))
	return err
}

// Reschedule puts a job that is not past its dot off to another time, or brings it
// forward. Its age counts from that time. A worker that holds the job finds out
// before the dot. It may be repeated. The error is ErrUnknown, ErrSending or ErrFinal.
func (l *Ledger) Reschedule(ctx context.Context, job *payload.Job, due time.Time) error {
	now := l.now()
	event := rohrpost.Event{Time: now, State: rohrpost.Scheduled, By: rohrpost.ByOperator, NextAttempt: due}
	_, err := l.act(ctx, "reschedule", rescheduleScript, job.Key(),
		now.UnixMilli(), due.UnixMilli(), l.HorizonFrom(job, due).UnixMilli(), encodeEvent(event))
	return err
}

// act runs a script that answers with a verdict, the state before, the queue and, if
// what waits has changed, the tenant, and by how many mails and bytes.
func (l *Ledger) act(ctx context.Context, what string, script *redis.Script, key payload.Key, args ...any) (queue string, err error) {
	answer, err := script.Run(ctx, l.rdb, []string{RecordKey(key)}, args...).StringSlice()
	if err != nil {
		return "", fmt.Errorf("ledger: %s: %w", what, err)
	}
	if len(answer) == 6 {
		l.tell(answer[3], parseInt(answer[4]), parseInt(answer[5]))
	} else if len(answer) != 3 {
		return "", fmt.Errorf("ledger: %s answered %q", what, answer)
	}
	switch answer[0] {
	case "ok":
		return answer[2], nil
	case "unknown":
		return "", ErrUnknown
	case "sending":
		return "", ErrSending
	case "nothing":
		return "", fmt.Errorf("%w: %s", ErrNothingToRetry, answer[1])
	}
	return "", fmt.Errorf("%w: %s", ErrFinal, answer[1])
}
