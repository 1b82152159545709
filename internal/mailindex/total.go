package mailindex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
)

// Count is how many mails a query picks; exact says whether there are no more. Of a State
// that is not Noted it knows nothing. A query of neither recipient nor user is answered
// from sums; any other one looks at its entries, Query.Most at most. A Redis that takes
// longer than ctx ends the count.
func (x *Index) Count(ctx context.Context, q Query) (n int64, exact bool, err error) {
	switch {
	case q.all():
		return x.countAll(ctx, q)
	case q.State != "" && !Noted(q.State):
		return 0, false, nil
	case q.Recipient == "" && q.User == "":
		from, to := q.span()
		n, err = x.countNotes(ctx, q.Tenant, []rohrpost.State{q.State}, from, to)
		return n, err == nil, err
	}
	return x.countEach(ctx, q)
}

// countEach looks at the entries.
func (x *Index) countEach(ctx context.Context, q Query) (n int64, exact bool, err error) {
	exact = true
	sure := x.now().Add(-x.keep).UnixMilli()
	err = x.walk(ctx, q, Cursor{}, func(e entry, next Cursor) bool {
		if !next.notes && e.ms() < sure {
			exact = false // its record may have ended
		} else {
			n++
		}
		return true
	})
	if _, unfinished := errors.AsType[*Unfinished](err); unfinished {
		return n, false, nil
	}
	return n, exact && err == nil, err
}

// countAll adds up what was enqueued, hour by hour, and the notes of mails that are older
// than the journal. It looks at the entries of an hour only if the query takes a part of
// it, or if some of its records may have ended: two or three hours at most.
func (x *Index) countAll(ctx context.Context, q Query) (n int64, exact bool, err error) {
	now := x.now()
	from, to := q.span()
	sure, journal := now.Add(-x.keep).UnixMilli(), hourOf(now.Add(-x.keep-Slack))
	if n, err = x.countNotes(ctx, q.Tenant, states(), from, min(to, hourTime(journal).UnixMilli()-1)); err != nil {
		return 0, false, err
	}
	first, last := max(journal, from/time.Hour.Milliseconds()), min(hourOf(now.Add(ahead)), to/time.Hour.Milliseconds())
	if last < first {
		return n, true, nil
	}
	hours, err := x.Hours(ctx, q.Tenant, hourTime(first), hourTime(last))
	if err != nil {
		return n, false, err
	}
	exact = true
	for _, h := range hours {
		begin := h.Time.UnixMilli()
		end := begin + time.Hour.Milliseconds() - 1
		switch {
		case h.Enqueued == 0:
		case end < sure:
			exact = false
		case begin >= max(from, sure) && end <= to:
			n += h.Enqueued
		default:
			part := q
			part.From, part.To = time.UnixMilli(max(from, begin)), time.UnixMilli(min(to, end))
			some, all, err := x.countEach(ctx, part)
			if err != nil {
				return n, false, err
			}
			n, exact = n+some, exact && all
		}
	}
	return n, exact, nil
}

// countNotes is how many notes of mails in some states there are from one time to another,
// Unix ms, both inclusive.
func (x *Index) countNotes(ctx context.Context, tenant string, of []rohrpost.State, from, to int64) (n int64, err error) {
	if to < from {
		return 0, nil
	}
	pipe := x.rdb.Pipeline()
	counts := make([]*redis.IntCmd, len(of))
	for i, state := range of {
		counts[i] = pipe.ZCount(ctx, noteKeys(tenant)[0], scoreText(state, from), scoreText(state, to))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, fmt.Errorf("mailindex: count: %w", err)
	}
	for _, c := range counts {
		n += c.Val()
	}
	return n, nil
}
