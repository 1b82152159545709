package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Name names a job by the tenant whose it is, empty for the platform, and its id.
type Name struct{ Tenant, ID string }

// A Brief is what a list says of a job: its state, without recipients and history.
type Brief struct {
	State       rohrpost.State
	Attempts    int
	UpdatedAt   time.Time
	NextAttempt time.Time // zero: none is planned
}

// briefPage is how many jobs one round trip asks for.
const briefPage = 1000

// Briefs reads the states of many jobs, in the order of their names; nil stands for one
// without a record. A round trip reads 1,000 of them, and a second one looks for those
// that an older version has opened.
func (l *Ledger) Briefs(ctx context.Context, names []Name) ([]*Brief, error) {
	briefs := make([]*Brief, len(names))
	for first := 0; first < len(names); first += briefPage {
		end := min(first+briefPage, len(names))
		if err := l.briefs(ctx, names[first:end], briefs[first:end]); err != nil {
			return nil, fmt.Errorf("ledger: states of jobs: %w", err)
		}
	}
	return briefs, nil
}

// briefs fills in what it finds.
func (l *Ledger) briefs(ctx context.Context, names []Name, briefs []*Brief) error {
	keys, places := make([]payload.Key, 0, len(names)), make([]int, 0, len(names))
	for i, n := range names {
		if payload.IsID(n.ID) {
			keys, places = append(keys, payload.KeyOf(n.Tenant, n.ID)), append(places, i)
		}
	}
	if err := l.fill(ctx, keys, places, names, briefs); err != nil {
		return err
	}
	keys, places = nil, nil
	for i, n := range names {
		if briefs[i] == nil && n.Tenant != "" && payload.IsID(n.ID) {
			keys, places = append(keys, payload.KeyOf("", n.ID)), append(places, i)
		}
	}
	return l.fill(ctx, keys, places, names, briefs)
}

// fill reads the records of the keys, and keeps each at its place if it is that of the
// tenant named there.
func (l *Ledger) fill(ctx context.Context, keys []payload.Key, places []int, names []Name, briefs []*Brief) error {
	if len(keys) == 0 {
		return nil
	}
	pipe := l.rdb.Pipeline()
	replies := make([]*redis.SliceCmd, len(keys))
	for i, key := range keys {
		replies[i] = pipe.HMGet(ctx, RecordKey(key), fieldTenant, fieldState, fieldAttempts, fieldUpdated, fieldNext, fieldDue)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, reply := range replies {
		var f [6]string
		for k, v := range reply.Val() {
			f[k], _ = v.(string)
		}
		if f[1] == "" || f[0] != names[places[i]].Tenant {
			continue
		}
		b := &Brief{State: rohrpost.State(f[1]), Attempts: atoi(f[2]), UpdatedAt: parseMilli(f[3]), NextAttempt: parseMilli(f[4])}
		if b.NextAttempt.IsZero() && b.State == rohrpost.Scheduled {
			b.NextAttempt = parseMilli(f[5])
		}
		briefs[places[i]] = b
	}
	return nil
}
