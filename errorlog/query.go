package errorlog

import (
	"context"
	"fmt"
	"iter"
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
