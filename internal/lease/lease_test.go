package lease_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

const leased = "tenant/acme"

// A holder is a process that holds leases.
type holder struct {
	*testing.T
	*lease.Leases
	log *leaseLog
}

// leaseLog is what a holder logs.
type leaseLog struct {
	mu   sync.Mutex
	text []string
}

func (l *leaseLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, string(p))
	return len(p), nil
}

func (l *leaseLog) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.text)
}

// newHolder starts one. TTL 0 is the usual one.
func newHolder(t *testing.T, rdb redis.UniversalClient, ttl time.Duration) *holder {
	t.Helper()
	return holderOf(t, lease.Options{Redis: rdb, TTL: ttl})
}

func holderOf(t *testing.T, o lease.Options) *holder {
	t.Helper()
	log := &leaseLog{}
	o.Logger = zerolog.New(log)
	l, err := lease.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{t, l, log}
}

// take takes a lease, which is there.
func (p *holder) take(fingerprint string, limit int) *lease.Lease {
	p.Helper()
	one, err := p.Take(p.Context(), leased, fingerprint, limit)
	if err != nil {
		p.Fatal(err)
	}
	return one
}

// full wants no lease.
func (p *holder) full(fingerprint string, limit int) {
	p.Helper()
	if _, err := p.Take(p.Context(), leased, fingerprint, limit); !errors.Is(err, lease.ErrFull) {
		p.Errorf("a lease beyond those there are: %v", err)
	}
}

// proven is take and a login.
func (p *holder) proven(fingerprint string, limit int) *lease.Lease {
	p.Helper()
	one := p.take(fingerprint, limit)
	if err := one.Proven(p.Context()); err != nil {
		p.Fatal(err)
	}
	return one
}

// run renews leases until the returned function, or the end of the test.
func (p *holder) run() (stop func()) {
	p.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { p.Leases.Run(ctx) })
	stop = func() { cancel(); wg.Wait() }
	p.Cleanup(stop)
	return stop
}

// leasesInRedis is how many leases the account has there.
func leasesInRedis(t *testing.T, rdb redis.UniversalClient) int {
	t.Helper()
	n, err := rdb.ZCard(t.Context(), "rohrpost:lease:{"+leased+"}:connections").Result()
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestLeases is the usual life: two processes share what an account may have.
func TestLeases(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	here, there := newHolder(t, rdb, 0), newHolder(t, rdb, 0)
	first := here.proven("1", 3)
	second, third := there.take("1", 3), there.take("1", 3)
	if !first.First() || second.First() || third.First() {
		t.Error("who was the first?")
	}
	here.full("1", 3)
	there.full("1", 3)
	if here.Held(leased) != 1 || there.Held(leased) != 2 || here.Held("tenant/globex") != 0 {
		t.Errorf("held: %d here, %d there", here.Held(leased), there.Held(leased))
	}
	if _, err := here.Take(t.Context(), "tenant/globex", "1", 1); err != nil {
		t.Errorf("another account: %v", err)
	}
	second.Release()
	second = here.take("1", 3)
	here.full("1", 3)
	here.take("1", 4) // an account may have more from one moment to the next
	there.full("1", 2)
	for _, l := range []*lease.Lease{first, second, third, third} { // giving back twice is giving back once
		l.Release()
	}
	if got := leasesInRedis(t, rdb); got != 1 || here.Held(leased) != 1 || there.Held(leased) != 0 {
		t.Errorf("%d in Redis, %d here, %d there", got, here.Held(leased), there.Held(leased))
	}
}

// TestTheLimitHolds: many processes at once never have more than there are.
func TestTheLimitHolds(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	newHolder(t, rdb, 0).proven("1", 3).Release()
	var (
		mu                sync.Mutex
		open, most, taken int
		wg                sync.WaitGroup
	)
	for range 8 {
		p := newHolder(t, rdb, 0)
		wg.Go(func() {
			for range 200 {
				one, err := p.Take(t.Context(), leased, "1", 3)
				if errors.Is(err, lease.ErrFull) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				taken, open = taken+1, open+1
				most = max(most, open)
				mu.Unlock()
				runtime.Gosched()
				mu.Lock()
				open--
				mu.Unlock()
				one.Release()
			}
		})
	}
	wg.Wait()
	if most > 3 || taken == 0 || leasesInRedis(t, rdb) != 0 {
		t.Errorf("%d at a time, of %d; %d are left", most, taken, leasesInRedis(t, rdb))
	}
}

// TestFirstLogin: until somebody has logged in with a fingerprint there is one
// lease for it, in whichever process; a refusal makes it so again.
func TestFirstLogin(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	here, there := newHolder(t, rdb, 0), newHolder(t, rdb, 0)
	trying := here.take("1", 9)
	here.full("1", 9)
	there.full("1", 9)
	trying.Release() // it found no server: that says nothing
	trying = there.take("1", 9)
	here.full("1", 9)
	if err := trying.Proven(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := here.take("1", 9)

	// The password was changed at the provider.
	again.Refused()
	there.take("1", 9)
	again.Release()
	alone := here.take("1", 9)
	there.full("1", 9)
	if !alone.First() {
		t.Error("the refused login still counts as proven")
	}
	alone.Refused()
	alone.Release()

	// New settings do not wait for connections with the old ones, but count them.
	there.proven("2", 9)
	here.take("2", 9)
	here.full("2", 4)
	if leasesInRedis(t, rdb) != 4 {
		t.Errorf("%d leases", leasesInRedis(t, rdb))
	}
}

// TestFirstLoginEnds with the process that was at it.
func TestFirstLoginEnds(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	dead, here := newHolder(t, rdb, 200*time.Millisecond), newHolder(t, rdb, 0)
	dead.take("1", 9)
	here.full("1", 9)
	redistest.Until(t, "the end of the dead process's try", func() bool {
		_, err := here.Take(t.Context(), leased, "1", 9)
		return err == nil
	})
}

// TestLeasesEnd: nothing of an account stays in Redis for ever.
func TestLeasesEnd(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	p := newHolder(t, rdb, 0)
	p.proven("1", 2)
	p.take("1", 2)
	for key, most := range map[string]time.Duration{"connections": 30 * time.Second, "proven": 30 * 24 * time.Hour} {
		ttl, err := rdb.PTTL(t.Context(), "rohrpost:lease:{"+leased+"}:"+key).Result()
		if err != nil || ttl <= most/2 || ttl > most {
			t.Errorf("%s ends in %v, %v", key, ttl, err)
		}
	}
}

// TestLeasesRedisAway: no lease without Redis, and giving one back does not hang.
func TestLeasesRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := newHolder(t, server.Client(t), 300*time.Millisecond)
	one := p.proven("1", 2)
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := p.Take(ctx, leased, "1", 2); err == nil || errors.Is(err, lease.ErrFull) {
		t.Errorf("taken without Redis: %v", err)
	}
	start := time.Now()
	one.Release()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("giving back took %v", took)
	}
	server.Resume()
	if got := p.log.lines(); p.Held(leased) != 0 || len(got) != 1 || !strings.Contains(got[0], "counts until its lease ends") {
		t.Errorf("held %d, logged %s", p.Held(leased), got)
	}
	redistest.Until(t, "a new lease", func() bool { _, err := p.Take(t.Context(), leased, "1", 1); return err == nil })
}

func TestNewLeases(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	for _, o := range []lease.Options{{}, {Redis: rdb, TTL: -1}, {Redis: rdb, TTL: time.Millisecond}} {
		if _, err := lease.New(o); err == nil {
			t.Errorf("accepted: %+v", o)
		}
	}
}
