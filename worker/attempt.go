package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/resolver"
)

// An attempt is one try at the recipients of a job that are still open.
type attempt struct {
	w          *Worker
	job        *rohrpost.Job
	recipients []string
	token      string
	record     *ledger.Record // nil: the job is taken to be new

	open   []int           // indexes of the recipients to try
	twice  bool            // some of them may have the mail
	armed  []int           // indexes whose mail may be out
	sender resolver.Sender // zero until resolved
	host   string
	held   bool // the account is parked: nothing was tried
	parked bool // the account is parked, by this attempt or another
}

func (w *Worker) newAttempt(job *rohrpost.Job) *attempt {
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
			record, err := a.w.ledger.Load(ctx, a.job.ID)
			if err != nil && !errors.Is(err, ledger.ErrUnknown) {
				return &deferral{delay: time.Second, cause: err}
			}
			a.record = record
		}
		err = a.try(ctx)
		if !errors.Is(err, ledger.ErrStale) {
			return err
		}
		known = true
	}
	return &deferral{delay: time.Second, cause: err}
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
		return &deferral{delay: time.Second, cause: err}
	case a.w.cut.Err() != nil && len(a.armed) == 0:
		return &deferral{cause: errors.New("worker is stopping")}
	}
	return a.settle(ctx, out)
}

// look decides by the record whether there is anything to do, and for whom.
func (a *attempt) look(ctx context.Context) (done bool, err error) {
	a.open, a.twice, a.held, a.parked = a.open[:0], false, false, false
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
		return true, nil
	case a.record.Sending != nil:
		return true, a.doubt(ctx, a.record.Sending)
	}
	for i := range a.recipients {
		switch a.previous(i).State {
		case rohrpost.RecipientAccepted, rohrpost.RecipientFailed:
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

// deliver resolves, composes and hands over. With an error nothing was sent: it
// is one of the ledger, or of a Redis or worker that is going away.
func (a *attempt) deliver(ctx context.Context) (transport.Outcome, error) {
	sender, err := a.w.opts.Resolver.Resolve(ctx, resolver.Request{
		Tenant: a.job.Tenant, User: a.job.User, Origin: a.job.Origin, Category: a.job.Category,
		From: a.job.From, ReplyTo: a.job.ReplyTo,
	})
	a.sender = sender // also of an account that cannot be used: the log names it
	if err != nil {
		return a.allFailed(failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})), nil
	}
	if n := a.w.opts.Gate.Parked(sender.Account.ID(), sender.Account.Fingerprint); n != nil {
		a.held, a.parked = true, true
		return a.allFailed(n.Failure()), nil
	}
	size := a.size()
	if err := a.w.memory.Acquire(ctx, size); err != nil {
		return a.allFailed(failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})), nil
	}
	defer a.w.memory.Release(size)
	message, err := a.fill(ctx)
	switch {
	case errors.Is(err, blob.ErrMissing):
		return a.allFailed(local(failure.ErrMalformed, err.Error())), nil
	case err != nil:
		return transport.Outcome{}, err
	}
	body, err := compose.Compose(compose.Input{
		Message: message, MessageID: a.job.MessageID, Date: a.job.Due(), From: sender.From, ReplyTo: sender.ReplyTo,
		Branding: sender.Branding,
	})
	if err != nil {
		return a.allFailed(local(failure.ErrMalformed, err.Error())), nil
	}
	mail := transport.Mail{JobID: a.job.ID, ReversePath: sender.ReversePath, Body: body}
	for _, i := range a.open {
		mail.Recipients = append(mail.Recipients, a.recipients[i])
	}
	out, err := a.w.opts.Transport.Send(ctx, sender.Account, mail, a.arm)
	a.host = out.Host
	for i := range out.Verdicts {
		out.Verdicts[i].Failure = sender.Because(out.Verdicts[i].Failure)
	}
	a.park(ctx, out)
	return out, err
}

// park keeps everybody from logging in again after a refused login.
func (a *attempt) park(ctx context.Context, out transport.Outcome) {
	at := slices.IndexFunc(out.Verdicts, func(v transport.Verdict) bool { return gate.Parks(v.Failure) })
	if at < 0 {
		return
	}
	a.parked = true
	account := a.sender.Account
	if err := a.w.opts.Gate.Park(ctx, account.ID(), account.Fingerprint(), out.Verdicts[at].Failure); err != nil {
		a.log().Warn().Err(err).Str("account", account.ID()).Msg("the refused login is not known to other workers yet")
	}
}

// arm tells the ledger, just before the final dot, who is about to get the mail.
func (a *attempt) arm(ctx context.Context, accepted []int) error {
	indexes := make([]int, len(accepted))
	for n, i := range accepted {
		indexes[n] = a.open[i]
	}
	err := a.w.ledger.Arm(ctx, a.job, a.revision(), a.token, indexes)
	if err != nil && !errors.Is(err, ledger.ErrStale) && !errors.Is(err, ledger.ErrTaken) {
		// The note may stand, only its answer was lost: the next attempt would doubt it.
		nothing := ledger.Settlement{Token: a.token, Revision: a.revision(), State: rohrpost.Deferred}
		_ = a.persist(ctx, "ledger", func(ctx context.Context) error { return a.w.ledger.Settle(ctx, a.job, nothing) })
	}
	if err != nil {
		return err
	}
	a.armed = indexes
	return nil
}

// fill puts the contents of the blobs back into the message.
func (a *attempt) fill(ctx context.Context) (*rohrpost.Message, error) {
	m := a.job.Message
	digests := make([]string, 0, len(m.Attachments)+2)
	for _, d := range [...]string{a.job.TextDigest, a.job.HTMLDigest} {
		if d != "" {
			digests = append(digests, d)
		}
	}
	for _, f := range m.Attachments {
		digests = append(digests, f.Digest)
	}
	contents, err := a.w.blobs.Get(ctx, digests...)
	if err != nil {
		return nil, err
	}
	if a.job.TextDigest != "" {
		m.Text = string(contents[a.job.TextDigest])
	}
	if a.job.HTMLDigest != "" {
		m.HTML = string(contents[a.job.HTMLDigest])
	}
	if len(m.Attachments) > 0 {
		files := make([]rohrpost.Attachment, len(m.Attachments))
		for i, f := range m.Attachments {
			f.Content = contents[f.Digest]
			files[i] = f
		}
		m.Attachments = files
	}
	return &m, nil
}

// local is a failure of our own, without a server.
func local(kind error, detail string) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: fmt.Errorf("%w: %s", kind, detail)})
}

// size is about what composing and sending the job takes in memory.
func (a *attempt) size() int64 {
	const perMail, inflation = 16 << 10, 5 // a 20 MiB attachment costs five times that, measured
	size := int64(len(a.job.Text) + len(a.job.HTML))
	for _, f := range a.job.Attachments {
		size += f.Size
	}
	return min(perMail+inflation*size, a.w.opts.MaxBytes)
}

// deadline is when trying ends.
func (a *attempt) deadline() time.Time {
	if !a.job.Expires.IsZero() {
		return a.job.Expires
	}
	return a.job.Due().Add(a.w.opts.Retry.GiveUp)
}

func (a *attempt) expired() *failure.Failure {
	return local(failure.ErrExpired, "at "+a.deadline().UTC().Format(time.RFC3339))
}

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
