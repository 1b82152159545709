package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// Why an act was not done.
var (
	// ErrUnwritten says that the line in the operators' history could not be written.
	ErrUnwritten = errors.New("it could not be written down")
	// ErrNoQueue says that there is no such queue.
	ErrNoQueue = errors.New("there is no such queue")
)

// writeTimeout bounds writing the line: without one nothing is done, and whoever has
// asked waits.
const writeTimeout = 2 * time.Second

// HoldsOptions are those of NewHolds. Redis and Audit are required.
type HoldsOptions struct {
	Redis  redis.UniversalClient
	Audit  *audit.Log
	Logger zerolog.Logger
}

// Holds pause queues.
type Holds struct {
	rdb       redis.UniversalClient
	audit     *audit.Log
	log       zerolog.Logger
	inspector *queue.Inspector
}

// NewHolds makes them; it does no I/O.
func NewHolds(o HoldsOptions) (*Holds, error) {
	if o.Redis == nil || o.Audit == nil {
		return nil, errors.New("system: pausing queues needs Redis and the operators' history")
	}
	return &Holds{o.Redis, o.Audit, o.Logger, queue.NewInspector(o.Redis)}, nil
}

// Set pauses a queue or resumes it, and writes that down. by has Who, Source and Remote.
// A queue that is so already stays so. The error is ErrNoQueue, ErrUnwritten, or Redis's.
func (h *Holds) Set(ctx context.Context, by audit.Record, name string, paused bool) error {
	if !slices.Contains(queue.Names(), name) {
		return fmt.Errorf("%w: %.40q", ErrNoQueue, name)
	}
	by.Queue, by.Action = name, audit.Resume
	if paused {
		by.Action = audit.Pause
	}
	entry, err := begin(ctx, h.audit, by)
	if err != nil {
		return err
	}
	changed, err := h.set(ctx, name, paused)
	if done := entry.Done(ctx, changed); done != nil {
		h.log.Error().Err(done).Str("user", by.Who).Str("act", string(by.Action)).Msg("the outcome of an act is not written down")
	}
	return err
}

func (h *Holds) set(ctx context.Context, name string, paused bool) (changed int, err error) {
	pauses, err := queue.Paused(ctx, h.rdb)
	if err != nil {
		return 0, err
	}
	if slices.ContainsFunc(pauses, func(p queue.Pause) bool { return p.Queue == name }) == paused {
		return 0, nil
	}
	change := h.inspector.Resume
	if paused {
		change = h.inspector.Pause
	}
	if err := change(name); err != nil {
		return 0, err
	}
	return 1, nil
}

// By is who has paused a queue at that time; it is empty if nobody knows.
func (h *Holds) By(ctx context.Context, name string, since time.Time) string {
	by, _ := h.audit.PausedBy(ctx, name, since) // without it the pause still stands
	return by
}

// begin writes the line of an act.
func begin(ctx context.Context, log *audit.Log, line audit.Record) (*audit.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	entry, err := log.Begin(ctx, line)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnwritten, err)
	}
	return entry, nil
}
