package delivery_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
	"github.com/rohrpost/rohrpost/producer"
	"github.com/rohrpost/rohrpost/resolver"
)

// A harness is a worker with everything around it: a real Redis, a scripted mail
// server, the client package, and a channel on which every outcome arrives.
type harness struct {
	t        *testing.T
	redis    *redistest.Server
	rdb      redis.UniversalClient
	server   *smtptest.Server
	mail     *producer.Client
	log      *errorlog.Log
	options  delivery.Options
	outcomes outcomes
}

const waitLimit = 30 * time.Second

// newHarness starts everything but the worker. change may alter its options.
func newHarness(t *testing.T, change ...func(*delivery.Options)) *harness {
	t.Helper()
	h := &harness{t: t, outcomes: make(outcomes, 1000)}
	h.redis = redistest.Start(t)
	h.rdb = h.redis.Client(t)
	h.server = smtptest.Start(t, smtptest.Options{})
	var err error
	if h.mail, err = producer.New(h.rdb, producer.Options{}); err != nil {
		t.Fatal(err)
	}
	if h.log, err = errorlog.New(errorlog.Options{Redis: h.rdb, ShowRecipients: true}); err != nil {
		t.Fatal(err)
	}
	pool, err := smtp.New(smtp.Options{HELO: "worker.example", Timeouts: smtp.Timeouts{Quit: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	h.options = delivery.Options{
		Redis: h.rdb, Resolver: platform{}, Transport: route{pool, h.server}, Breaker: h.newBreaker(), ErrorLog: h.log, Metrics: h.outcomes,
		Concurrency: 4, AttemptTimeout: 20 * time.Second, ShutdownTimeout: 15 * time.Second,
		Retry: delivery.Retry{
			First: time.Second, Factor: 1, Jitter: -1, Max: time.Second, GiveUp: time.Minute, Greylist: time.Second, Uncertain: time.Second,
		},
	}
	for _, c := range change {
		c(&h.options)
	}
	return h
}

// newBreaker is that of one process, kept up to date until the test ends.
func (h *harness) newBreaker() *breaker.Breaker {
	h.t.Helper()
	b, err := breaker.New(breaker.Options{Redis: h.rdb, Backlog: backlog.New(h.rdb, nil)})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { b.Run(ctx) })
	h.t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	return b
}

// start starts a worker that stops with the test.
func (h *harness) start() *delivery.Worker {
	h.t.Helper()
	w, err := delivery.New(h.options)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := w.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(w.Stop)
	return w
}

// send enqueues a message with the fields that every mail needs.
func (h *harness) send(m rohrpost.Message) string {
	h.t.Helper()
	if m.Text == "" && m.Raw == nil {
		m.Text = "Guten Tag"
	}
	if m.Subject == "" && m.Raw == nil {
		m.Subject = "Test"
	}
	receipt, err := h.mail.Send(h.t.Context(), m)
	if err != nil {
		h.t.Fatal(err)
	}
	return receipt.ID
}

// next waits for an outcome of one of these kinds and drops others before it.
func (h *harness) next(kinds ...string) string {
	h.t.Helper()
	timeout := time.After(waitLimit)
	for {
		select {
		case got := <-h.outcomes:
			if slices.Contains(kinds, got) {
				return got
			}
		case <-timeout:
			h.t.Fatalf("no outcome %v within %v", kinds, waitLimit)
		}
	}
}

func (h *harness) status(id string) rohrpost.Status {
	h.t.Helper()
	st, err := h.mail.Status(context.WithoutCancel(h.t.Context()), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return st
}

// key is that of a mail that has a record.
func (h *harness) key(id string) string {
	h.t.Helper()
	return string(payload.KeyOf(h.status(id).Tenant, id))
}

// task is what asynq knows of a job; nil: nothing.
func (h *harness) task(id string) *asynq.TaskInfo {
	h.t.Helper()
	info, err := asynq.NewInspectorFromRedisClient(h.rdb).GetTaskInfo("default", h.key(id))
	if err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
		h.t.Fatal(err)
	}
	return info
}

// entries are those of a job, oldest first.
func (h *harness) entries(id string) []errorlog.Entry {
	h.t.Helper()
	var list []errorlog.Entry
	for e, err := range h.log.Query(h.t.Context(), errorlog.Filter{AllTenants: true, JobID: id, OldestFirst: true}) {
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

func to(addresses ...string) []rohrpost.Address {
	list := make([]rohrpost.Address, len(addresses))
	for i, a := range addresses {
		list[i].Address = a
	}
	return list
}

// platform resolves everything to one account.
type platform struct{}

func (platform) Resolve(context.Context, resolver.Request) (resolver.Sender, error) {
	return resolver.Sender{
		Account: &resolver.Account{Level: resolver.Platform, Address: "noreply@platform.example"},
		From:    rohrpost.Address{Name: "Platform", Address: "noreply@platform.example"},
		ReplyTo: to("admin@platform.example"), ReversePath: "noreply@platform.example", Why: "the only account",
	}, nil
}

func (platform) Fallback(context.Context, resolver.Request, resolver.Sender) (resolver.Sender, bool, error) {
	return resolver.Sender{}, false, nil
}

// route sends everything to the scripted server.
type route struct {
	pool   *smtp.Transport
	server *smtptest.Server
}

func (r route) Send(ctx context.Context, a *resolver.Account, m transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	return r.pool.Send(ctx, smtp.Server{
		Account: a.ID(), Version: "1", Host: "127.0.0.1", Port: r.server.Port(), Encryption: smtp.None,
		MaxConnections: a.SMTP.MaxConnections,
	}, m, arm)
}

// outcomes is a Metrics that passes on what happens.
type outcomes chan string

func (outcomes) Attempt(string)                   {}
func (o outcomes) Accepted(string, time.Duration) { o <- "accepted" }
func (o outcomes) Deferred(category, _ string)    { o <- "deferred" }
func (o outcomes) Failed(category, _ string)      { o <- "failed" }
func (o outcomes) Uncertain(string)               { o <- "uncertain" }
func (o outcomes) Waits(reason, _ string)         { o <- reason }
