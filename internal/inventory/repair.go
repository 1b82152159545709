package inventory

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// ErrNotRepairable says that a finding wants a person, or nothing at all.
var ErrNotRepairable = errors.New("this cannot be repaired by itself")

//go:embed put.lua
var putSource string

var putScript = redis.NewScript(placeSource + putSource)

// Repair mends a finding. It looks again first, and does nothing where the finding
// is true no more. It may be repeated, interrupted at any moment, and run by several
// at a time. The error is ErrNotRepairable, or Redis's.
func (i *Inventory) Repair(ctx context.Context, f Finding) error {
	if !f.Repairable {
		return fmt.Errorf("%w: %s", ErrNotRepairable, f.Kind)
	}
	mended, err := i.repair(ctx, f)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if mended {
		i.log.Warn().Str("job_id", f.JobID).Str("tenant", f.Tenant).Str("queue", f.Queue).Str("finding", string(f.Kind)).
			Msg("repaired: " + f.Detail)
	}
	return nil
}

func (i *Inventory) repair(ctx context.Context, f Finding) (mended bool, err error) {
	if f.Kind == Forgotten {
		n, err := i.rdb.SAdd(ctx, queue.NamesKey, f.Queue).Result()
		return n > 0, err
	}
	v := &view{key: f.Key}
	if f.Account != "" {
		v.room = &room{account: f.Account, member: member(f.Queue, f.Key)}
	}
	if err := i.look(ctx, []*view{v}, true); err != nil {
		return false, err
	}
	for _, now := range i.judge().findings(v) {
		if now.Kind != f.Kind || now.Queue != f.Queue || !now.Repairable {
			continue
		}
		switch f.Kind {
		case EndlessRecord:
			return i.rdb.Do(ctx, "PEXPIREAT", ledger.RecordKey(v.key), i.end(v).UnixMilli(), "NX").Bool()
		case StaleRoom:
			n, err := i.rdb.ZRem(ctx, gate.RoomKey(v.room.account), v.room.member).Result()
			return n > 0, err
		}
		for k := range v.tasks {
			if t := &v.tasks[k]; t.queue == f.Queue {
				return i.put(ctx, v, t, i.target(v, t, f.Kind))
			}
		}
	}
	return false, nil
}

// end is when a record without an end should have one.
func (i *Inventory) end(v *view) time.Time {
	if v.record.State.Final() {
		return i.now().Add(i.keep)
	}
	end := i.now().Add(ledger.MaxWait + i.keep)
	for k := range v.tasks {
		if job := v.tasks[k].job; job != nil {
			if horizon := i.ledger.HorizonFrom(job, i.now()); horizon.After(end) {
				end = horizon
			}
		}
	}
	return end
}

// target is the one place where a task belongs; the zero place is none.
func (i *Inventory) target(v *view, t *task, kind Kind) place {
	switch kind {
	case Phantom, Leftover:
		return place{}
	case Twice, Mislabeled:
		if best, ok := t.best(i.now()); ok {
			return best
		}
	}
	// The worker decides what happens next; but it sends a mail that was put off and
	// that it has never seen before at once.
	if left := v.record.Waits(i.now()); left > 0 {
		return place{scheduled, i.now().Add(left + time.Second - 1).Unix()}
	}
	return place{name: pending}
}

// best is the place that counts among those where a task is listed: that of a
// worker who has it, else the one that it says, else any.
func (t *task) best(now time.Time) (place, bool) {
	var best place
	for _, p := range t.places {
		switch {
		case p.name == active && now.Sub(t.lease) <= recoverAfter:
			return place{active, t.lease.Unix()}, true
		case p.name == active:
		case best.name == "", p.name == t.state:
			best = p
		}
	}
	return best, best.name != "" && best.name != archived && best.name != completed
}

// put brings a task to one place, unless it has changed since it was looked at.
func (i *Inventory) put(ctx context.Context, v *view, t *task, to place) (bool, error) {
	keys := append(placeKeys(t.queue), taskKey(t.queue, v.key))
	n, err := putScript.Run(ctx, i.rdb, keys, string(v.key), t.state, t.since, t.listed, to.name, to.score, i.now().UnixNano()).Int()
	return n == 1, err
}
