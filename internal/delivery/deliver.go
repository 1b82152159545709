package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// deliver resolves, asks the dispatcher, composes and hands over. With an error nothing
// was sent: it is one of the ledger, or of a Redis or worker that is going away.
func (a *attempt) deliver(ctx context.Context) (transport.Outcome, error) {
	if err := a.resolve(ctx); err != nil {
		return a.allFailed(failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})), nil
	}
	a.portion()
	permit, wait, err := a.w.dispatch.Admit(ctx, a.target(), a.mail(), len(a.open))
	switch {
	case err != nil:
		return transport.Outcome{}, err
	case wait != nil:
		a.wait, a.held = wait, true
		return a.allFailed(wait.Failure()), nil
	}
	out, err := a.handOver(ctx)
	switch {
	case errors.Is(err, transport.ErrBusy):
		a.held = true
		if a.wait, err = permit.NoConnection(ctx); err != nil {
			return transport.Outcome{}, err
		}
		return a.allFailed(a.wait.Failure()), nil
	case err != nil, a.w.cut.Err() != nil:
		permit.Abandon(ctx)
	default:
		a.learnPortion(out)
		a.wait = a.learn(ctx, permit, out)
	}
	return out, err
}

// resolve finds the sender. While its account is parked that may be the platform,
// if the tenant wants it so.
func (a *attempt) resolve(ctx context.Context) error {
	request := resolver.Request{
		Tenant: a.job.Tenant, User: a.job.User, Origin: a.job.Origin, Category: a.job.Category,
		From: a.job.From, ReplyTo: a.job.ReplyTo,
	}
	var err error
	if a.sender, err = a.w.opts.Resolver.Resolve(ctx, request); err != nil {
		return err // the sender is there if its account cannot be used: the log names it
	}
	account := a.sender.Account
	if a.w.opts.Breaker.Parked(account.ID(), account.Fingerprint) == nil {
		return nil
	}
	if other, ok, err := a.w.opts.Resolver.Fallback(ctx, request, a.sender); ok && err == nil {
		a.sender = other
	}
	return nil
}

// target is what the dispatcher needs to know of the sender's account.
func (a *attempt) target() dispatch.Target {
	account := a.sender.Account
	limits := account.Limits
	return dispatch.Target{
		Target: breaker.Target{
			Account: account.ID(), Tenant: a.job.Tenant, Shared: account.Level == resolver.Platform, Server: breaker.ServerOf(account), Fingerprint: account.Fingerprint,
		},
		Connections: account.Connections(a.w.opts.Connections, a.w.opts.TenantConnections),
		Limits: backlog.Limits{
			PerMinute: limits.PerMinute, PerHour: limits.PerHour, PerDay: limits.PerDay, RecipientsPerDay: limits.RecipientsPerDay,
		},
	}
}

// mail is the job's task.
func (a *attempt) mail() queue.Ref {
	return queue.Ref{Queue: queue.Name(a.job.Priority), ID: string(a.job.Key())}
}

// learn tells the dispatcher what the attempt has shown of the account and its server.
func (a *attempt) learn(ctx context.Context, permit *dispatch.Permit, out transport.Outcome) *dispatch.Wait {
	result, met := breaker.Result{}, false
	for k, v := range out.Verdicts {
		switch f := v.Failure; {
		case f == nil:
			met, result.Accepted, result.Reached = true, true, true
		case f.Stage == failure.StageWorker:
		default:
			met = true
			result.Reached = result.Reached || reached(f.Stage)
			if s := f.Scope(); s == failure.ScopeAccount || s == failure.ScopeServer {
				result.Failure = f
				result.Domains = append(result.Domains, domain(a.recipients[a.open[k]]))
			}
		}
	}
	if result.Accepted && result.Failure != nil && result.Failure.Hearsay() {
		result.Failure = nil // whoever said that, the account can send
	}
	if !met {
		permit.Abandon(ctx) // it never came to the server
		return nil
	}
	return permit.Done(ctx, result)
}

// domain is the part of an address behind the last @, in lower case.
func domain(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}

// reached reports whether the server has seen the mail at this stage.
func reached(s failure.Stage) bool {
	return slices.Contains([]failure.Stage{failure.StageMail, failure.StageRcpt, failure.StageData, failure.StageDot, failure.StageAPI}, s)
}

// date is that of the header: the same at every attempt, unless the mail was put off
// or brought forward.
func (a *attempt) date() time.Time {
	if now := a.w.now(); now.Before(a.due()) {
		return now
	}
	return a.due()
}

// handOver composes the mail and sends it.
func (a *attempt) handOver(ctx context.Context) (transport.Outcome, error) {
	size, err := a.memory(ctx)
	if err != nil {
		return transport.Outcome{}, err
	}
	if err := a.w.memory.Acquire(ctx, size); err != nil {
		return a.allFailed(unwritten(err)), nil
	}
	defer a.w.memory.Release(size)
	message, err := a.fill(ctx)
	if err != nil {
		if f := notFilled(err); f != nil {
			return a.allFailed(f), nil
		}
		return transport.Outcome{}, err
	}
	mail, f := a.write(ctx, message)
	if f != nil {
		return a.allFailed(f), nil
	}
	for _, i := range a.open {
		mail.Recipients = append(mail.Recipients, a.recipients[i])
	}
	out, err := a.w.opts.Transport.Send(ctx, a.sender.Account, mail, a.arm)
	a.host = out.Host
	if a.sender.Central() {
		for i := range out.Verdicts {
			out.Verdicts[i].Failure = out.Verdicts[i].Failure.OfCentralSender()
		}
	}
	return out, err
}

// write writes the mail as it leaves. The failure is what keeps it from leaving.
func (a *attempt) write(ctx context.Context, m *rohrpost.Message) (transport.Mail, *failure.Failure) {
	id := a.job.MessageID
	if a.record != nil && a.record.MessageID != "" {
		id = a.record.MessageID // it may have left with that
	}
	mail, id, err := a.w.opts.Outgoing.Write(ctx, outgoing.Input{
		Message: m, MessageID: id, Date: a.date(), Sender: &a.sender,
		Warn: func(why error) { a.log().Warn().Err(why).Msg("the mail leaves otherwise than asked for") },
	})
	switch {
	case err == nil:
		a.job.MessageID, mail.JobID = id, a.job.ID
		return mail, nil
	case ctx.Err() != nil:
		return mail, unwritten(ctx.Err())
	}
	return mail, local(failure.ErrMalformed, err.Error())
}

// unwritten is the failure of a mail that was not composed when the attempt ended:
// its time ran out, or the worker stops.
func unwritten(err error) *failure.Failure {
	if errors.Is(err, context.DeadlineExceeded) {
		return local(failure.ErrUnwritten, err.Error())
	}
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})
}

// arm tells the ledger, just before the final dot, which recipients are about to get the mail.
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
