package system

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/reconcile"
)

const (
	// checkTime bounds a check.
	checkTime = 10 * time.Minute
	// checkShare is the part of the time in which a check works: mails go on meanwhile.
	checkShare = 0.5
	// progressEvery is how often a check says how far it is.
	progressEvery = time.Second
	// lockTime is for how long a check is taken to be under way that says nothing.
	lockTime = 15 * time.Second
	// checkKept is for how long the latest check is kept.
	checkKept = 7 * 24 * time.Hour
	// maxFindings is how many findings of a check are kept; all are counted.
	maxFindings = 200
)

// Why a check does not begin.
var (
	ErrRunning = errors.New("a check is under way")
	ErrClosed  = errors.New("the process is about to end")
)

//go:embed put.lua
var putSource string

var putScript = redis.NewScript(putSource)

// A Failure is why a check has ended early.
type Failure string

// The failures.
const (
	NoTime    Failure = "time"   // it took longer than ten minutes
	NoRights  Failure = "rights" // the process' Redis user may not do it
	NoAnswer  Failure = "redis"
	Abandoned Failure = "abandoned" // the process that did it has ended
)

// A Finding is one of reconcile's, and whether it was repaired.
type Finding struct {
	reconcile.Finding
	Repaired bool `json:"repaired,omitempty"`
}

// A Check is a comparison of the ledger with the queues, under way or done.
type Check struct {
	ID       string            `json:"id"`
	Who      string            `json:"who"`
	Repair   bool              `json:"repair"`
	Begun    time.Time         `json:"begun"`
	Ended    time.Time         `json:"ended,omitzero"` // zero: it is under way
	Looked   int               `json:"looked"`         // mails whose records it has seen
	Summary  reconcile.Summary `json:"summary"`        // complete when it has ended without a Failure
	Findings []Finding         `json:"findings,omitempty"`
	// Counts, also of the findings beyond the first 200.
	Found      int     `json:"found"`
	Repairable int     `json:"repairable"`
	Repaired   int     `json:"repaired"`
	Refused    int     `json:"refused"` // repairs that the process' Redis user may not do
	Failure    Failure `json:"failure,omitempty"`
}

// Running reports whether it is under way.
func (c *Check) Running() bool { return c.Ended.IsZero() }

// ChecksOptions are those of NewChecks. Redis and Audit are required.
type ChecksOptions struct {
	// Redis is what redisconn.Open has answered: every master of a Cluster is asked.
	Redis redis.UniversalClient
	Audit *audit.Log
	Keep  time.Duration // that of the ledger; 0: its default
	// Pause between the two looks at what is suspect; 0: that of reconcile.
	Pause  time.Duration
	Logger zerolog.Logger
	Now    func() time.Time // nil: time.Now
}

// Checks compare the ledger with the queues, one at a time over all processes.
type Checks struct {
	options ChecksOptions
	running sync.WaitGroup

	mu     sync.Mutex
	cancel context.CancelFunc // of the check of this process; nil: there is none
	closed bool
}

// NewChecks makes them; it does no I/O.
func NewChecks(o ChecksOptions) (*Checks, error) {
	if o.Redis == nil || o.Audit == nil || o.Pause < 0 {
		return nil, errors.New("system: checks need Redis and the operators' history, and no negative pause")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Checks{options: o}, nil
}

// Close ends the check under way in this process.
func (c *Checks) Close() {
	c.mu.Lock()
	c.closed = true
	if c.cancel != nil {
		c.cancel()
	}
	c.mu.Unlock()
	c.running.Wait()
}

// Last is the latest check, of any process; nil: there was none within a week.
func (c *Checks) Last(ctx context.Context) (*Check, error) {
	pipe := c.options.Redis.Pipeline()
	lock, last := pipe.Get(ctx, lockKey), pipe.Get(ctx, lastKey)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("read the latest check: %w", err)
	}
	text, err := last.Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	var check Check
	if err := cmp.Or(err, json.Unmarshal(text, &check)); err != nil {
		return nil, fmt.Errorf("read the latest check: %w", err)
	}
	if check.Running() && lock.Val() != check.ID {
		check.Ended, check.Failure = check.Begun, Abandoned
	}
	return &check, nil
}

// Start begins a check, which mends what it can if repair is set: that is written down
// first. by has Who, Source and Remote. The error is ErrRunning, ErrUnwritten, ErrClosed,
// or Redis's.
func (c *Checks) Start(ctx context.Context, by audit.Record, repair bool) error {
	ctx, free := context.WithTimeout(ctx, writeTimeout)
	defer free()
	check := &Check{ID: rand.Text(), Who: by.Who, Repair: repair, Begun: c.options.Now().UTC().Truncate(time.Millisecond)}
	mine, err := c.options.Redis.SetNX(ctx, lockKey, check.ID, lockTime).Result()
	switch {
	case err != nil:
		return fmt.Errorf("begin a check: %w", err)
	case !mine:
		return ErrRunning
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &run{Checks: c, check: check}
	if err := r.beginLocked(ctx, by); err != nil {
		_ = c.options.Redis.Del(ctx, lockKey).Err() // else it ends by itself
		return err
	}
	running, cancel := context.WithTimeout(context.Background(), checkTime)
	c.cancel = cancel
	c.running.Go(func() {
		defer cancel()
		r.do(running, cancel)
	})
	return nil
}

// look looks at everything once. It ends early with the error of Redis, or that of ctx.
func (c *Checks) look(ctx context.Context, seen func(*ledger.Record), found func(*reconcile.Reconciler, reconcile.Finding) error) (reconcile.Summary, error) {
	o := reconcile.Options{
		Redis: c.options.Redis, Keep: c.options.Keep, Pause: c.options.Pause, Share: checkShare,
		Seen: seen, Logger: c.options.Logger, Now: c.options.Now,
	}
	rc, err := reconcile.New(o)
	if err != nil {
		return reconcile.Summary{}, err
	}
	return rc.Check(ctx, func(f reconcile.Finding) error { return found(rc, f) })
}
