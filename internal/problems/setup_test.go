package problems_test

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/resolver"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// A world is a service with everything that it asks, on a Redis of its own.
type world struct {
	*problems.Service
	tb       testing.TB
	server   *redistest.Server
	rdb      redis.UniversalClient
	log      *errorlog.Log
	ledger   *ledger.Ledger
	backlog  *backlog.Store
	breaker  *breaker.Breaker
	accounts map[resolver.Place]*resolver.Account
	now      time.Time
}

func open(tb testing.TB) *world {
	tb.Helper()
	w := &world{tb: tb, server: redistest.Start(tb), now: time.Now().Truncate(time.Millisecond), accounts: map[resolver.Place]*resolver.Account{}}
	w.rdb = w.server.Client(tb)
	clock := func() time.Time { return w.now }
	w.backlog = backlog.New(w.rdb, clock)
	var errs [4]error
	w.log, errs[0] = errorlog.New(errorlog.Options{Redis: w.rdb, Now: clock})
	w.ledger, errs[1] = ledger.New(ledger.Options{Redis: w.rdb, Now: clock})
	w.breaker, errs[2] = breaker.New(breaker.Options{Redis: w.rdb, Backlog: w.backlog, Now: clock})
	w.Service, errs[3] = problems.New(problems.Options{
		Log: w.log, Ledger: w.ledger, Backlogs: w.backlog, States: w.states, Now: clock,
		Account: func(_ context.Context, p resolver.Place) (*resolver.Account, error) { return w.accounts[p], nil },
	})
	w.must(cmp.Or(errs[0], errs[1], errs[2], errs[3]))
	return w
}

func (w *world) states(context.Context) ([]*breaker.State, error) { return w.breaker.States(), nil }

func (w *world) must(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *world) advance(d time.Duration) { w.now = w.now.Add(d) }

// send opens the record of a mail.
func (w *world) send(tenant, id string) *payload.Job {
	w.tb.Helper()
	job := &payload.Job{EnqueuedAt: w.now}
	job.ID, job.Tenant, job.MessageID = id, tenant, "<"+id+"@acme.example>"
	job.From, job.To = rohrpost.Address{Address: "a@acme.example"}, []rohrpost.Address{{Address: "kunde@example.org"}}
	var batch lua.Batch
	reservation := w.ledger.Reserve(&batch, job, ledger.Opening{Nonce: "nonce", Weight: 1})
	w.must(batch.Exec(w.tb.Context(), w.rdb))
	_, err := reservation.Receipt()
	w.must(err)
	return job
}

// settle is an attempt with this end.
func (w *world) settle(job *payload.Job, state rohrpost.State, next time.Time) {
	w.tb.Helper()
	r, err := w.ledger.Load(w.tb.Context(), job.Key())
	w.must(err)
	w.must(w.ledger.Settle(w.tb.Context(), job, ledger.Settlement{
		Revision: r.Revision, State: state, Counts: true, Next: next, Account: "tenant/" + job.Tenant, Level: "tenant",
	}))
}

// fails logs a failed attempt of a mail, now.
func (w *world) fails(tenant, id, account string, f *failure.Failure, recipients ...string) {
	w.tb.Helper()
	if len(recipients) == 0 {
		recipients = []string{"kunde@example.org"}
	}
	w.must(w.log.Append(w.tb.Context(), errorlog.Entry{
		Time: w.now, Tenant: tenant, JobID: id, Attempt: 1, Account: account, Level: "tenant", Host: "smtp.acme.example:587",
		Recipients: recipients, Final: f.Class == failure.Permanent,
	}.Because(f)))
}

func (w *world) report(whose problems.Whose) *problems.Report {
	w.tb.Helper()
	r, err := w.Report(w.tb.Context(), whose)
	w.must(err)
	if r.NoOutcomes || r.NoWaiting {
		w.tb.Fatalf("redis did not tell: %+v", r)
	}
	return r
}

func (w *world) waiting(whose problems.Whose) []problems.Waiting {
	w.tb.Helper()
	list, _, err := w.Waiting(w.tb.Context(), whose)
	w.must(err)
	return list
}

// enqueue puts mails into the backlog of an account.
func (w *world) enqueue(account, why string, due time.Time, mails ...string) {
	w.tb.Helper()
	for _, id := range mails {
		w.must(w.backlog.Enqueue(w.tb.Context(), account, queue.Ref{Queue: "default", ID: id}, due, why))
	}
}

func reply(stage failure.Stage, code int, text string) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: stage, Reply: failure.Reply{Code: code, Lines: []string{text}}, Host: "smtp.acme.example"})
}

func refusedLogin() *failure.Failure { return reply(failure.StageAuth, 535, "5.7.8 wrong password") }
func noSuchUser() *failure.Failure   { return reply(failure.StageRcpt, 550, "5.1.1 no such user") }
func pauseAsked() *failure.Failure {
	return reply(failure.StageMail, 450, "4.7.28 sending limit exceeded, try later")
}

// find is the problem with this subject and category; "": any.
func find(t *testing.T, r *problems.Report, s problems.Subject, category string) *problems.Problem {
	t.Helper()
	i := slices.IndexFunc(r.Problems, func(p problems.Problem) bool { return p.Subject == s && (category == "" || p.Category == category) })
	if i < 0 {
		t.Fatalf("no problem of %+v among %+v", s, r.Problems)
	}
	return &r.Problems[i]
}

// ending is a log whose reading ends after so many entries, as its time would end it.
type ending struct {
	*errorlog.Log
	after int
}

func (l ending) Query(ctx context.Context, f errorlog.Filter) iter.Seq2[errorlog.Entry, error] {
	return func(yield func(errorlog.Entry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		n := 0
		for e, err := range l.Log.Query(ctx, f) {
			if n++; n == l.after {
				cancel()
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func contextOf(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
