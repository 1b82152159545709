package errorlog

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Query yields the entries that f picks, page by page: memory does not depend on
// their number. It sees the log as it was at the first one; what is appended
// later is not seen. An error is the last thing that is yielded; where ctx ended a
// reading that was under way it is an [*Unfinished].
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
		picked, at := 0, time.Time{}
		for err == nil && m.Len() > 0 {
			at = m.at()
			if e := m.head(); w.picks(&e) {
				if picked++; !yield(e.Entry, nil) || picked == w.filter.Limit {
					return
				}
			}
			err = m.advance(ctx)
		}
		switch {
		case err != nil && ctx.Err() != nil && !at.IsZero():
			yield(Entry{}, &Unfinished{At: at, cause: err})
		case err != nil:
			yield(Entry{}, fmt.Errorf("errorlog: read: %w", err))
		}
	}
}

// Unfinished is the error of a reading that its context ended.
type Unfinished struct {
	// At is how far it came: newest first, no entry of a later time is left, and a
	// Filter with To: At goes on. A few entries of about that time may come again.
	At    time.Time
	cause error
}

// Error says how far the reading came.
func (u *Unfinished) Error() string {
	return fmt.Sprintf("errorlog: read: ended at %s: %v", u.At.Format(time.RFC3339), u.cause)
}

// Unwrap is what ended it.
func (u *Unfinished) Unwrap() error { return u.cause }
