package lease_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// trial takes a lease for a test, within d.
func (p *holder) trial(d time.Duration) (*lease.Lease, error) {
	ctx, cancel := context.WithTimeout(p.Context(), d)
	defer cancel()
	return p.TakeTrial(ctx, leased, 2)
}

// listen has a process give up a lease whenever one is wanted, until the test ends.
func (p *holder) listen(leases ...*lease.Lease) {
	p.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var listening sync.WaitGroup
	listening.Go(func() {
		p.Wanted(ctx, func(account string) {
			if account == leased && len(leases) > 0 {
				leases[0].Release()
				leases = leases[1:]
			}
		})
	})
	p.Cleanup(func() { stop(); listening.Wait() })
}

// TestTrial: a test has the next place that becomes free, before any mail, and leaves
// nothing behind.
func TestTrial(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	worker, other := newHolder(t, rdb, 0), newHolder(t, rdb, 0)
	free, err := other.trial(20 * time.Second)
	if err != nil || leasesInRedis(t, rdb) != 1 || other.Held(leased) != 1 {
		t.Fatalf("%v, %d leases, %d of them held", err, leasesInRedis(t, rdb), other.Held(leased))
	}
	first := worker.proven("fp", 2) // no login waits for the test, and the test proves none
	free.Release()
	second := worker.proven("fp", 2)
	if _, err := other.trial(100 * time.Millisecond); !errors.Is(err, lease.ErrFull) || leasesInRedis(t, rdb) != 2 {
		t.Errorf("all are busy: %v, %d leases", err, leasesInRedis(t, rdb))
	}
	worker.listen(first)
	lease, err := other.trial(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	worker.full("fp", 2)
	if second.First() || leasesInRedis(t, rdb) != 2 {
		t.Errorf("%d leases", leasesInRedis(t, rdb))
	}
	lease.Release()
	if worker.proven("fp", 2).First() {
		t.Error("the login is forgotten")
	}
}

// TestTrialBeforeMails: what becomes free while a test waits is not a mail's.
func TestTrialBeforeMails(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	worker, other := newHolder(t, rdb, 0), newHolder(t, rdb, 0)
	first := worker.proven("fp", 2)
	worker.proven("fp", 2)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := other.TakeTrial(ctx, leased, 2)
		done <- err
	}()
	redistest.Until(t, "the test waits", func() bool { return leasesInRedis(t, rdb) == 3 })
	// Another test waits for its turn, and is not counted meanwhile.
	if _, err := newHolder(t, rdb, 0).trial(100 * time.Millisecond); !errors.Is(err, lease.ErrFull) || leasesInRedis(t, rdb) != 3 {
		t.Errorf("%v, %d leases", err, leasesInRedis(t, rdb))
	}
	first.Release()
	worker.full("fp", 2)
	if err := <-done; err != nil {
		t.Error(err)
	}
	stop()
}

// TestTrialWithoutRedis says that nobody knows, not that all are busy.
func TestTrialWithoutRedis(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	p := newHolder(t, rdb, 0)
	if err := rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.trial(time.Second); err == nil || errors.Is(err, lease.ErrFull) {
		t.Errorf("without Redis: %v", err)
	}
}
