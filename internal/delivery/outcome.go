package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// settle writes what the verdicts mean into the ledger and the error log, and
// tells asynq what to do with the task.
func (a *attempt) settle(ctx context.Context, out transport.Outcome) error {
	s := a.conclude(out)
	s.Event = a.event(out, &s)
	err := a.persist(ctx, "ledger", func(ctx context.Context) error { return a.w.ledger.Settle(ctx, a.job, s.Settlement) })
	if errors.Is(err, ledger.ErrStale) && len(a.armed) == 0 {
		return err // the record has changed, and nothing was sent: look again
	}
	a.report(ctx, out, s)
	if err == nil {
		a.became(s.State)
	}
	switch {
	case errors.Is(err, ledger.ErrStale):
		return a.reconcile(ctx) // somebody doubted this attempt; what was accepted is noted
	case err != nil:
		return &queue.Deferral{Delay: time.Second, Cause: err}
	case !s.State.Final():
		return a.putBack(ctx, s)
	case s.State == rohrpost.Uncertain:
		return a.hold(s)
	case s.worst != nil:
		// The archive keeps the payload for a retry by hand; the sweeper empties it.
		a.fails(ctx)
		return queue.Archive(s.worst)
	}
	a.ends()
	return nil
}

// putBack gives the task back to asynq until the mail's next attempt. If its account must
// wait, the mail is in the backlog: a worker receives it when it is its turn. A mail that
// waits for settings goes as soon as they are new.
func (a *attempt) putBack(ctx context.Context, c conclusion) error {
	switch {
	case a.wait != nil && !a.held:
		if err := a.w.dispatch.Enqueue(ctx, a.sender.Account.ID(), a.mail(), a.wait); err != nil {
			a.log().Warn().Err(err).Msg("the mail comes again by itself: its account's backlog cannot be reached")
			c.delay = a.w.opts.Retry.First
		}
	case a.wait == nil && a.sender.Account != nil && c.worst != nil && c.worst.Class == failure.Config:
		target := a.target()
		if err := a.w.opts.Breaker.Await(ctx, &target.Target, a.mail(), c.worst); err != nil {
			a.log().Warn().Err(err).Msg("the mail comes again at its time, new settings do not hasten it")
		}
	}
	return &queue.Deferral{Delay: c.delay, Counts: !a.held, Cause: c.cause()}
}

// hold keeps the task of a mail about which a person decides until shortly before
// the ledger forgets it. The archive would keep the latest ones only.
func (a *attempt) hold(c conclusion) error {
	const margin = 10 * time.Minute
	now := a.w.now()
	end := a.w.ledger.HorizonFrom(a.job, a.due())
	if kept := now.Add(a.w.opts.Keep); kept.After(end) {
		end = kept
	}
	return &queue.Deferral{Delay: end.Add(-margin).Sub(now), Counts: true, Cause: c.worst}
}

// event is what the history says of the attempt. A mail that is accepted at its
// first one needs none.
func (a *attempt) event(out transport.Outcome, c *conclusion) *rohrpost.Event {
	if c.worst == nil && a.record == nil {
		return nil
	}
	e := &rohrpost.Event{Host: a.host}
	if c.Counts {
		e.Attempt = 1
		if a.record != nil {
			e.Attempt += a.record.Attempts
		}
	}
	if f := c.worst; f != nil {
		e.Stage, e.Category, e.Class = string(f.Stage), f.Category, string(f.Class)
		e.Code, e.Enhanced, e.Diagnostic = f.Code, f.Enhanced, f.Diagnostic
	} else if len(out.Verdicts) > 0 {
		v := out.Verdicts[0]
		e.Code, e.Enhanced, e.Diagnostic = v.Code, v.Enhanced, v.Text
	}
	return e
}

// reconcile draws the state of the job from its record alone: after verdicts that
// came late, or when nobody is left to try.
func (a *attempt) reconcile(ctx context.Context) error {
	record, err := a.w.ledger.Load(ctx, a.job.Key())
	if err != nil {
		return &queue.Deferral{Delay: time.Second, Cause: err}
	}
	a.record, a.open, a.armed = record, nil, nil
	c := a.conclude(transport.Outcome{})
	c.Counts, c.Account = false, "" // it is no attempt
	switch {
	case record.Sending == nil && c.State.Final() && c.State != record.State:
		settle := func(ctx context.Context) error { return a.w.ledger.Settle(ctx, a.job, c.Settlement) }
		if err := a.persist(ctx, "ledger", settle); err != nil {
			return &queue.Deferral{Delay: time.Second, Cause: err}
		}
		a.became(c.State)
	case !record.State.Final():
		return &queue.Deferral{Delay: time.Second, Cause: ledger.ErrStale}
	}
	a.ends()
	return nil
}

// A conclusion is a settlement and what else follows from the verdicts.
type conclusion struct {
	ledger.Settlement
	delay time.Duration    // until asynq brings the task again
	worst *failure.Failure // the failure that stands for the attempt; nil: all accepted
}

// cause is what asynq shows of a task that waits.
func (c *conclusion) cause() error {
	if c.worst == nil {
		return errors.New("the recipients that are left follow at once")
	}
	return c.worst
}

// conclude draws the state of the job from the verdicts of this attempt and, for
// the recipients it did not try, from the record.
func (a *attempt) conclude(out transport.Outcome) conclusion {
	c := conclusion{Settlement: ledger.Settlement{
		Token: a.token, Revision: a.revision(), Twice: a.twice && len(a.armed) > 0, Verdicts: map[int]rohrpost.RecipientStatus{},
		Why: a.sender.Why,
	}}
	if a.sender.Account != nil {
		c.Account, c.Level = a.sender.Account.ID(), string(a.sender.Account.Level)
	} else if a.record != nil {
		c.Account, c.Level, c.Why = a.record.Account, a.record.Level, a.record.Why
	}
	expired := 0
	for k, i := range a.open {
		v := out.Verdicts[k]
		c.Counts = c.Counts || !a.held && counts(v.Failure)
		c.Verdicts[i] = a.status(i, v)
		if v.Failure == nil {
			continue
		}
		if v.Failure.Class == failure.Expired {
			expired++
		}
		c.worst = worse(c.worst, v.Failure)
	}
	tally := a.tally(c.Verdicts)
	tally.failed, tally.expired = tally.failed-expired, expired
	if tally.waiting > 0 {
		if a.schedule(&c, out); c.Next.Before(a.deadline()) {
			return c
		}
		a.expire(&c, &tally)
	}
	c.Next, c.State = time.Time{}, tally.state()
	return c
}

// counts reports whether a verdict makes an attempt of it: what the account or its
// server is to blame for does not, nor does a time that was over before.
func counts(f *failure.Failure) bool {
	if f == nil {
		return true
	}
	switch f.Class {
	case failure.Throttle, failure.Config, failure.Expired:
		return false
	}
	s := f.Scope()
	return s == failure.ScopeMail || s == failure.ScopeSender
}

// status is a verdict on the i-th recipient as the ledger keeps it.
func (a *attempt) status(i int, v transport.Verdict) rohrpost.RecipientStatus {
	if v.Failure == nil {
		return rohrpost.RecipientStatus{State: rohrpost.RecipientAccepted, Code: v.Code, Enhanced: v.Enhanced, Diagnostic: v.Text}
	}
	s := rohrpost.RecipientStatus{Code: v.Failure.Code, Enhanced: v.Failure.Enhanced, Diagnostic: v.Failure.Diagnostic}
	before := a.previous(i)
	switch {
	case a.held:
		s = before // nothing was tried
	case v.Failure.Class == failure.Expired && before.Diagnostic != "":
		s, s.State = before, rohrpost.RecipientFailed // what the server has said last stays
	case v.Failure.Category == tooMany && len(a.open) > 1:
		s.State = rohrpost.RecipientWaiting // with fewer others it is taken
	case v.Failure.Class == failure.Permanent, v.Failure.Class == failure.Expired:
		s.State = rohrpost.RecipientFailed
	case v.Failure.Class == failure.Uncertain:
		s.State = rohrpost.RecipientUncertain
	default:
		s.State = rohrpost.RecipientDeferred
	}
	if before.State == rohrpost.RecipientUncertain { // who may have had the mail before still may
		if s.State == rohrpost.RecipientFailed {
			a.deny(i)
		}
		s.State = rohrpost.RecipientUncertain
	}
	return s
}

// deny notes that a recipient is not tried again, although it stays uncertain
// whether it has the mail.
func (a *attempt) deny(i int) {
	if a.denied == nil {
		a.denied = map[int]bool{}
	}
	a.denied[i] = true
}

// waits reports whether the i-th recipient is tried again in this state.
func (a *attempt) waits(i int, s rohrpost.RecipientState) bool {
	switch s {
	case rohrpost.RecipientWaiting, rohrpost.RecipientDeferred:
		return true
	case rohrpost.RecipientUncertain:
		return a.job.OnUncertain != rohrpost.Hold && !a.denied[i]
	}
	return false
}

// expire fails every recipient that would wait: its time ran out.
func (a *attempt) expire(c *conclusion, t *tally) {
	for i := range a.recipients {
		v, tried := c.Verdicts[i]
		if !tried {
			v = a.previous(i)
		}
		if !a.waits(i, v.State) {
			continue
		}
		t.waiting--
		if v.State == rohrpost.RecipientUncertain {
			t.uncertain++ // whether it was accepted is still not known
			continue
		}
		t.expired++
		v.State = rohrpost.RecipientFailed
		c.Verdicts[i] = v
	}
}

// A tally counts the recipients of a job.
type tally struct{ accepted, failed, expired, uncertain, waiting int }

func (a *attempt) tally(verdicts map[int]rohrpost.RecipientStatus) tally {
	var t tally
	for i := range a.recipients {
		v, tried := verdicts[i]
		if !tried {
			v = a.previous(i)
		}
		switch {
		case a.waits(i, v.State):
			t.waiting++
		case v.State == rohrpost.RecipientAccepted:
			t.accepted++
		case v.State == rohrpost.RecipientUncertain:
			t.uncertain++
		default:
			t.failed++
		}
	}
	return t
}

// state is the end of a job for which nobody waits any more.
func (t tally) state() rohrpost.State {
	switch {
	case t.uncertain > 0:
		return rohrpost.Uncertain
	case t.failed+t.expired == 0:
		return rohrpost.Accepted
	case t.accepted > 0:
		return rohrpost.Partly
	case t.failed > 0:
		return rohrpost.Failed
	}
	return rohrpost.Expired
}

// worse picks the failure that stands for an attempt: what needs a person first.
func worse(a, b *failure.Failure) *failure.Failure {
	rank := func(f *failure.Failure) int {
		switch f.Class {
		case failure.Uncertain:
			return 5
		case failure.Config:
			return 4
		case failure.Permanent, failure.Expired:
			return 3
		case failure.Throttle:
			return 2
		}
		return 1
	}
	if a == nil || rank(b) > rank(a) {
		return b
	}
	return a
}

// doubt deals with an attempt that was armed and never settled: its worker died,
// or still waits for the reply. Its recipients are uncertain from now on.
func (a *attempt) doubt(ctx context.Context, note *ledger.Note) error {
	defer func(own string) { a.token = own }(a.token)
	a.token, a.open, a.armed = note.Token, note.Recipients, nil
	f := failure.Classify(failure.Cause{Stage: failure.StageDot, Err: failure.ErrInterrupted})
	return a.settle(ctx, a.allFailed(f))
}

// persist repeats a write until Redis takes it: once a server has said 250 that
// must be known before anything else. Only a stopping worker gives up, and what
// is then missing is uncertain to the next one. A refusal of the ledger is an answer.
func (a *attempt) persist(ctx context.Context, what string, write func(context.Context) error) error {
	const first, most = 50 * time.Millisecond, 2 * time.Second
	ctx = context.WithoutCancel(ctx)
	for pause := first; ; pause = min(2*pause, most) {
		err := write(ctx)
		if err == nil || errors.Is(err, ledger.ErrStale) || errors.Is(err, ledger.ErrTaken) {
			return err
		}
		a.log().Warn().Err(err).Str("store", what).Msg("redis did not take the outcome; trying again")
		select {
		case <-time.After(pause):
		case <-a.w.cut.Done():
			return err
		}
	}
}
