package gate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// Options of a Gate. Redis is required.
type Options struct {
	Redis  redis.UniversalClient
	Logger zerolog.Logger   // zero: silent
	Now    func() time.Time // nil: time.Now, and for rates and rooms the clock of Redis
	// Workers is how many mails this process sends at a time: a slow account gets
	// three quarters of them at most. 0: no share.
	Workers int
}

// A Gate is one process's view of who may send. Its methods may be called from
// any goroutine.
type Gate struct {
	redis   redis.UniversalClient
	rooms   *rooms
	log     zerolog.Logger
	now     func() time.Time
	workers int
	signal  chan struct{} // of one: there may be something to pull

	mu      sync.RWMutex
	notices map[string]*Notice // by subject

	handMu sync.Mutex
	hands  map[string]*hand     // by account
	marked map[string]*hand     // those whose rooms may hold mails
	coming map[Mail]*arrival    // claimed, and not entered yet
	faults map[string]int       // failures in a row, by subject
	landed map[string][]landing // that have come out of rooms, by account: Redis is not told yet
	news   map[string]*news     // for the mails of parked accounts

	shares  shares
	pressed bool                           // a mail was turned away that any other one may have made room for
	flying  map[string]map[*Pass]time.Time // mails on their way, and since when, by server

	rumors     map[string]map[string]*rumor // by account and tenant
	rumorCount int
}

// New checks the options. It does no I/O: what stands in Redis is known after
// Load, and kept up by Run.
func New(o Options) (*Gate, error) {
	if o.Redis == nil {
		return nil, errors.New("gate: redis is required")
	}
	waiting := &rooms{rdb: o.Redis, now: o.Now}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Gate{
		redis: o.Redis, rooms: waiting, log: o.Logger, now: o.Now, workers: o.Workers,
		signal: make(chan struct{}, 1), notices: map[string]*Notice{},
		hands: map[string]*hand{}, marked: map[string]*hand{}, coming: map[Mail]*arrival{}, faults: map[string]int{}, landed: map[string][]landing{}, news: map[string]*news{},
		shares: shares{tenants: map[string]int{}, coming: map[string]int{}}, flying: map[string]map[*Pass]time.Time{},
		rumors: map[string]map[string]*rumor{},
	}, nil
}

// A Door is what the gate must know of an account.
type Door struct {
	Account     string        // id
	Tenant      string        // whose mail it is
	Shared      bool          // several tenants send through the account
	Server      string        // host and port
	Fingerprint func() string // of today's settings
	Connections int           // mails at a time in this process
	Limits      Limits
}

// A Reason is why a mail waits.
type Reason string

// The reasons.
const (
	Busy       Reason = "busy" // every connection is taken, or kept for others
	Rate       Reason = "rate" // the account's own limit is used up
	WhenParked Reason = Reason(Parked)
	WhenSlow   Reason = Reason(Slow)
	WhenDown   Reason = Reason(Down)
)

// A Wait says why a mail may not go now. It is in the room of its account and
// will be claimed when it is its turn, unless it waits alone.
type Wait struct {
	Reason Reason
	Until  time.Time // the earliest moment that is known; zero: none is
	Notice *Notice   // that stands in its way; nil: none does
	Alone  bool      // the mail is in no room: it must come again by itself
}

// Failure is the reason in the words of a failure, for the log.
func (w *Wait) Failure() *failure.Failure {
	err := failure.ErrBusyWait
	switch {
	case w.Reason == WhenDown:
		err = failure.ErrDownWait
	case w.Notice != nil:
		return w.Notice.Failure()
	case w.Reason == Rate:
		err = failure.ErrRateWait
	}
	return failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: err})
}

// A Pass lets one mail through. Leave must be called once.
type Pass struct {
	gate    *Gate
	door    Door
	mail    Mail
	counted bool // at the account's rates
}

// Enter lets a mail of so many recipients through, or says why it must wait; then
// it has joined the room of its account, or waits alone. An error is one of Redis.
func (g *Gate) Enter(ctx context.Context, d Door, m Mail, recipients int) (*Pass, *Wait, error) {
	if d.Shared {
		if wait := g.hushed(&d); wait != nil {
			return nil, wait, nil
		}
	}
	wait, err := g.stopped(ctx, &d)
	if err != nil {
		return nil, nil, err
	}
	if wait == nil && !g.take(&d, m) {
		wait = &Wait{Reason: Busy}
	}
	if wait != nil {
		g.turnedAway(&d, m)
		return nil, wait, g.wait(ctx, d.Account, m, wait)
	}
	p := &Pass{gate: g, door: d, mail: m, counted: !d.Limits.none()}
	g.fly(p)
	if !p.counted {
		return p, nil, nil
	}
	ok, due, err := g.rooms.enter(ctx, d.Account, d.Limits, m, recipients)
	switch {
	case err != nil:
		g.giveBack(p)
		return nil, nil, fmt.Errorf("gate: %w", err)
	case !ok:
		g.giveBack(p)
		g.lookLater(d.Account, due)
		return nil, &Wait{Reason: Rate, Until: due}, nil
	}
	return p, nil, nil
}

// Join puts a mail into the room of its account, after an attempt that has shown
// that it must wait.
func (g *Gate) Join(ctx context.Context, d Door, m Mail, w *Wait) error {
	return g.wait(ctx, d.Account, m, w)
}

func (g *Gate) wait(ctx context.Context, account string, m Mail, w *Wait) error {
	due := w.Until
	if due.IsZero() {
		due = g.now().Add(lookAgain)
		if w.Reason == WhenParked {
			due = g.now().Add(parkedLook)
		}
	}
	if err := g.rooms.join(ctx, account, m, due); err != nil {
		return fmt.Errorf("gate: %w", err)
	}
	if w.Reason == Busy {
		g.hearLate(account, m)
	}
	g.occupied(account)
	return nil
}
