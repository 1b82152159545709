package breaker_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func open(t *testing.T, rdb redis.UniversalClient) *breaker.Breaker {
	t.Helper()
	g, err := breaker.New(breaker.Options{Redis: rdb, Backlog: backlog.New(rdb, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func run(t *testing.T, g *breaker.Breaker) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
}

func as(fingerprint string) func() string { return func() string { return fingerprint } }

func refused() *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 wrong password"}}})
}

// TestPark is the life of a parked account, seen from two processes.
func TestPark(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	here, there := open(t, rdb), open(t, rdb)
	run(t, there)
	if here.Parked("tenant/acme", as("1")) != nil {
		t.Error("parked before anything happened")
	}
	if err := here.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	n := here.Parked("tenant/acme", as("1"))
	if n == nil {
		t.Fatal("not parked")
	}
	if diff := cmp.Diff(refused(), n.Failure(), cmpopts.IgnoreUnexported(failure.Failure{})); diff != "" {
		t.Errorf("the refusal (-want +got):\n%s", diff)
	}
	redistest.Until(t, "parking there", func() bool { return there.Parked("tenant/acme", as("1")) != nil })
	if here.Parked("tenant/acme", as("2")) != nil || there.Parked("tenant/globex", as("1")) != nil {
		t.Error("new settings, or another account, are parked")
	}
	late := open(t, rdb)
	if err := late.Load(t.Context()); err != nil || len(late.States()) != 1 || late.States()[0].Subject != "tenant/acme" {
		t.Errorf("a process that starts: %v, %+v", err, late.States())
	}
	if err := late.Reset(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "release there", func() bool { return there.Parked("tenant/acme", as("1")) == nil })
	if err := late.Reset(t.Context(), "tenant/acme"); err != nil {
		t.Errorf("releasing twice: %v", err)
	}
}

// TestRedisAway parks in this process at least.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := open(t, rdb)
	if err := rdb.Close(); err != nil {
		t.Fatal(err)
	}
	if err := g.Park(t.Context(), "tenant/acme", "1", refused()); err == nil || g.Parked("tenant/acme", as("1")) == nil {
		t.Errorf("%v, %v", err, g.Parked("tenant/acme", as("1")))
	}
}

// TestParkOnce: fifty mails behind one refusal are one write, and after a release
// the next refusal is another.
func TestParkOnce(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := open(t, rdb)
	writes := func() string {
		return rdb.InfoMap(t.Context(), "commandstats").Val()["Commandstats"]["cmdstat_hset"]
	}
	for range 50 {
		if err := g.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
			t.Fatal(err)
		}
	}
	if got := writes(); !strings.HasPrefix(got, "calls=1,") {
		t.Errorf("written: %s", got)
	}
	if err := g.Park(t.Context(), "tenant/acme", "2", refused()); err != nil {
		t.Fatal(err)
	}
	if err := g.Reset(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	if err := g.Park(t.Context(), "tenant/acme", "2", refused()); err != nil {
		t.Fatal(err)
	}
	if got := writes(); !strings.HasPrefix(got, "calls=3,") {
		t.Errorf("written: %s", got)
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	g := open(t, rdb)
	if err := g.Park(t.Context(), "tenant/acme", "1", refused()); err != nil {
		t.Fatal(err)
	}
	rdb.HSet(t.Context(), "rohrpost:breaker:states", "x", "{")
	if err := g.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "state of x is damaged") || g.Parked("tenant/acme", as("1")) == nil {
		t.Errorf("%v: what was known must stay", err)
	}
}
