package reconcile

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
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
func (rc *Reconciler) Repair(ctx context.Context, f Finding) error {
	if !f.Repairable {
		return fmt.Errorf("%w: %s", ErrNotRepairable, f.Kind)
	}
	mended, err := rc.repair(ctx, f)
	if err != nil {
		return fmt.Errorf("repair: %w", err)
	}
	if mended {
		rc.log.Warn().Str("job_id", f.JobID).Str("tenant", f.Tenant).Str("queue", f.Queue).Str("finding", string(f.Kind)).
			Msg("repaired: " + f.Detail)
	}
	return nil
}

func (rc *Reconciler) repair(ctx context.Context, f Finding) (mended bool, err error) {
	if f.Kind == Forgotten {
		n, err := rc.rdb.SAdd(ctx, queue.NamesKey, f.Queue).Result()
		return n > 0, err
	}
	v := &view{key: f.Key}
	if f.Account != "" {
		v.entry = &entry{account: f.Account, member: member(f.Queue, f.Key)}
	}
	if err := rc.look(ctx, []*view{v}, true); err != nil {
		return false, err
	}
	for _, now := range rc.judge().findings(v) {
		if now.Kind != f.Kind || now.Queue != f.Queue || !now.Repairable {
			continue
		}
		switch f.Kind {
		case EndlessRecord:
			return rc.rdb.Do(ctx, "PEXPIREAT", ledger.RecordKey(v.key), rc.end(v).UnixMilli(), "NX").Bool()
		case StaleEntry:
			n, err := rc.rdb.ZRem(ctx, backlog.Key(v.entry.account), v.entry.member).Result()
			return n > 0, err
		}
		for k := range v.tasks {
			if t := &v.tasks[k]; t.queue == f.Queue {
				return rc.put(ctx, v, t, rc.target(v, t, f.Kind))
			}
		}
	}
	return false, nil
}

// end is when a record without an end should have one.
func (rc *Reconciler) end(v *view) time.Time {
	if v.record.State.Final() {
		return rc.now().Add(rc.keep)
	}
	end := rc.now().Add(ledger.MaxWait + rc.keep)
	for k := range v.tasks {
		if job := v.tasks[k].job; job != nil {
			if horizon := rc.ledger.HorizonFrom(job, rc.now()); horizon.After(end) {
				end = horizon
			}
		}
	}
	return end
}

// target is the one place where a task belongs; the zero place is none.
func (rc *Reconciler) target(v *view, t *task, kind Kind) place {
	switch kind {
	case Phantom, Leftover:
		return place{}
	case Twice, Mislabeled:
		if best, ok := t.best(rc.now()); ok {
			return best
		}
	}
	// The worker decides what happens next; but it sends a mail that was put off and
	// that it has never seen before at once.
	if left := v.record.Waits(rc.now()); left > 0 {
		return place{scheduled, rc.now().Add(left + time.Second - 1).Unix()}
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
func (rc *Reconciler) put(ctx context.Context, v *view, t *task, to place) (bool, error) {
	keys := append(placeKeys(t.queue), taskKey(t.queue, v.key))
	n, err := putScript.Run(ctx, rc.rdb, keys, string(v.key), t.state, t.since, t.listed, to.name, to.score, rc.now().UnixNano()).Int()
	return n == 1, err
}
