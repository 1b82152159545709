package quota

import (
	"context"
	"sync"
	"time"
)

// flushEvery is how often sums are given back: tenants that wait for room do not notice,
// and Redis does not either.
const flushEvery = 250 * time.Millisecond

// Returns gather what has ended, and give it back in sums. It is safe for concurrent
// use.
type Returns struct {
	counter *Counter
	warn    func(error) // told once for each row of failures

	mu  sync.Mutex
	sum map[string]Amount // by tenant
}

// NewReturns gives back to a counter. warn hears why that failed; what was not given
// back is tried again.
func NewReturns(c *Counter, warn func(error)) *Returns {
	return &Returns{counter: c, warn: warn, sum: map[string]Amount{}}
}

// Leave notes that a mail of a tenant no longer waits.
func (r *Returns) Leave(tenant string, bytes int64) { r.leave(tenant, Amount{1, bytes}) }

func (r *Returns) leave(tenant string, a Amount) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum[tenant] = r.sum[tenant].Plus(a)
}

// Run gives back until ctx ends. Flush what comes later.
func (r *Returns) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := r.Flush(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			r.warn(err)
		}
		failing = err != nil
	}
}

// Flush gives back what has gathered. After an error it is kept: Redis may have taken
// it all the same, which stock-taking puts right.
func (r *Returns) Flush(ctx context.Context) error {
	r.mu.Lock()
	sum := r.sum
	r.sum = map[string]Amount{}
	r.mu.Unlock()
	if len(sum) == 0 {
		return nil
	}
	err := r.counter.Give(ctx, sum)
	if err != nil {
		for tenant, a := range sum {
			r.leave(tenant, a)
		}
	}
	return err
}
