package errorlog

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// A window is what one reading sees: its bounds are fixed when it begins, so that
// two passes over it see the same entries, whatever is appended in between.
type window struct {
	filter        Filter
	recipientHMAC string // of filter.Recipient, if there is one
	from, to      int64  // Unix ms, inclusive; to is never before the newest entry unless asked for
	states        []state
}

// A state is one tenant's log at one moment, rolled forward to it.
type state struct {
	tenant  string
	entries int64
	newest  streamID      // zero: the log is empty
	after   streamID      // where to go on; zero: at the beginning
	lag     time.Duration // no id is further ahead of its entry's time
	dropped int64         // by MaxEntries or MaxBytes
	since   time.Time     // nothing later was dropped; zero if dropped is 0
}

// open looks at Redis once, twice for all tenants.
func (l *Log) open(ctx context.Context, f Filter) (*window, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	f.Category, f.JobID = keptWord(f.Category), keptName(f.JobID) // as they were stored
	now := l.now()
	w := &window{filter: f, from: l.oldest(now), to: now.UnixMilli()}
	tenants := []string{f.Tenant}
	var err error
	if f.AllTenants {
		if tenants, err = l.Tenants(ctx); err != nil {
			return nil, err
		}
	}
	if w.states, err = l.rollAll(ctx, tenants, now); err != nil {
		return nil, err
	}
	for i := range w.states {
		w.states[i].since = w.states[i].since.In(l.zone(f))
	}
	for _, s := range w.states { // the clock of a worker may be ahead of ours
		w.to = max(w.to, int64(s.newest.ms))
	}
	if !f.From.IsZero() {
		w.from = max(w.from, f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		w.to = min(w.to, f.To.UnixMilli())
	}
	if f.Recipient != "" {
		key, err := l.recipientKey(ctx)
		if err != nil {
			return nil, err
		}
		w.recipientHMAC = recipientHMAC(key, f.Recipient)
	}
	return w, nil
}

// zone is that in which times are shown.
func (l *Log) zone(f Filter) *time.Location { return cmp.Or(f.Zone, l.now().Location()) }

// picks tells whether an entry belongs to the answer.
func (w *window) picks(s *stored) bool {
	ms := s.Time.UnixMilli()
	return w.from <= ms && ms <= w.to &&
		(w.filter.Category == "" || w.filter.Category == s.Category) &&
		(w.filter.JobID == "" || w.filter.JobID == s.JobID) &&
		(w.recipientHMAC == "" || s.concerns(w.recipientHMAC))
}

// held is the number of entries in the window before picking.
func (w *window) held() (n int64) {
	for _, s := range w.states {
		n += s.entries
	}
	return n
}

func (l *Log) rollAll(ctx context.Context, tenants []string, now time.Time) ([]state, error) {
	var batch lua.Batch
	calls := make([]*lua.Call, len(tenants))
	for i, tenant := range tenants {
		calls[i] = l.callRoll(&batch, tenant, now)
	}
	if err := batch.Exec(ctx, l.redis); err != nil {
		return nil, fmt.Errorf("errorlog: read: %w", err)
	}
	states := make([]state, len(tenants))
	for i, call := range calls {
		s, err := l.parseState(redis.NewCmdResult(call.Result()).Slice())
		if err != nil {
			return nil, fmt.Errorf("errorlog: read: %w", err)
		}
		s.tenant = tenants[i]
		states[i] = s
	}
	return states, nil
}

// parseState reads what roll.lua returns.
func (l *Log) parseState(reply []any, err error) (state, error) {
	if err != nil {
		return state{}, err
	}
	var s state
	if len(reply) != 5 {
		return state{}, fmt.Errorf("%d values from roll.lua", len(reply))
	}
	var numbers [5]int64
	for i, v := range reply {
		switch v := v.(type) {
		case int64:
			numbers[i] = v
		case string:
			if v != "" {
				s.newest = parseStreamID(v)
			}
		}
	}
	s.entries, s.lag, s.dropped = numbers[0], time.Duration(numbers[2])*time.Millisecond, numbers[3]
	if s.dropped > 0 {
		s.since = time.UnixMilli(numbers[4]).In(l.now().Location())
	}
	return s, nil
}
