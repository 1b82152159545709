//go:build !race

package redisstore_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// TestLargeStore resolves against 100,000 accounts in Redis: cold with a
// round trip each, warm with none. It runs alone, and not under the race
// detector: its memory is counted.
func TestLargeStore(t *testing.T) {
	const tenants, users = 1000, 99 // and each tenant's own account
	rdb, o := start(t)
	fill(t, open(t, o), tenants, users)
	s := open(t, o)
	run(t, s)
	r, err := resolver.New(resolver.Options{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	pass := func() time.Duration {
		begin := time.Now()
		for n := range tenants {
			for u := range users {
				req := resolver.Request{Tenant: tenantID(n), User: rohrpost.User{ID: userID(u)}, Origin: rohrpost.Manual}
				sender, err := r.Resolve(t.Context(), req)
				if err != nil || sender.Account.SMTP.Password.Reveal() != canary {
					t.Fatalf("%s %s: %v", req.Tenant, req.User.ID, err)
				}
			}
		}
		return time.Since(begin)
	}
	before := heap()
	cold := pass()
	memory := heap() - before
	if got := s.Entries(); got != tenants*(users+1)+1 {
		t.Errorf("%d records in memory", got)
	}
	commands := processed(t, rdb)
	warm := pass()
	// What asks for the count is a command too; a ping of the subscription may be.
	if n := processed(t, rdb) - commands; n > 5 {
		t.Errorf("%d commands while everything was warm", n)
	}
	lookups := time.Duration(tenants * users)
	t.Logf("100,000 accounts: cold %v (%v each), warm %v (%v each), %d MiB in memory (%d bytes each)",
		cold.Round(time.Millisecond), cold/lookups, warm.Round(time.Millisecond), warm/lookups, memory>>20, memory/(tenants*(users+1)))
}

func tenantID(n int) string { return fmt.Sprintf("tenant-%d", n) }
func userID(n int) string   { return fmt.Sprintf("user-%d", n) }

// fill stores the accounts, tenant by tenant, from several goroutines.
func fill(t *testing.T, s *redisstore.Store, tenants, users int) {
	t.Helper()
	begin := time.Now()
	work := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for n := range work {
				for u := -1; u < users; u++ {
					p := resolver.Place{Tenant: tenantID(n)}
					if u >= 0 {
						p.User = userID(u)
					}
					e := entry(fmt.Sprintf("%s@%s.example", p.User+"info", p.Tenant))
					if _, err := s.Put(context.Background(), olga, p, 0, e); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for n := range tenants {
		work <- n
	}
	close(work)
	wg.Wait()
	t.Logf("storing took %v", time.Since(begin).Round(time.Millisecond))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// processed is how many commands Redis has run.
func processed(t *testing.T, rdb redis.UniversalClient) int {
	t.Helper()
	info, err := rdb.InfoMap(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscan(info["Stats"]["total_commands_processed"], &n); err != nil {
		t.Fatal(err)
	}
	return n
}
