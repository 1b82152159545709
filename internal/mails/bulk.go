package mails

import (
	"context"
	"errors"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/producer"
)

// MostBulk is how many mails one Bulk acts on. What is more is left for the next one.
const MostBulk = 10_000

// bulkBudgets is how many budgets Count and Bulk may take to find mails.
const bulkBudgets = 10

// actTime is how long a Bulk may act.
const actTime = time.Minute

// Count is how many mails a filter picks, compared one by one, up to MostBulk; exact says
// whether there are no more.
func (s *Service) Count(ctx context.Context, tenant string, f Filter) (n int, exact bool, err error) {
	ids, exact, err := s.collect(ctx, tenant, f)
	return len(ids), exact, err
}

// collect is the ids of the mails that a filter picks.
func (s *Service) collect(ctx context.Context, tenant string, f Filter) (ids []string, exact bool, err error) {
	if err := f.Check(); err != nil {
		return nil, false, err
	}
	if f.one() {
		page, err := s.one(ctx, tenant, f)
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		return ids, true, err
	}
	budget, cancel := context.WithTimeout(ctx, bulkBudgets*s.budget)
	defer cancel()
	exact = true
	var page Page
	err = s.scan(budget, tenant, f, mailindex.Cursor{}, bounds{}, func(r *ledger.Record, _ mailindex.Cursor) bool {
		if len(ids) == MostBulk {
			exact = false
			return false
		}
		ids = append(ids, r.ID)
		return true
	}, &page)
	return ids, exact && page.Reached.IsZero(), errors.Join(err, ctx.Err())
}

// A Result is what came of a Bulk.
type Result struct {
	Done    int
	Refused int // had ended, were in hand, or have no content any more
	// Left says that there are more, or that its time was over: it may be done again.
	Left bool
}

// Bulk does something to the mails that a filter picks, MostBulk at most, and writes it
// down in one line with how many. The error is rohrpost.FieldErrors, ErrAction, or Redis's,
// and then what was done until then is in the line.
func (s *Service) Bulk(ctx context.Context, tenant string, f Filter, d Deed) (Result, error) {
	if err := s.refuse(d); err != nil {
		return Result{}, err
	}
	ids, exact, err := s.collect(ctx, tenant, f)
	if err != nil {
		return Result{}, err
	}
	result := Result{Left: !exact}
	if len(ids) == 0 {
		return result, nil
	}
	err = s.audited(ctx, tenant, ids, len(ids), d, func(ctx context.Context) (int, error) {
		ends := s.now().Add(actTime)
		for _, id := range ids {
			if !s.now().Before(ends) {
				result.Left = true
				break
			}
			switch err := s.do(ctx, tenant, id, d); {
			case err == nil:
				result.Done++
			case refusal(err):
				result.Refused++
			default:
				return result.Done, err
			}
		}
		return result.Done, nil
	})
	return result, err
}

// refusal tells what is about one mail from an error of Redis.
func refusal(err error) bool {
	for _, known := range []error{
		producer.ErrNotFound, producer.ErrFinal, producer.ErrSending, producer.ErrNothingToRetry, producer.ErrContentGone,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	_, field := errors.AsType[rohrpost.FieldErrors](err)
	return field
}
