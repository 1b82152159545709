package delivery

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// nowhere is a Resolver and Transport that nobody asks.
type nowhere struct{}

func (nowhere) Resolve(context.Context, resolver.Request) (resolver.Sender, error) {
	return resolver.Sender{}, resolver.ErrNoAccount
}

func (nowhere) Send(context.Context, *resolver.Account, transport.Mail, transport.Arm) (transport.Outcome, error) {
	return transport.Outcome{}, resolver.ErrNoAccount
}

func (nowhere) Fallback(context.Context, resolver.Request, resolver.Sender) (resolver.Sender, bool, error) {
	return resolver.Sender{}, false, nil
}

// sweeping is a worker that takes no tasks, an archived mail, and its log.
func sweeping(t *testing.T) (*Worker, redis.UniversalClient, *payload.Job, *errorlog.Log) {
	t.Helper()
	rdb := redistest.Start(t).Client(t)
	log, err := errorlog.New(errorlog.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	open, err := breaker.New(breaker.Options{Redis: rdb, Backlog: backlog.New(rdb, nil)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Options{Redis: rdb, Resolver: nowhere{}, Transport: nowhere{}, Breaker: open, ErrorLog: log})
	if err != nil {
		t.Fatal(err)
	}
	if w.ledger, err = ledger.New(ledger.Options{Redis: rdb}); err != nil {
		t.Fatal(err)
	}
	w.cut, w.cutNow = context.WithCancel(t.Context())
	t.Cleanup(w.cutNow)
	mail, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = mail.Send(t.Context(), rohrpost.Message{
		ID: "one", Tenant: "acme", Text: "x", To: []rohrpost.Address{{Address: "a@example.org"}, {Address: "b@example.org"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	info, err := inspector.GetTaskInfo("default", "one,acme")
	if err != nil {
		t.Fatal(err)
	}
	job, err := payload.Decode(info.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := inspector.ArchiveTask("default", "one,acme"); err != nil {
		t.Fatal(err)
	}
	return w, rdb, job, log
}

func entries(t *testing.T, log *errorlog.Log) (list []errorlog.Entry) {
	t.Helper()
	for e, err := range log.Query(t.Context(), errorlog.Filter{AllTenants: true, OldestFirst: true}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// TestSweepArchived: a mail that somebody archived has failed, and the log says
// so, once.
func TestSweepArchived(t *testing.T) {
	t.Parallel()
	w, _, job, log := sweeping(t)
	for range 2 {
		if err := w.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	record, err := w.ledger.Load(t.Context(), job.Key())
	if err != nil || record.State != rohrpost.Failed {
		t.Errorf("state %v, %v", record, err)
	}
	list := entries(t, log)
	if len(list) != 1 || !list[0].Final || list[0].Class != string(failure.Permanent) || len(list[0].Recipients) != 2 || list[0].Tenant != "acme" {
		t.Errorf("entries %+v", list)
	}
}

// TestSweepUncertain: a mail that was archived while its worker waited for the
// last answer is uncertain, not failed.
func TestSweepUncertain(t *testing.T) {
	t.Parallel()
	w, _, job, log := sweeping(t)
	if err := w.ledger.Arm(t.Context(), job, 0, "dead", []int{0}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := w.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	record, err := w.ledger.Load(t.Context(), job.Key())
	if err != nil || record.State != rohrpost.Uncertain ||
		record.Recipients[0].State != rohrpost.RecipientUncertain || record.Recipients[1].State != rohrpost.RecipientFailed {
		t.Errorf("record %+v, %v", record, err)
	}
	if list := entries(t, log); len(list) != 2 || list[0].Class != string(failure.Uncertain) || list[1].Class != string(failure.Permanent) {
		t.Errorf("entries %+v", list)
	}
}

// TestSweepForgets: a task whose job nobody knows any more goes, with the mail in it.
func TestSweepForgets(t *testing.T) {
	t.Parallel()
	w, rdb, job, log := sweeping(t)
	if err := rdb.Del(t.Context(), "rohrpost:job:{"+job.ID+"},acme").Err(); err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return time.Now().Add(ledger.DefaultKeep + time.Hour) }
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := asynq.NewInspectorFromRedisClient(rdb).GetTaskInfo("default", string(job.Key()))
	if err == nil || len(entries(t, log)) != 0 {
		t.Errorf("the task is still there: %v", err)
	}
}

// TestSweepReopened: a mail that a person has sent on its way again, and whose task
// stayed in the archive since that was interrupted, goes.
func TestSweepReopened(t *testing.T) {
	t.Parallel()
	w, rdb, job, log := sweeping(t)
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(entries(t, log))
	if err := w.ledger.Reopen(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	info, err := asynq.NewInspectorFromRedisClient(rdb).GetTaskInfo("default", string(job.Key()))
	if err != nil || info.State != asynq.TaskStatePending || len(entries(t, log)) != before {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestReconcile: a mail whose task is gone has failed, and the log says that its
// content was lost; one whose task is in no set any more goes.
func TestReconcile(t *testing.T) {
	t.Parallel()
	w, rdb, job, log := sweeping(t)
	mail, err := producer.New(rdb, producer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = mail.Send(t.Context(), rohrpost.Message{ID: "two", Tenant: "acme", Text: "x", To: []rohrpost.Address{{Address: "c@example.org"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(rdb.LRem(t.Context(), "asynq:{default}:pending", 0, "two,acme").Err(),
		rdb.ZRem(t.Context(), "asynq:{default}:archived", string(job.Key())).Err(), rdb.Del(t.Context(), "asynq:{default}:t:"+string(job.Key())).Err()); err != nil {
		t.Fatal(err)
	}
	w.now = func() time.Time { return time.Now().Add(time.Hour) }
	for range 2 { // the second one finds nothing
		if err := w.reconcile(t.Context(), reconcile.Options{Pause: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	record, err := w.ledger.Load(t.Context(), job.Key())
	if err != nil || record.State != rohrpost.Failed {
		t.Errorf("%+v, %v", record, err)
	}
	list := entries(t, log)
	if len(list) != 1 || !list[0].Final || len(list[0].Recipients) != 2 || !strings.Contains(failure.Hint(list[0].Rule, "en"), "no longer in Redis") {
		t.Errorf("entries %+v", list)
	}
	info, err := asynq.NewInspectorFromRedisClient(rdb).GetTaskInfo("default", "two,acme")
	if err != nil || info.State != asynq.TaskStatePending {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestSweepWithoutRecord: an archived mail of which the ledger knows nothing has failed,
// and its content stays as long as that of others; then both go.
func TestSweepWithoutRecord(t *testing.T) {
	t.Parallel()
	w, rdb, job, _ := sweeping(t)
	tasks := queue.NewInspector(rdb)
	ref := queue.Ref{Queue: "default", ID: string(job.Key())}
	forget := func() { rdb.Del(t.Context(), "rohrpost:job:{one},acme") }
	forget()
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tasks.Task(ref); err != nil {
		t.Errorf("a young one: %v", err)
	}
	if record, err := w.ledger.Load(t.Context(), job.Key()); err != nil || record.State != rohrpost.Failed {
		t.Errorf("%+v, %v", record, err)
	}
	forget()
	w.now = func() time.Time { return time.Now().Add(w.opts.Keep + time.Minute) }
	if err := w.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tasks.Task(ref); !errors.Is(err, queue.ErrNoTask) {
		t.Errorf("an old one: %v", err)
	}
}
