package errorlog

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Query yields the entries that f picks, page by page: memory does not depend on
// their number. It sees the log as it was at the first one; what is appended
// later is not seen. An error is the last thing that is yielded.
func (l *Log) Query(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w, err := l.open(ctx, f)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		l.read(ctx, w)(yield)
	}
}

// read yields the entries of a window.
func (l *Log) read(ctx context.Context, w *window) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m, err := l.newMerge(ctx, w)
		picked := 0
		for err == nil && m.Len() > 0 {
			if e := m.head(); w.picks(&e) {
				if picked++; !yield(e.Entry, nil) || picked == w.filter.Limit {
					return
				}
			}
			err = m.advance(ctx)
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("errorlog: read: %w", err))
		}
	}
}

// followPause lies between two looks at Redis: short for a person who watches,
// long for Redis.
const followPause = 500 * time.Millisecond

// Follow yields what f picks as it arrives, within a second, until ctx ends or the
// caller has enough; f.Limit counts from the start, f.OldestFirst is always true.
// With f.From it begins there, else with the next entry. Many tenants are asked by
// turns, not listened to: a blocking read could not cross the slots of a Cluster. An
// error is the last thing that is yielded; the end of ctx is none.
func (l *Log) Follow(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f.OldestFirst = true
		limit := f.Limit
		seen := make(map[string]streamID)
		for first := true; ; first = false {
			w, err := l.open(ctx, f)
			if err == nil {
				w.continueAfter(seen, first && f.From.IsZero())
				for e, readErr := range l.read(ctx, w) {
					if err = readErr; err != nil {
						break
					}
					if !yield(e, nil) {
						return
					}
					if limit > 0 {
						if f.Limit--; f.Limit == 0 {
							return
						}
					}
				}
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !wait(ctx, followPause) {
				return
			}
		}
	}
}

// continueAfter leaves out of the window what was seen, and marks the rest as
// seen. skip leaves out everything.
func (w *window) continueAfter(seen map[string]streamID, skip bool) {
	for i, s := range w.states {
		w.states[i].after = seen[s.tenant]
		if skip {
			w.states[i].after = s.newest
		}
		if s.entries > 0 {
			seen[s.tenant] = s.newest
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
