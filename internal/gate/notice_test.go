package gate_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/gate"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func open(t *testing.T, rdb redis.UniversalClient) *gate.Gate {
	t.Helper()
	g, err := gate.New(gate.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func run(t *testing.T, g *gate.Gate) {
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

// until waits for something that another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
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
	until(t, "parking there", func() bool { return there.Parked("tenant/acme", as("1")) != nil })
	if here.Parked("tenant/acme", as("2")) != nil || there.Parked("tenant/globex", as("1")) != nil {
		t.Error("new settings, or another account, are parked")
	}
	late := open(t, rdb)
	if err := late.Load(t.Context()); err != nil || len(late.Notices()) != 1 || late.Notices()[0].Subject != "tenant/acme" {
		t.Errorf("a process that starts: %v, %+v", err, late.Notices())
	}
	if err := late.Release(t.Context(), "tenant/acme"); err != nil {
		t.Fatal(err)
	}
	until(t, "release there", func() bool { return there.Parked("tenant/acme", as("1")) == nil })
	if err := late.Release(t.Context(), "tenant/acme"); err != nil {
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
	if err := g.Release(t.Context(), "tenant/acme"); err != nil {
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
	rdb.HSet(t.Context(), "rohrpost:gate:notices", "x", "{")
	if err := g.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "notice of x is damaged") || g.Parked("tenant/acme", as("1")) == nil {
		t.Errorf("%v: what was known must stay", err)
	}
}

// TestRefusalsAreNoCrowd: a server that refuses for good does not say that there is one
// connection too many: fewer would help nothing.
func TestRefusalsAreNoCrowd(t *testing.T) {
	t.Parallel()
	busy := &failure.Failure{Stage: failure.StageAuth, Class: failure.Throttle, Category: "too_many_connections", Code: 421}
	for want, f := range map[gate.Reason]*failure.Failure{gate.Busy: busy, gate.WhenParked: refused()} {
		g := open(t, redistest.Start(t).Client(t))
		var passes []*gate.Pass
		for n := range 2 {
			p, w, err := g.Enter(t.Context(), door(), mail(n), 1)
			if err != nil || w != nil {
				t.Fatalf("%+v, %v", w, err)
			}
			passes = append(passes, p)
		}
		if w := passes[0].Leave(t.Context(), gate.Result{Failure: f}); w == nil || w.Reason != want {
			t.Errorf("%d beside another connection: %+v, want %s", f.Code, w, want)
		}
		passes[1].Leave(t.Context(), gate.Result{Reached: true})
	}
}
