package quota

import (
	"context"
	"sync"
)

// Returns gather what has ended, and write it in sums. They are safe for concurrent use.
type Returns struct {
	counter *Counter

	mu  sync.Mutex
	sum map[string]Amount // by tenant
}

// NewReturns gathers for a counter.
func NewReturns(c *Counter) *Returns { return &Returns{counter: c, sum: map[string]Amount{}} }

// Change notes what a tenant has waiting more, or less if it is negative.
func (r *Returns) Change(tenant string, mails, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.sum[tenant].Plus(Amount{mails, bytes})
	if r.sum[tenant] = sum; sum == (Amount{}) {
		delete(r.sum, tenant)
	}
}

// Flush writes what has gathered, in one round trip. After an error it is kept: Redis
// may have taken it all the same, which the reconciler puts right.
func (r *Returns) Flush(ctx context.Context) error {
	r.mu.Lock()
	if len(r.sum) == 0 {
		r.mu.Unlock()
		return nil
	}
	sum := r.sum
	r.sum = map[string]Amount{}
	r.mu.Unlock()
	err := r.counter.AddAll(ctx, sum)
	if err != nil {
		for tenant, a := range sum {
			r.Change(tenant, a.Mails, a.Bytes)
		}
	}
	return err
}
