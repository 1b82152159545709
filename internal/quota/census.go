package quota

import (
	"context"
	"time"
)

// DefaultMargin is how far the clocks of processes, and what one process writes to
// mails and counters, may be apart: so long may an application upload attachments.
const DefaultMargin = time.Minute

// A Census finds out by how much the counters are off. It compares them, as they are
// when it begins, with the mails that waited at that moment, whenever it gets to see
// their records: those that end meanwhile are remembered by the ledger. Mails of whom
// it is not sure, having come or ended around that moment, count for either side. So
// the busiest tenant's counter is corrected as well, by what is sure to be wrong.
type Census struct {
	counter *Counter
	begin   time.Time
	margin  time.Duration
	counted map[string]Amount
	tallies map[string]*tally
}

// A tally is what waited for a tenant when the census began.
type tally struct{ sure, unsure Amount }

// Census begins one. margin 0 is DefaultMargin.
func (c *Counter) Census(ctx context.Context, margin time.Duration) (*Census, error) {
	if margin == 0 {
		margin = DefaultMargin
	}
	begin := c.now()
	counted, err := c.Waiting(ctx)
	if err != nil {
		return nil, err
	}
	return &Census{counter: c, begin: begin, margin: margin, counted: counted, tallies: map[string]*tally{}}, nil
}

// See takes down a mail: when it came, and when it ended, the zero time if it still
// waits. Each is to be seen once.
func (s *Census) See(tenant string, bytes int64, came, ended time.Time) {
	early, late := s.begin.Add(-s.margin), s.begin.Add(s.margin)
	if came.After(late) || !ended.IsZero() && ended.Before(early) {
		return
	}
	t := s.tallies[tenant]
	if t == nil {
		t = &tally{}
		s.tallies[tenant] = t
	}
	a := Amount{1, bytes}
	if came.After(early) || !ended.IsZero() && ended.Before(late) {
		t.unsure = t.unsure.Plus(a)
	} else {
		t.sure = t.sure.Plus(a)
	}
}

// Correct adds to the counters what they lack, and takes off what they have too much,
// and answers with that, by tenant.
func (s *Census) Correct(ctx context.Context) (map[string]Amount, error) {
	corrections := map[string]Amount{}
	for tenant := range s.counted {
		if s.tallies[tenant] == nil {
			s.tallies[tenant] = &tally{}
		}
	}
	for tenant, t := range s.tallies {
		low, high, counted := t.sure, t.sure.Plus(t.unsure), s.counted[tenant]
		a := Amount{lacking(counted.Mails, low.Mails, high.Mails), lacking(counted.Bytes, low.Bytes, high.Bytes)}
		if a != (Amount{}) {
			corrections[tenant] = a
		}
	}
	if err := s.counter.AddAll(ctx, corrections); err != nil {
		return nil, err
	}
	return corrections, nil
}

// lacking is what must be added to n so that it is in between.
func lacking(n, low, high int64) int64 { return min(max(n, low), high) - n }
