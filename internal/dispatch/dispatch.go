package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// parkedLook is the net below the wake-ups of a parked account.
const parkedLook = 10 * time.Minute

// Options of a Dispatcher. Redis, Backlog and Breaker are required.
type Options struct {
	Redis   redis.UniversalClient // for pub/sub
	Backlog *backlog.Store
	Breaker *breaker.Breaker
	Logger  zerolog.Logger   // zero: silent
	Now     func() time.Time // nil: time.Now
	// Workers is how many mails this process sends at a time: an account gets three
	// quarters of them at most. 0: no share.
	Workers int
}

// A Dispatcher is that of one process. Its methods may be called from any goroutine.
type Dispatcher struct {
	redis   redis.UniversalClient
	backlog *backlog.Store
	breaker *breaker.Breaker
	log     zerolog.Logger
	now     func() time.Time
	workers int
	signal  chan struct{} // of one: there may be something to receive

	mu       sync.Mutex
	budgets  map[string]*budget           // by account
	marked   map[string]*budget           // those whose backlogs may hold mails
	received map[queue.Ref]*receipt       // and not admitted yet
	acks     map[string][]backlog.Receipt // that Redis is not told yet, by account
	notices  map[string]*notice           // for the mails of parked accounts

	shares  shares
	pressed bool                             // a mail was turned away that any other one may have made room for
	flying  map[string]map[*Permit]time.Time // mails in flight, and since when, by server
}

// New checks the options. It does no I/O.
func New(o Options) (*Dispatcher, error) {
	if o.Redis == nil || o.Backlog == nil || o.Breaker == nil {
		return nil, errors.New("dispatch: redis, backlog and breaker are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Dispatcher{
		redis: o.Redis, backlog: o.Backlog, breaker: o.Breaker, log: o.Logger, now: o.Now, workers: o.Workers,
		signal: make(chan struct{}, 1), budgets: map[string]*budget{}, marked: map[string]*budget{}, received: map[queue.Ref]*receipt{},
		acks: map[string][]backlog.Receipt{}, notices: map[string]*notice{},
		shares: shares{tenants: map[string]int{}, received: map[string]int{}}, flying: map[string]map[*Permit]time.Time{},
	}
	o.Breaker.Watch(d)
	return d, nil
}

// A Target is the account through which a mail leaves.
type Target struct {
	breaker.Target
	Connections int // mails at a time in this process
	Limits      backlog.Limits
}

// A Reason is why a mail waits.
type Reason string

// The reasons; that of a state is its kind.
const (
	Busy   Reason = "busy" // every connection is taken, or kept for others
	Rate   Reason = "rate" // the account's own limit is used up
	Parked Reason = Reason(breaker.Parked)
	Slow   Reason = Reason(breaker.Slow)
	Down   Reason = Reason(breaker.Down)
)

// Reasons are all of them.
func Reasons() []Reason { return []Reason{Busy, Rate, Parked, Slow, Down} }

// ReasonNow is why the mails of a backlog wait now. enqueued is why the last one was
// put in, kind the state of the account; "": it has none.
func ReasonNow(enqueued string, kind breaker.Kind) Reason {
	reason := Reason(enqueued)
	switch {
	case kind != "":
		return Reason(kind)
	case reason == Parked, reason == Slow:
		return Busy // it was so, and its mails go now
	}
	return reason
}

// Kinds are the states of accounts that block their mails, by account.
func Kinds(states []*breaker.State) map[string]breaker.Kind {
	kinds := map[string]breaker.Kind{}
	for _, s := range states {
		if account := s.Account(); account != "" && s.Kind != breaker.Settings {
			kinds[account] = s.Kind
		}
	}
	return kinds
}

// A Wait says why a mail may not go now. It is in the backlog of its account, and a
// process receives it when it is its turn, unless it waits alone.
type Wait struct {
	Reason Reason
	Until  time.Time      // the earliest moment that is known; zero: none is
	State  *breaker.State // that blocks it; nil: none does
	Alone  bool           // the mail is in no backlog: it must come again by itself
}

// Failure is the reason in the words of a failure, for the log.
func (w *Wait) Failure() *failure.Failure {
	err := failure.ErrBusyWait
	switch {
	case w.Reason == Down:
		err = failure.ErrDownWait
	case w.State != nil:
		return w.State.Failure()
	case w.Reason == Rate:
		err = failure.ErrRateWait
	}
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})
}

// blocked is the wait that a block demands; nil if there is none.
func blocked(b *breaker.Block) *Wait {
	if b == nil {
		return nil
	}
	return &Wait{Reason: Reason(b.State.Kind), Until: b.Until, State: b.State, Alone: b.Tenant}
}

// Admit permits a mail of so many recipients to go, or says why it must wait; then it
// is in the backlog of its account, or waits alone. An error is one of Redis.
func (d *Dispatcher) Admit(ctx context.Context, t Target, m queue.Ref, recipients int) (*Permit, *Wait, error) {
	block, err := d.breaker.Pass(ctx, &t.Target)
	if err != nil {
		return nil, nil, err
	}
	wait := blocked(block)
	switch {
	case wait != nil && wait.Alone:
		return nil, wait, nil
	case wait == nil && !d.take(&t, m):
		wait = &Wait{Reason: Busy}
	case wait != nil && block.Probing:
		d.lookLater(t.Account, block.Until)
	}
	if wait != nil {
		d.turnedAway(&t, m)
		return nil, wait, d.Enqueue(ctx, t.Account, m, wait)
	}
	p := &Permit{dispatcher: d, target: t, mail: m, counted: !t.Limits.None()}
	d.fly(p)
	if !p.counted {
		return p, nil, nil
	}
	ok, due, err := d.backlog.Acquire(ctx, t.Account, t.Limits, m, recipients)
	switch {
	case err != nil:
		d.giveBack(p)
		return nil, nil, fmt.Errorf("dispatch: %w", err)
	case !ok:
		d.giveBack(p)
		d.lookLater(t.Account, due)
		return nil, &Wait{Reason: Rate, Until: due}, nil
	}
	return p, nil, nil
}

// Enqueue puts a mail into the backlog of its account, for instance after an attempt
// that has shown that it must wait.
func (d *Dispatcher) Enqueue(ctx context.Context, account string, m queue.Ref, w *Wait) error {
	due := w.Until
	if due.IsZero() {
		due = d.now().Add(breaker.LookAgain)
		if w.Reason == Parked {
			due = d.now().Add(parkedLook)
		}
	}
	if err := d.backlog.Enqueue(ctx, account, m, due, string(w.Reason)); err != nil {
		return fmt.Errorf("dispatch: %w", err)
	}
	if w.Reason == Busy {
		d.announceLate(account, m)
	}
	d.occupied(account)
	return nil
}
