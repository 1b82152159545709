package lease_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestLostProof: who has logged in says so again when leases are renewed.
func TestLostProof(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	here, there := newHolder(t, server.Client(t), 300*time.Millisecond), newHolder(t, server.Client(t), 0)
	one := here.take("1", 9)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := one.Proven(ctx); err == nil {
		t.Fatal("written without a context")
	}
	there.full("1", 9)
	here.run()
	redistest.Until(t, "the login's getting known", func() bool {
		l, err := there.Take(t.Context(), leased, "1", 9)
		return err == nil && !l.First()
	})
}

// TestDeadProcess: its leases end within the TTL, those that are renewed do not.
func TestDeadProcess(t *testing.T) {
	t.Parallel()
	const ttl = 300 * time.Millisecond
	rdb := redistest.Start(t).Client(t)
	dead, alive := newHolder(t, rdb, ttl), newHolder(t, rdb, ttl)
	alive.proven("1", 3)
	alive.run()
	dead.take("1", 3)
	dead.take("1", 3)
	start := time.Now()
	alive.full("1", 3)
	for range 2 {
		redistest.Until(t, "the end of a lease", func() bool {
			_, err := alive.Take(t.Context(), leased, "1", 3)
			return err == nil
		})
	}
	if took := time.Since(start); took > 10*ttl {
		t.Errorf("that took %v", took)
	}
	for end := time.Now().Add(3 * ttl); time.Now().Before(end); {
		alive.full("1", 3)
	}
	if got := alive.log.lines(); got != nil {
		t.Errorf("logged: %s", got)
	}
}

// TestFrozenProcess: whoever wakes up with open connections counts them, even
// above the limit; what it has given back does not come back.
func TestFrozenProcess(t *testing.T) {
	t.Parallel()
	const ttl = 200 * time.Millisecond
	rdb := redistest.Start(t).Client(t)
	frozen, here := newHolder(t, rdb, ttl), newHolder(t, rdb, 0)
	frozen.proven("1", 2)
	closed := frozen.take("1", 2)
	here.full("1", 2)
	for range 2 {
		redistest.Until(t, "the end of a lease", func() bool { _, err := here.Take(t.Context(), leased, "1", 2); return err == nil })
	}
	closed.Release()
	frozen.run()
	redistest.Until(t, "the lease's coming back", func() bool { return leasesInRedis(t, rdb) == 3 })
	here.full("1", 3)
	here.take("1", 4)
}

// TestReleaseWhileRenewing: a lease that is released while all are renewed is gone.
func TestReleaseWhileRenewing(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	p := newHolder(t, rdb, 100*time.Millisecond)
	p.proven("1", 1000)
	stop := p.run()
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		var leases []*lease.Lease
		for range 20 {
			leases = append(leases, p.take("1", 1000))
		}
		for _, l := range leases {
			l.Release()
		}
		if got := leasesInRedis(t, rdb); got > 1 {
			t.Fatalf("%d leases of closed connections are back", got-1)
		}
	}
	stop()
}

// TestClockSetBack: leases that would last for hours by the new clock of Redis do
// not.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	p := newHolder(t, rdb, 200*time.Millisecond)
	p.proven("1", 1).Release()
	score := float64(time.Now().Add(time.Hour).UnixMilli())
	if err := rdb.ZAdd(t.Context(), "rohrpost:lease:{"+leased+"}:connections", redis.Z{Score: score, Member: "1/dead"}).Err(); err != nil {
		t.Fatal(err)
	}
	p.full("1", 1)
	redistest.Until(t, "the end of the lease", func() bool { _, err := p.Take(t.Context(), leased, "1", 1); return err == nil })
}

// TestRenewalIsOnePipeline, whatever the number of accounts.
func TestRenewalIsOnePipeline(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	seen := &leasePipelines{}
	rdb.AddHook(seen)
	p := newHolder(t, rdb, 300*time.Millisecond)
	for i := range 200 {
		if _, err := p.Take(t.Context(), fmt.Sprint("tenant/", i), "1", 1); err != nil {
			t.Fatal(err)
		}
	}
	p.run()
	redistest.Until(t, "three renewals", func() bool { return seen.count.Load() >= 4 }) // the first loads the script
	if got := seen.calls.Load(); got < 4*200 {
		t.Errorf("%d calls in %d leasePipelines", got, seen.count.Load())
	}
}

// leasePipelines counts those that a client sends, and their commands.
type leasePipelines struct{ count, calls atomic.Int64 }

func (*leasePipelines) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*leasePipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (p *leasePipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if strings.Contains(cmds[0].Name(), "eval") { // not the greeting of a connection
			p.count.Add(1)
			p.calls.Add(int64(len(cmds)))
		}
		return next(ctx, cmds)
	}
}
