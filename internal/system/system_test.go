package system_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/system"
	"github.com/rohrpost/rohrpost/producer"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

func olga() audit.Record { return audit.Record{Who: "olga", Source: audit.Pages} }

func newAudit(t *testing.T, rdb redis.UniversalClient) *audit.Log {
	t.Helper()
	log, err := audit.New(audit.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func newChecks(t *testing.T, rdb redis.UniversalClient, log *audit.Log, pause time.Duration) *system.Checks {
	t.Helper()
	c, err := system.NewChecks(system.ChecksOptions{Redis: rdb, Audit: log, Pause: pause})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func last(t *testing.T, c *system.Checks) *system.Check {
	t.Helper()
	check, err := c.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return check
}

func TestHoldsAreWrittenDown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	holds, err := system.NewHolds(system.HoldsOptions{Redis: rdb, Audit: newAudit(t, rdb)})
	if err != nil {
		t.Fatal(err)
	}
	if err := holds.Set(t.Context(), olga(), "none", true); !errors.Is(err, system.ErrNoQueue) {
		t.Errorf("a queue that there is not: %v", err)
	}
	if err := holds.Set(t.Context(), olga(), "bulk", true); err != nil {
		t.Fatal(err)
	}
	pauses, err := queue.Paused(t.Context(), rdb)
	if err != nil || len(pauses) != 1 || holds.By(t.Context(), "bulk", pauses[0].Since) != "olga" {
		t.Errorf("%+v %v", pauses, err)
	}
	if err := rdb.Del(t.Context(), "rohrpost:audit").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), "rohrpost:audit", "no stream", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := holds.Set(t.Context(), olga(), "bulk", false); !errors.Is(err, system.ErrUnwritten) {
		t.Errorf("without a line: %v", err)
	}
	if pauses, err := queue.Paused(t.Context(), rdb); err != nil || len(pauses) != 1 {
		t.Errorf("what was not written down was done: %+v %v", pauses, err)
	}
}

func TestBacklogsAreCounted(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	store := backlog.New(rdb, nil)
	for i := range 25 {
		for k := range i + 1 {
			ref := queue.Ref{Queue: "default", ID: fmt.Sprintf("%d-%d", i, k)}
			if err := store.Enqueue(t.Context(), fmt.Sprintf("tenant/t%d", i), ref, time.Now().Add(time.Hour), string(dispatch.Rate)); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := system.NewBacklogs(system.BacklogsOptions{Redis: rdb, States: func() []*breaker.State {
		return []*breaker.State{{Kind: breaker.Parked, Subject: "tenant/t24"}}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var count system.Count
	redistest.Until(t, "they are counted", func() bool {
		count, err = b.Read(t.Context())
		return !errors.Is(err, system.ErrCounting)
	})
	if err != nil || count.Mails != 325 || count.Accounts != 25 || count.More || len(count.Longest) != 20 {
		t.Fatalf("%+v %v", count, err)
	}
	if first := count.Longest[0]; first.Account != "tenant/t24" || first.Mails != 25 || first.Reason != dispatch.Parked || time.Since(first.Oldest) > time.Minute {
		t.Errorf("the longest: %+v", first)
	}
	got := map[dispatch.Reason]int64{}
	for _, g := range count.Reasons {
		got[g.Reason] = g.Mails
	}
	if len(got) != len(dispatch.Reasons()) || got[dispatch.Parked] != 25 || got[dispatch.Rate] != 300 {
		t.Errorf("by reason: %v", got)
	}
}

func TestBacklogsThatCannotBeCounted(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	b, err := system.NewBacklogs(system.BacklogsOptions{Redis: server.Client(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	server.Pause()
	defer server.Resume()
	if _, err := b.Read(t.Context()); !errors.Is(err, system.ErrCounting) {
		t.Errorf("at first: %v", err)
	}
	redistest.Until(t, "the count has failed", func() bool {
		_, err := b.Read(t.Context())
		return !errors.Is(err, system.ErrCounting)
	})
	if _, err := b.Read(t.Context()); err == nil {
		t.Error("a count of a Redis that does not answer")
	}
}

// Two processes: one checks, and the other shows how far it is and begins no second one.
func TestOneCheckAtATime(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	log := newAudit(t, rdb)
	one, other := newChecks(t, rdb, log, time.Hour), newChecks(t, rdb, log, time.Millisecond)
	if check := last(t, other); check != nil {
		t.Fatalf("before the first: %+v", check)
	}
	mail, err := producer.New(rdb, producer.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mail.Send(t.Context(), rohrpost.Message{ID: "a", Tenant: "acme", Text: "x", To: []rohrpost.Address{{Address: "a@example.org"}}}); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Del(t.Context(), "asynq:{default}:pending").Err(); err != nil { // the check has to look twice
		t.Fatal(err)
	}
	if err := one.Start(t.Context(), olga(), true); err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context(), olga(), false); !errors.Is(err, system.ErrRunning) {
		t.Errorf("a second one: %v", err)
	}
	redistest.Until(t, "the other process sees how far it is", func() bool { return last(t, other).Looked == 1 })
	if check := last(t, other); !check.Running() || check.Who != "olga" || !check.Repair {
		t.Errorf("under way: %+v", check)
	}
	one.Close()
	if check := last(t, other); check.Running() || check.Failure != system.Abandoned {
		t.Errorf("after the end of its process: %+v", check)
	}
	if err := one.Start(t.Context(), olga(), false); !errors.Is(err, system.ErrClosed) {
		t.Errorf("in a process that ends: %v", err)
	}
	if err := other.Start(t.Context(), olga(), true); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "the repair has ended", func() bool { return !last(t, other).Running() })
	check := last(t, other)
	if check.Failure != "" || check.Repaired != 1 || len(check.Findings) != 1 || check.Findings[0].Kind != reconcile.Orphaned || !check.Findings[0].Repaired {
		t.Errorf("%+v", check)
	}
	acts, err := log.Latest(t.Context(), 10)
	if err != nil || len(acts) != 2 || acts[0].Count != 0 || acts[1].Count != 1 || acts[1].Action != audit.Repair || acts[1].Outcome != audit.Done {
		t.Errorf("history: %+v %v", acts, err)
	}
}

// The process that did it was killed: its check is over when its lock is.
func TestAKilledCheck(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	c := newChecks(t, rdb, newAudit(t, rdb), time.Millisecond)
	if err := c.Start(t.Context(), olga(), false); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "it has ended", func() bool { return !last(t, c).Running() })
	for key, value := range map[string]string{"lock": "killed", "last": `{"id":"killed","begun":"2026-11-30T10:00:00Z"}`} {
		if err := rdb.Set(t.Context(), "rohrpost:{check}:"+key, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if check := last(t, c); !check.Running() {
		t.Errorf("while it has the lock: %+v", check)
	}
	if err := rdb.Del(t.Context(), "rohrpost:{check}:lock").Err(); err != nil {
		t.Fatal(err)
	}
	if check := last(t, c); check.Running() || check.Failure != system.Abandoned {
		t.Errorf("afterwards: %+v", check)
	}
}

// Pages whose Redis user may not do something say so.
func TestChecksWithoutRights(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]any{
		"ledger": {"~asynq:*", "~rohrpost:{check}:*", "~rohrpost:audit", "+@all"},
		"scan":   {"~*", "+@all", "-scan"},
	} {
		server := redistest.Start(t, redistest.TCP())
		admin := server.Client(t)
		if err := admin.Set(t.Context(), "rohrpost:job:{a},acme", "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if err := admin.Do(t.Context(), append([]any{"ACL", "SETUSER", "pages", "on", ">pw"}, rules...)...).Err(); err != nil {
			t.Fatal(err)
		}
		rdb, err := redisconn.Open(redisconn.Options{URL: "redis://pages:pw@" + server.Addr()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rdb.Close() }()
		c := newChecks(t, rdb, newAudit(t, rdb), time.Millisecond)
		if err := c.Start(t.Context(), olga(), false); err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, "it has ended", func() bool { return !last(t, c).Running() })
		if check := last(t, c); check.Failure != system.NoRights {
			t.Errorf("%s: %+v", name, check)
		}
	}
}
