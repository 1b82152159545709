package delivery

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// report writes the error log, the process log and the metrics of an attempt.
func (a *attempt) report(ctx context.Context, out transport.Outcome, c conclusion) {
	delayed := a.delayed()
	if a.held && delayed == 0 {
		return
	}
	entries := a.entries(out, c)
	for i := range entries {
		if !c.State.Final() {
			entries[i].Delayed = delayed
		}
	}
	if len(entries) > 0 {
		_ = a.persist(ctx, "error log", func(ctx context.Context) error { return a.w.opts.ErrorLog.Append(ctx, entries...) })
	}
	if !a.held {
		a.count(c)
	}
	log, level := a.log().With().Str("account", c.Account).Str("host", a.host), zerolog.InfoLevel
	if c.worst != nil {
		level = zerolog.WarnLevel
		log = log.Str("stage", string(c.worst.Stage)).Str("category", c.worst.Category).
			Int("reply_code", c.worst.Code).Str("enhanced_code", c.worst.Enhanced)
	}
	if delayed > 0 && !c.State.Final() {
		log = log.Dur("delayed", delayed)
	}
	if !c.Next.IsZero() {
		log = log.Time("next_attempt", c.Next)
	}
	logger := log.Logger()
	logger.WithLevel(level).Msg(string(c.State))
}

func (a *attempt) count(c conclusion) {
	m := a.w.opts.Metrics
	if c.worst == nil || c.worst.Class != failure.Expired {
		m.Attempt(c.Level)
	}
	switch {
	case c.worst == nil:
		m.Accepted(c.Level, a.w.now().Sub(a.job.Due()))
	case c.worst.Class == failure.Uncertain:
		m.Uncertain(c.Level)
	case c.State.Final():
		m.Failed(c.worst.Category, c.Level)
	default:
		m.Deferred(c.worst.Category, c.Level)
	}
}

// entries has one entry for each different failure of the attempt, with the
// recipients it concerns.
func (a *attempt) entries(out transport.Outcome, c conclusion) []errorlog.Entry {
	var entries []errorlog.Entry
	var failures []*failure.Failure
	for k, i := range a.open {
		f := out.Verdicts[k].Failure
		if f == nil {
			continue
		}
		at := slices.IndexFunc(failures, func(g *failure.Failure) bool { return sameFailure(f, g) })
		if at < 0 {
			at = len(entries)
			failures = append(failures, f)
			e := a.entry(f, c)
			e.Final = !a.waits(i, c.Verdicts[i].State) || c.State.Final()
			if e.Final {
				e.Tried = max(0, e.Time.Sub(a.job.Due()))
			} else {
				e.NextAttempt = c.Next
			}
			entries = append(entries, e)
		}
		entries[at].Recipients = append(entries[at].Recipients, a.recipients[i])
	}
	return entries
}

func sameFailure(f, g *failure.Failure) bool {
	return f == g || f.Rule == g.Rule && f.Code == g.Code && f.Enhanced == g.Enhanced && f.Class == g.Class && f.Stage == g.Stage
}

func (a *attempt) entry(f *failure.Failure, c conclusion) errorlog.Entry {
	e := errorlog.Entry{
		Time: a.w.now(), Tenant: a.job.Tenant, User: a.job.User.ID, JobID: a.job.ID, MessageID: payload.KnownMessageID(a.job.MessageID),
		Attempt: 1, Account: c.Account, Level: c.Level, Host: a.host, Metadata: a.job.Metadata,
	}.Because(f)
	if a.record != nil {
		e.Attempt = a.record.Attempts + 1
	}
	if f.Class == failure.Expired {
		e.Attempt-- // there was none
	}
	return e
}

// interrupted notes an attempt that ended with its worker: killed, or cut off
// from Redis for longer than the lease of its task.
func (w *Worker) interrupted(content []byte, cause error) {
	job, err := payload.Decode(content)
	if err != nil {
		return
	}
	a := w.newAttempt(job)
	a.record, _ = w.ledger.Load(context.Background(), job.Key()) // only for the number of the attempt
	f := local(failure.ErrInterrupted, cause.Error())
	e := a.entry(f, conclusion{})
	e.Recipients, e.NextAttempt = a.recipients, w.now().Add(time.Second)
	_ = a.persist(context.Background(), "error log", func(ctx context.Context) error { return w.opts.ErrorLog.Append(ctx, e) })
	a.log().Warn().Err(cause).Msg("an attempt was interrupted")
}

// log is the logger of an attempt.
func (a *attempt) log() *zerolog.Logger {
	l := a.w.log.With().Str("job_id", a.job.ID).Str("tenant", a.job.Tenant)
	if a.w.opts.ShowRecipients {
		l = l.Str("recipients", strings.Join(a.recipients, " "))
	}
	log := l.Logger()
	return &log
}
