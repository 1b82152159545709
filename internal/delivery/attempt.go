package delivery

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// An attempt is one try at the recipients of a job that are still open.
type attempt struct {
	w          *Worker
	job        *payload.Job
	recipients []string
	token      string
	record     *ledger.Record // nil: the job is taken to be new

	open   []int           // indexes of the recipients to try
	twice  bool            // some of them may have the mail
	armed  []int           // indexes whose mail may be out
	denied map[int]bool    // who may have had the mail before, and was refused for good now
	sender resolver.Sender // zero until resolved
	host   string
	wait   *dispatch.Wait // the account or its server must wait, and the mail with it
	held   bool           // nothing was tried because of that
}

func (w *Worker) newAttempt(job *payload.Job) *attempt {
	return &attempt{
		w: w, job: job, recipients: job.Recipients(),
		token: w.token + strconv.FormatInt(w.counter.Add(1), 36),
	}
}

// run makes the attempt. known says that the job was tried before, so that its
// record must be read; for a new one Arm finds out if that was wrong.
func (a *attempt) run(ctx context.Context, known bool) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = a.panicked(ctx, p)
		}
	}()
	const looks = 3 // a record changes under an attempt when somebody cancels, or a lost attempt reports late
	for range looks {
		if known {
			record, err := a.w.ledger.Load(ctx, a.job.Key())
			if err != nil && !errors.Is(err, ledger.ErrUnknown) {
				return &queue.Deferral{Delay: time.Second, Cause: err}
			}
			a.record = record
		}
		err = a.try(ctx)
		if !errors.Is(err, ledger.ErrStale) {
			return err
		}
		known = true
	}
	return &queue.Deferral{Delay: time.Second, Cause: err}
}

// try goes from the record to the settlement.
func (a *attempt) try(ctx context.Context) error {
	if done, err := a.look(ctx); done {
		return err
	}
	if deadline := a.deadline(); !a.w.now().Before(deadline) {
		return a.settle(ctx, a.allFailed(a.expired()))
	}
	out, err := a.deliver(ctx)
	switch {
	case errors.Is(err, ledger.ErrStale):
		return err
	case errors.Is(err, ledger.ErrTaken):
		a.log().Error().Err(err).Msg("dropped: another tenant's mail has this id")
		return nil
	case err != nil:
		// The ledger did not answer before the dot: nothing was sent.
		return &queue.Deferral{Delay: time.Second, Cause: err}
	case a.w.cut.Err() != nil && len(a.armed) == 0:
		return &queue.Deferral{Cause: errors.New("worker is stopping")}
	}
	if a.held {
		defer a.w.opts.Metrics.Waits(string(a.wait.Reason), string(a.sender.Account.Level))
		a.log().Debug().Str("account", a.sender.Account.ID()).Str("reason", string(a.wait.Reason)).Msg("waits for its account")
		if a.told() {
			return &queue.Deferral{Delay: a.net(), Cause: a.wait.Failure()}
		}
	}
	return a.settle(ctx, out)
}

// look decides by the record whether there is anything to do, and for whom.
func (a *attempt) look(ctx context.Context) (done bool, err error) {
	a.open, a.denied, a.twice, a.wait, a.held = a.open[:0], nil, false, nil, false
	if a.record == nil {
		for i := range a.recipients {
			a.open = append(a.open, i)
		}
		return false, nil
	}
	switch {
	case a.record.Tenant != a.job.Tenant:
		a.log().Error().Err(ledger.ErrTaken).Msg("dropped: another tenant's mail has this id")
		return true, nil
	case a.record.State.Final():
		a.ends()
		return true, nil
	case a.record.Sending != nil:
		return true, a.doubt(ctx, a.record.Sending)
	}
	if wait := a.record.Waits(a.w.now()); wait > 0 {
		return true, &queue.Deferral{Delay: wait, Cause: errors.New("put off")}
	}
	for i := range a.recipients {
		switch a.previous(i).State {
		case rohrpost.RecipientAccepted, rohrpost.RecipientFailed, rohrpost.RecipientSuppressed, rohrpost.RecipientBounced:
		case rohrpost.RecipientUncertain:
			if a.job.OnUncertain != rohrpost.Hold {
				a.open, a.twice = append(a.open, i), true
			}
		default:
			a.open = append(a.open, i)
		}
	}
	if len(a.open) == 0 {
		return true, a.reconcile(ctx) // everybody has a verdict, but the job no state
	}
	return false, nil
}

// revision is that of the record the attempt has read.
func (a *attempt) revision() int {
	if a.record == nil {
		return 0
	}
	return a.record.Revision
}

// previous is what the record says of a recipient.
func (a *attempt) previous(i int) rohrpost.RecipientStatus {
	if a.record == nil || i >= len(a.record.Recipients) {
		return rohrpost.RecipientStatus{State: rohrpost.RecipientWaiting}
	}
	return a.record.Recipients[i]
}

// local is a failure of our own, without a server.
func local(kind error, detail string) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: fmt.Errorf("%w: %s", kind, detail)})
}

// deadline is when trying ends.
func (a *attempt) deadline() time.Time { return a.record.Deadline(a.job, a.w.opts.Retry.GiveUp) }

func (a *attempt) allFailed(f *failure.Failure) transport.Outcome {
	return transport.AllFailed(a.host, len(a.open), f)
}

// panicked ends an attempt that has crashed. After the dot nobody knows whether
// the mail is out.
func (a *attempt) panicked(ctx context.Context, p any) error {
	a.log().Error().Str("panic", fmt.Sprintf("%T", p)).Bytes("stack", debug.Stack()).Msg("an attempt crashed")
	stage := failure.StageWorker
	if len(a.armed) > 0 {
		stage = failure.StageDot
	}
	return a.settle(ctx, a.allFailed(failure.Classify(failure.Cause{Stage: stage, Err: failure.ErrInterrupted})))
}
