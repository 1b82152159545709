package queue_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// Claims and pending tasks take turns, whichever queues they are in, also when
// asynq's scripts have to be sent again.
func TestClaimsAndPendingTasksTakeTurns(t *testing.T) {
	t.Parallel()
	for _, flush := range []bool{false, true} {
		for _, full := range [][]string{{"bulk"}, queue.Names()} {
			t.Run(fmt.Sprintf("flush=%v/%d", flush, len(full)), func(t *testing.T) {
				t.Parallel()
				const claims = 60
				rdb := redistest.Start(t).Client(t)
				refs := scheduled(t, rdb, "critical", claims)
				fill(t, rdb, 2*claims, full...)
				order := make(chan string, 10*claims)
				conn := queue.NewClient(rdb, 1)
				conn.Claim(refs, nil)
				stop := start(t, conn, 1, func(id string) error {
					if flush {
						rdb.ScriptFlush(context.Background())
					}
					order <- id
					return nil
				})
				defer stop()
				for i := range 2 * claims {
					id := await(t, "task", order)
					if claimed := strings.Contains(id, "scheduled"); claimed != (i%2 == 0) {
						t.Fatalf("task %d is %s", i, id)
					}
				}
			})
		}
	}
}

// A backlog on either side leaves the other its half of the rounds.
func TestNeitherStarves(t *testing.T) {
	t.Parallel()
	const claims, workers = 600, 8
	rdb := redistest.Start(t).Client(t)
	refs := scheduled(t, rdb, "default", claims)
	fill(t, rdb, claims, queue.Names()...)
	conn := queue.NewClient(rdb, workers)
	conn.Claim(refs, nil)
	order := make(chan string, 5*claims)
	stop := start(t, conn, workers, func(id string) error { order <- id; return nil })
	defer stop()
	claimed := 0
	for range claims {
		if strings.Contains(await(t, "task", order), "scheduled") {
			claimed++
		}
	}
	if share := float64(claimed) / claims; share < .3 || share > .8 {
		t.Errorf("claims have a share of %.2f", share)
	}
}

// An idle server takes a claim up at once: the timer would take an hour.
func TestClaimWakes(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, watched := server.Client(t), server.Client(t)
	refs := deferred(t, rdb, "bulk", 20)
	empty := make(emptyPops, 3)
	watched.AddHook(empty)
	conn := queue.NewClient(watched, 2)
	conn.SetIdleWait(time.Hour)
	done := make(chan string, len(refs))
	stop := start(t, conn, 2, func(id string) error { done <- id; return nil })
	defer stop()
	for range 3 { // the next thing the conn does is to wait
		await(t, "empty queues", empty)
	}
	for _, ref := range refs[:10] {
		conn.Claim([]queue.Ref{ref}, nil)
		if id := await(t, "task", done); id != ref.ID {
			t.Errorf("%s, want %s", id, ref.ID)
		}
	}
	gone := make([]queue.Ref, 100) // more misses than a round has claims
	missed, tell := verdicts()
	conn.Claim(append(gone, refs[10:]...), tell)
	for range gone {
		await(t, "miss", missed)
	}
	for range 10 {
		await(t, "task", done)
	}
}

// claimsWatched runs seen with the claims of each round trip, behind it.
func claimsWatched(client redis.UniversalClient, seen func([]redis.Cmder)) {
	client.AddHook(fault(func(_ context.Context, cmds []redis.Cmder, run func() error) error {
		err := run()
		if isClaim(cmds[0]) {
			seen(cmds)
		}
		return err
	}))
}

// Tasks are taken over for free workers only, all of them in one round trip and
// each queue by one call.
func TestClaimsWaitForFreeWorkers(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3, 20, 50} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			rdb, watched := server.Client(t), server.Client(t)
			var refs []queue.Ref
			for _, name := range queue.Names() {
				refs = append(refs, scheduled(t, rdb, name, 40)...)
			}
			rand.Shuffle(len(refs), func(i, j int) { refs[i], refs[j] = refs[j], refs[i] })
			var most atomic.Int64
			claimsWatched(watched, func(cmds []redis.Cmder) {
				tasks := 0
				seen := map[string]bool{}
				for _, c := range cmds {
					args := c.Args()
					n := args[2].(int)
					name, _, _ := strings.Cut(fmt.Sprint(args[3]), ":paused")
					for _, k := range args[3 : 3+n] {
						if !strings.HasPrefix(fmt.Sprint(k), name+":") {
							t.Errorf("%v and %s in one script", k, name)
						}
					}
					if seen[name] {
						t.Errorf("two calls for %s", name)
					}
					seen[name] = true
					tasks += n - 5
				}
				most.Store(max(most.Load(), int64(tasks)))
			})
			conn := queue.NewClient(watched, workers)
			conn.Claim(refs, nil)
			if free := conn.Free(); free != workers-len(refs) {
				t.Errorf("%d workers are free", free)
			}
			started, release := make(chan int, len(refs)), make(chan struct{})
			stop := start(t, conn, workers, func(string) error {
				started <- length(t, rdb, "active")
				<-release
				return nil
			})
			defer stop()
			for range workers {
				if active := await(t, "handler", started); active > workers {
					t.Errorf("%d active tasks for %d workers", active, workers)
				}
			}
			if active := length(t, rdb, "active"); active != workers || conn.Free() != workers-len(refs) {
				t.Errorf("%d active tasks, %d free when all %d workers are busy", active, conn.Free(), workers)
			}
			if want := int64(min(workers, 32)); most.Load() != want {
				t.Errorf("at most %d tasks in a round trip, want %d", most.Load(), want)
			}
			close(release)
			for range len(refs) - workers {
				await(t, "handler", started)
			}
			eventually(t, "free workers", func() bool { return conn.Free() == workers })
		})
	}
}

// Draining drops the claims that were not executed; those that were are handed
// over.
func TestDrainDropsClaims(t *testing.T) {
	t.Parallel()
	const n, workers, rounds = 60, 8, 20
	rdb := redistest.Start(t).Client(t)
	for round := range rounds {
		refs := scheduled(t, rdb, "default", n)
		var handled atomic.Int64
		begun, missed := make(chan struct{}, n), make(chan verdict, n)
		conn := queue.NewClient(rdb, workers)
		stop := start(t, conn, workers, func(string) error {
			handled.Add(1)
			begun <- struct{}{}
			return nil
		})
		defer stop() // a second time, unless the test ends before
		var claimers sync.WaitGroup
		for chunk := range slices.Chunk(refs, 10) { // some of them too late
			claimers.Go(func() { conn.Claim(chunk, func(r queue.Ref, m queue.Miss) { missed <- verdict{r, m} }) })
		}
		for range round {
			await(t, "task", begun)
		}
		stop()
		claimers.Wait()
		waiting, active := length(t, rdb, "scheduled"), length(t, rdb, "active")
		if active != 0 || waiting != len(missed) || waiting+int(handled.Load()) != n || conn.Free() != 0 {
			t.Fatalf("round %d: %d active, %d waiting, %d told, %d of %d handled, %d free",
				round, active, waiting, len(missed), handled.Load(), n, conn.Free())
		}
		for range waiting {
			if v := <-missed; v.miss != queue.MissActive {
				t.Errorf("%v", v)
			}
		}
		rdb.FlushDB(t.Context())
	}
}

// Whoever is told of a miss may use the client.
func TestMissedUsesTheClient(t *testing.T) {
	t.Parallel()
	conn := queue.NewClient(redistest.Start(t).Client(t), 2)
	missed, tell := verdicts()
	var free int
	conn.Claim([]queue.Ref{{Queue: "bulk", ID: "a"}}, func(queue.Ref, queue.Miss) {
		free = conn.Free()
		conn.Claim([]queue.Ref{{Queue: "bulk", ID: "b"}}, tell)
	})
	for range queue.Names() { // in the end it is the turn of claims again
		if _, err := ask(t, conn); err != redis.Nil { //nolint:errorlint // as asynq asks
			t.Error(err)
		}
	}
	if v := await(t, "miss", missed); v.ref.ID != "b" || free != 2 {
		t.Errorf("%v, %d workers free", v, free)
	}
	drained := make(chan struct{})
	conn.Claim([]queue.Ref{{Queue: "bulk", ID: "c"}}, func(queue.Ref, queue.Miss) {
		conn.Drain(t.Context())
		close(drained)
	})
	var asking sync.WaitGroup
	asking.Go(func() {
		for range queue.Names() {
			_, _ = ask(t, conn)
		}
	})
	await(t, "end of Drain", drained)
	asking.Wait()
}
