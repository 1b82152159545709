package overview

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
)

// Problems tells what waits; *problems.Service does.
type Problems interface {
	Waiting(context.Context, problems.Whose) (list []problems.Waiting, more int, err error)
	// Shared is the platform's account if it is blocked, for a tenant.
	Shared(context.Context) (*problems.Waiting, error)
}

// Counts are the numbers of the last hours.
type Counts interface {
	// Hours are those of from to to, oldest first, each of which has begun.
	Hours(ctx context.Context, whose problems.Whose, from, to time.Time) ([]Hour, error)
}

// Approvals are what waits for a decision of an operator.
type Approvals interface {
	// Pending is how many there are, counted up to most.
	Pending(ctx context.Context, most int) (int, error)
}

// An Hour is what happened to mails in one.
type Hour struct {
	Time     time.Time // its beginning
	Accepted int64
	Failed   int64 // for good, for one recipient at least
}

// Options of a Service. Redis and Problems are required.
type Options struct {
	Redis    redis.UniversalClient
	Problems Problems
	// PausedBy says who has paused a queue, empty if nobody knows. Nil: that is not told.
	PausedBy  func(ctx context.Context, queue string, since time.Time) string
	Counts    Counts           // nil: there are no bars
	Approvals Approvals        // nil: nothing needs one
	Logger    zerolog.Logger   // zero: silent
	Now       func() time.Time // nil: time.Now
}

// askTime is how long Redis has for its answers.
const askTime = 2 * time.Second

// mostApprovals are counted.
const mostApprovals = 100

// A Part of an Overview.
type Part string

// The parts that Redis may not tell.
const (
	PartWaiting   Part = "waiting"
	PartPaused    Part = "paused"
	PartWorkers   Part = "workers"
	PartQueued    Part = "queued"
	PartApprovals Part = "approvals"
	PartHours     Part = "hours"
)

// A Pause is a queue of which nothing leaves.
type Pause struct {
	queue.Pause
	By string // who has paused it, for operators; empty: not known
}

// An Overview says how it stands.
type Overview struct {
	Waiting   []problems.Waiting // what needs a person first
	More      int                // accounts that wait beyond those
	Paused    []Pause
	Workers   queue.Workers
	Queued    int64  // mails on their way, or scheduled
	Approvals int    // for operators
	Hours     []Hour // the last 24; nil: nobody counts
	Silent    []Part // what Redis did not tell
}

// A Service makes overviews. Its methods may be called from any goroutine.
type Service struct {
	options Options
	quota   *quota.Counter
}

// New checks the options. It does no I/O.
func New(o Options) (*Service, error) {
	if o.Redis == nil || o.Problems == nil {
		return nil, errors.New("overview: redis and problems are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	counter, err := quota.New(quota.Options{Redis: o.Redis})
	return &Service{o, counter}, err
}

// Overview asks everything at once, and answers within some two seconds.
func (s *Service) Overview(ctx context.Context, whose problems.Whose) *Overview {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	o := &Overview{}
	var all sync.WaitGroup
	var mu sync.Mutex
	ask := func(part Part, do func() error) {
		all.Go(func() {
			if err := do(); err != nil {
				s.options.Logger.Warn().Err(err).Str("part", string(part)).Msg("overview: a part of it is not known")
				mu.Lock()
				defer mu.Unlock()
				o.Silent = append(o.Silent, part)
			}
		})
	}
	ask(PartWaiting, func() (err error) {
		o.Waiting, o.More, err = s.options.Problems.Waiting(ctx, whose)
		return err
	})
	ask(PartPaused, func() (err error) { o.Paused, err = s.paused(ctx, whose); return err })
	ask(PartWorkers, func() (err error) { o.Workers, err = queue.Running(ctx, s.options.Redis); return err })
	ask(PartQueued, func() (err error) { o.Queued, err = s.queued(ctx, whose); return err })
	if s.options.Approvals != nil && whose.All {
		ask(PartApprovals, func() (err error) { o.Approvals, err = s.options.Approvals.Pending(ctx, mostApprovals); return err })
	}
	if s.options.Counts != nil {
		ask(PartHours, func() (err error) {
			now := s.options.Now()
			o.Hours, err = s.options.Counts.Hours(ctx, whose, now.Add(-23*time.Hour), now)
			return err
		})
	}
	all.Wait()
	if o.Queued > 0 && !whose.All && whose.Tenant != "" { // they may go through it
		if shared, err := s.options.Problems.Shared(ctx); err == nil && shared != nil {
			o.Waiting = append(o.Waiting, *shared)
		}
	}
	return o
}

// paused are the paused queues, for operators with who has done it.
func (s *Service) paused(ctx context.Context, whose problems.Whose) ([]Pause, error) {
	pauses, err := queue.Paused(ctx, s.options.Redis)
	if err != nil {
		return nil, err
	}
	list := make([]Pause, len(pauses))
	for i, p := range pauses {
		list[i].Pause = p
		if whose.All && s.options.PausedBy != nil {
			list[i].By = s.options.PausedBy(ctx, p.Queue, p.Since)
		}
	}
	return list, nil
}

// queued is how many mails have not ended.
func (s *Service) queued(ctx context.Context, whose problems.Whose) (int64, error) {
	if !whose.All {
		a, err := s.quota.Of(ctx, whose.Tenant)
		return a.Mails, err
	}
	return queue.OnTheirWay(ctx, s.options.Redis)
}
