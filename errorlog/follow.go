package errorlog

import (
	"context"
	"iter"
	"time"
)

// followPause lies between two looks at Redis: short for a person who watches,
// long for Redis.
const followPause = 500 * time.Millisecond

// Follow yields what f picks as it arrives, within a second, until ctx ends or the
// caller has enough. With f.From it begins there, else with the next entry;
// f.OldestFirst is always true. It asks by turns instead of listening: one blocking
// read cannot cross the slots of a Cluster. An error is the last thing that is
// yielded; the end of ctx is none.
func (l *Log) Follow(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f := f // Limit counts down
		f.OldestFirst = true
		seen := make(map[string]streamID)
		for skip := f.From.IsZero(); ; skip = false {
			for e, err := range l.readOn(ctx, f, seen, skip) {
				if err != nil && ctx.Err() != nil {
					return
				}
				if !yield(e, err) || err != nil || f.Limit == 1 {
					return
				}
				f.Limit = max(f.Limit-1, 0)
			}
			if !wait(ctx, followPause) {
				return
			}
		}
	}
}

// readOn yields what is new since seen, and moves seen on. With skip it only does
// the latter.
func (l *Log) readOn(ctx context.Context, f Filter, seen map[string]streamID, skip bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w, err := l.open(ctx, f)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for i, s := range w.states {
			w.states[i].after = seen[s.tenant]
			seen[s.tenant] = s.newest
		}
		if !skip {
			l.read(ctx, w)(yield)
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
