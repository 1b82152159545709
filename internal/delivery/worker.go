package delivery

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/deadletter"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/outgoing"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// A Resolver says through whose account a mail leaves. Fallback is the sender
// instead of one whose account is parked, if the tenant wants one.
type Resolver interface {
	Resolve(context.Context, resolver.Request) (resolver.Sender, error)
	Fallback(context.Context, resolver.Request, resolver.Sender) (resolver.Sender, bool, error)
}

// A Transport hands a mail over through an account. The error is the one that
// arm returned, or transport.ErrBusy; everything else is in the outcome.
type Transport interface {
	Send(context.Context, *resolver.Account, transport.Mail, transport.Arm) (transport.Outcome, error)
}

// An ErrorLog takes the entries of failed attempts.
type ErrorLog interface {
	Append(context.Context, ...errorlog.Entry) error
}

// Metrics counts what becomes of mails. level is that of the account, category
// one of package failure's.
type Metrics interface {
	Attempt(level string)
	Accepted(level string, sinceDue time.Duration)
	Deferred(category, level string)
	Failed(category, level string)
	Uncertain(level string)
	Waits(reason, level string) // one of package dispatch's reasons
}

// Options of a Worker. Redis, Resolver, Transport, Breaker and ErrorLog are required.
type Options struct {
	Redis     redis.UniversalClient
	Resolver  Resolver
	Transport Transport
	Breaker   *breaker.Breaker
	ErrorLog  ErrorLog
	Metrics   Metrics        // nil: none
	Logger    zerolog.Logger // zero: silent

	Concurrency int // mails at a time; 50
	Servers     int // asynq servers that share Concurrency; 1
	Connections int // of an account that sets none, in this process; 4
	// TenantConnections is the most that settings may have which the operator has not
	// written; 0: any number.
	TenantConnections int
	Retry             Retry
	// AttemptTimeout bounds an attempt; 12 min, as a server may take ten to
	// answer the final dot (RFC 5321 §4.5.3.2.6). At most 25 min.
	AttemptTimeout time.Duration
	// ShutdownTimeout is how long Stop waits for mails under way; 120 s.
	ShutdownTimeout time.Duration
	Keep            time.Duration // of ledger records; 48 h
	MaxBytes        int64         // of mails in memory at a time; 256 MiB
	FailedBytes     int64         // of a tenant's failed mails, kept for a retry; 1 GiB
	// Identities are the keys (AGE-SECRET-KEY-1…, one a line) that open mails which
	// their producer has sealed. Empty: those wait.
	Identities     resolver.Secret
	Outgoing       outgoing.Options
	ShowRecipients bool // whole addresses in the log lines
	Now            func() time.Time
}

// A Worker is a pool of mail workers on one Redis.
type Worker struct {
	opts     Options
	log      zerolog.Logger
	group    *lua.Group // for what all workers write at the end of a mail
	ledger   *ledger.Ledger
	blobs    *blob.Store
	opener   *envelope.Opener
	quota    *quota.Counter
	returns  *quota.Returns // what has ended, gathered
	leaver   *blob.Leaver   // the blobs of what has ended, gathered
	becomes  *mailindex.Gatherer
	failed   *deadletter.Store
	backlogs *backlog.Store
	dispatch *dispatch.Dispatcher
	memory   *semaphore.Weighted
	now      func() time.Time
	token    string // first part of the tokens of this process
	counter  atomic.Int64
	flying   atomic.Int64
	portions portions

	pool   *queue.Pool
	cut    context.Context //nolint:containedctx // the worker's own: ends when attempts must end, at shutdown
	cutNow context.CancelFunc
	stop   context.CancelFunc // of the background loops
	loops  sync.WaitGroup
}

// Check is what is wrong with the options, all of it, the required parts apart.
func (o Options) Check() error {
	_, _, err := o.withDefaults()
	return err
}

// withDefaults fills in and checks everything but the required parts.
func (o Options) withDefaults() (Options, *envelope.Opener, error) {
	var err error
	o.Concurrency = cmp.Or(o.Concurrency, 50)
	o.Servers = cmp.Or(o.Servers, 1)
	o.Connections = cmp.Or(o.Connections, 4)
	o.AttemptTimeout = cmp.Or(o.AttemptTimeout, 12*time.Minute)
	o.ShutdownTimeout = cmp.Or(o.ShutdownTimeout, 120*time.Second)
	o.MaxBytes = cmp.Or(o.MaxBytes, 256<<20)
	o.Keep = cmp.Or(o.Keep, ledger.DefaultKeep)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = noMetrics{}
	}
	o.Retry, err = o.Retry.withDefaults()
	if o.Concurrency < o.Servers || o.Servers < 1 {
		err = errors.Join(err, errors.New("concurrency and servers: at least 1, and a worker for each server"))
	}
	if o.AttemptTimeout < 0 || o.AttemptTimeout > queue.TaskTimeout-5*time.Minute {
		err = errors.Join(err, errors.New("attempt timeout is at most 25m"))
	}
	if o.ShutdownTimeout < 2*shutdownMargin {
		err = errors.Join(err, fmt.Errorf("shutdown timeout is at least %v", 2*shutdownMargin))
	}
	opener, keyErr := envelope.NewOpener(o.Identities)
	return o, opener, errors.Join(err, keyErr)
}

// New checks the options and makes a worker; it does no I/O.
func New(o Options) (*Worker, error) {
	o, opener, err := o.withDefaults()
	if o.Redis == nil || o.Resolver == nil || o.Transport == nil || o.Breaker == nil || o.ErrorLog == nil {
		err = errors.Join(err, errors.New("redis, resolver, transport, breaker and error log are required"))
	}
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	waiting, err := quota.New(quota.Options{Redis: o.Redis, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	index, err := mailindex.New(mailindex.Options{Redis: o.Redis, Keep: o.Keep, Now: o.Now})
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	backlogs := backlog.New(o.Redis, nil)
	dispatcher, err := dispatch.New(dispatch.Options{
		Redis: o.Redis, Backlog: backlogs, Breaker: o.Breaker, Logger: o.Logger, Workers: o.Concurrency,
	})
	if err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	blobs := blob.New(o.Redis)
	return &Worker{
		opts: o, log: o.Logger, blobs: blobs, opener: opener, quota: waiting, returns: quota.NewReturns(waiting), leaver: blob.NewLeaver(blobs),
		becomes:  mailindex.NewGatherer(index),
		failed:   deadletter.New(deadletter.Options{Redis: o.Redis, Blobs: blobs, Keep: o.Keep, Limit: o.FailedBytes, Now: o.Now}),
		backlogs: backlogs, dispatch: dispatcher,
		memory: semaphore.NewWeighted(o.MaxBytes), now: o.Now, token: rand.Text()[:12],
	}, nil
}

// shutdownMargin is what remains between the end of the last attempt and the
// moment at which asynq would give its task away.
const shutdownMargin = 5 * time.Second

// Start takes tasks until Stop. It fails when Redis does not answer.
func (w *Worker) Start(ctx context.Context) error {
	w.group = lua.NewGroup(w.opts.Redis)
	book, err := ledger.New(ledger.Options{Redis: w.group, Keep: w.opts.Keep, Now: w.now, Waits: w.returns.Change})
	if err != nil {
		return errors.Join(fmt.Errorf("delivery: %w", err), w.group.Close())
	}
	w.ledger = book
	if err := w.migrate(ctx); err != nil {
		return errors.Join(fmt.Errorf("delivery: %w", err), w.group.Close())
	}
	w.cut, w.cutNow = context.WithCancel(context.WithoutCancel(ctx))
	loops, stop := context.WithCancel(w.cut)
	w.stop = stop
	w.pool = queue.NewPool(queue.PoolOptions{
		Redis: w.group, Workers: w.opts.Concurrency, Servers: w.opts.Servers, Handle: w.handle, Interrupted: w.interrupted,
		ShutdownTimeout: w.opts.ShutdownTimeout, Logger: w.log,
	})
	if err := w.pool.Start(); err != nil {
		w.halt()
		return fmt.Errorf("delivery: %w", err)
	}
	w.loops.Go(func() { w.pool.Listen(loops) })
	w.loops.Go(func() { w.dispatch.Run(loops) })
	w.loops.Go(func() { w.dispatch.Serve(loops, w.pool) })
	w.loops.Go(func() { w.lead(loops, w.sweeper()) })
	w.loops.Go(func() { w.flushLoop(loops) })
	w.loops.Go(func() { w.lead(loops, w.reconciler()) })
	return nil
}

// Stop takes no more tasks and waits for the mails under way. Those that are
// not done shortly before ShutdownTimeout are cut off: before their dot they
// go back to the queue, after it they are uncertain.
func (w *Worker) Stop() {
	timer := time.AfterFunc(w.opts.ShutdownTimeout-shutdownMargin, w.cutNow)
	defer timer.Stop()
	w.halt()
}

// InFlight is how many mails the workers have in hand.
func (w *Worker) InFlight() int { return int(w.flying.Load()) }

// Slots is how many mails they can have.
func (w *Worker) Slots() int { return w.opts.Concurrency }

// halt ends everything that Start has started.
func (w *Worker) halt() {
	w.pool.Stop(w.cut)
	w.stop()
	w.loops.Wait()
	w.flush(context.Background(), &flushed{})
	_ = w.group.Close()
	w.cutNow()
}

type noMetrics struct{}

func (noMetrics) Attempt(string)                 {}
func (noMetrics) Accepted(string, time.Duration) {}
func (noMetrics) Deferred(string, string)        {}
func (noMetrics) Failed(string, string)          {}
func (noMetrics) Uncertain(string)               {}
func (noMetrics) Waits(string, string)           {}
