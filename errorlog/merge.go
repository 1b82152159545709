package errorlog

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxPage  = 512  // entries of one tenant per round trip
	minPage  = 4    // however many tenants there are
	inMemory = 4096 // entries of all tenants together, unless minPage is more
)

// A merge reads the streams of several tenants as one, in the order of the ids. It
// is a heap of cursors, by their next entries; no cursor in it is at its end.
type merge struct {
	redis       redis.UniversalClient
	zone        *time.Location
	oldestFirst bool
	pageSize    int
	cursors     []*cursor
}

// A cursor is a place in one tenant's stream.
type cursor struct {
	tenant     string
	start, end string // the ids still to be fetched, in reading order
	more       bool   // there may be some
	page       []redis.XMessage
	id         streamID // of page[0]
}

func (l *Log) newMerge(ctx context.Context, w *window) (*merge, error) {
	m := &merge{
		redis: l.redis, zone: l.zone(w.filter), oldestFirst: w.filter.OldestFirst,
		pageSize: min(max(inMemory/max(len(w.states), 1), minPage), maxPage),
	}
	var all []*cursor
	for _, s := range w.states {
		if s.entries > 0 {
			all = append(all, w.cursor(s))
		}
	}
	if err := m.fetch(ctx, all...); err != nil {
		return nil, err
	}
	for _, c := range all {
		if len(c.page) > 0 {
			m.cursors = append(m.cursors, c)
		}
	}
	heap.Init(m)
	return m, nil
}

// cursor spans the ids in which the entries of the window can be: an id is at the
// time of its entry or, by no more than the lag, after it.
func (w *window) cursor(s state) *cursor {
	low := streamID{ms: uint64(max(w.from, 0))}
	high := streamID{ms: uint64(max(w.to, 0)) + uint64(s.lag.Milliseconds()), seq: math.MaxUint64}
	if s.newest.compare(high) < 0 {
		high = s.newest
	}
	oldest := low.String()
	if s.after.compare(low) >= 0 {
		oldest = "(" + s.after.String()
	}
	if w.filter.OldestFirst {
		return &cursor{tenant: s.tenant, start: oldest, end: high.String()}
	}
	return &cursor{tenant: s.tenant, start: high.String(), end: oldest}
}

// fetch gets the next page of each cursor, all in one round trip.
func (m *merge) fetch(ctx context.Context, cursors ...*cursor) error {
	if len(cursors) == 0 {
		return nil
	}
	pipe := m.redis.Pipeline()
	replies := make([]*redis.XMessageSliceCmd, len(cursors))
	for i, c := range cursors {
		if m.oldestFirst {
			replies[i] = pipe.XRangeN(ctx, streamKey(c.tenant), c.start, c.end, int64(m.pageSize))
		} else {
			replies[i] = pipe.XRevRangeN(ctx, streamKey(c.tenant), c.start, c.end, int64(m.pageSize))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	for i, c := range cursors {
		c.page = replies[i].Val()
		c.more = len(c.page) == m.pageSize
		if len(c.page) > 0 {
			c.start = "(" + c.page[len(c.page)-1].ID
			c.id = parseStreamID(c.page[0].ID)
		}
	}
	return nil
}

// at is the time of the next entry's id: no entry behind it is of a later one.
func (m *merge) at() time.Time { return time.UnixMilli(int64(m.cursors[0].id.ms)).In(m.zone) }

// head is the next entry.
func (m *merge) head() stored {
	c := m.cursors[0]
	text, _ := c.page[0].Values["e"].(string)
	return decode(c.tenant, text, m.at())
}

// advance leaves the next entry behind.
func (m *merge) advance(ctx context.Context) error {
	c := m.cursors[0]
	c.page = c.page[1:]
	switch {
	case len(c.page) > 0:
		c.id = parseStreamID(c.page[0].ID)
	case c.more:
		if err := ctx.Err(); err != nil { // go-redis looks at it only where it waits
			return err
		}
		if err := m.fetch(ctx, c); err != nil {
			return err
		}
	}
	if len(c.page) == 0 {
		heap.Pop(m)
	} else {
		heap.Fix(m, 0)
	}
	return nil
}

// Len is part of heap.Interface, as are Less, Swap, Push and Pop.
func (m *merge) Len() int { return len(m.cursors) }

// Less puts the entry first that is to be read first.
func (m *merge) Less(i, j int) bool {
	a, b := m.cursors[i], m.cursors[j]
	if !m.oldestFirst {
		a, b = b, a
	}
	return cmp.Or(a.id.compare(b.id), cmp.Compare(a.tenant, b.tenant)) < 0
}

// Swap exchanges two cursors.
func (m *merge) Swap(i, j int) { m.cursors[i], m.cursors[j] = m.cursors[j], m.cursors[i] }

// Push is never called: all cursors are there from the start.
func (m *merge) Push(any) {}

// Pop takes the last cursor off.
func (m *merge) Pop() any {
	last := len(m.cursors) - 1
	c := m.cursors[last]
	m.cursors = m.cursors[:last]
	return c
}
