package overview_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/overview"
	"github.com/rohrpost/rohrpost/internal/problems"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/quota"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// told is what the other services tell.
type told struct {
	list   []problems.Waiting
	shared *problems.Waiting
	err    error
	hours  []overview.Hour
}

func (f *told) Waiting(context.Context, problems.Whose) ([]problems.Waiting, int, error) {
	return f.list, 3, f.err
}

func (f *told) Shared(context.Context) (*problems.Waiting, error) { return f.shared, nil }

func (f *told) Pending(_ context.Context, most int) (int, error) { return most / 50, nil }

func (f *told) Hours(_ context.Context, _ problems.Whose, from, to time.Time) ([]overview.Hour, error) {
	return slices.Repeat(f.hours, int(to.Sub(from)/time.Hour)+1), nil
}

func open(t *testing.T, rdb redis.UniversalClient, f *told) *overview.Service {
	t.Helper()
	s, err := overview.New(overview.Options{
		Redis: rdb, Problems: f, Approvals: f, Counts: f, PausedBy: func(context.Context, string, time.Time) string { return "web:olga" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func everybody() problems.Whose { return problems.Whose{All: true} }

func TestOverview(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	f := &told{hours: []overview.Hour{{Accepted: 10, Failed: 1}}, shared: &problems.Waiting{Kind: problems.Parked, Account: "platform", Hidden: true}}
	s := open(t, rdb, f)
	counter, err := quota.New(quota.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	if err := counter.AddAll(t.Context(), map[string]quota.Amount{"acme": {Mails: 2, Bytes: 20}, "globex": {Mails: 3, Bytes: 30}}); err != nil {
		t.Fatal(err)
	}
	if err := asynq.NewInspectorFromRedisClient(rdb).PauseQueue("bulk"); err != nil {
		t.Fatal(err)
	}
	for list, n := range map[string]int{"scheduled": 3, "retry": 2, "archived": 40} {
		for i := range n {
			rdb.ZAdd(t.Context(), queue.Key("bulk", list), redis.Z{Member: i})
		}
	}
	rdb.LPush(t.Context(), queue.Key("critical", "pending"), "a", "b")
	rdb.LPush(t.Context(), queue.Key("default", "active"), "c")
	o := s.Overview(t.Context(), everybody())
	if o.Queued != 8 || len(o.Paused) != 1 || o.Paused[0].By != "web:olga" || o.Approvals != 2 || len(o.Hours) != 24 || o.Accepted() != 240 || o.Failed() != 24 ||
		o.More != 3 || len(o.Silent) != 0 || len(o.Waiting) != 0 || o.State() != overview.Stopped {
		t.Errorf("%+v", o)
	}
	o = s.Overview(t.Context(), problems.Whose{Tenant: "acme"})
	if o.Queued != 2 || o.Paused[0].By != "" || o.Approvals != 0 || len(o.Waiting) != 1 || !o.Waiting[0].Hidden {
		t.Errorf("a tenant's: %+v", o)
	}
	if o := s.Overview(t.Context(), problems.Whose{Tenant: "silent"}); o.Queued != 0 || len(o.Waiting) != 0 {
		t.Errorf("of a tenant with no mail on its way: %+v", o)
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	running := queue.Workers{Processes: 1}
	waits := func(kind problems.Kind, mails int64) []problems.Waiting {
		return []problems.Waiting{{Kind: kind, Mails: mails}}
	}
	for name, tt := range map[string]struct {
		overview overview.Overview
		want     overview.State
	}{
		"well":            {overview.Overview{Workers: running}, overview.Well},
		"no worker":       {overview.Overview{}, overview.Stopped},
		"parked":          {overview.Overview{Workers: running, Waiting: waits(problems.Parked, 0)}, overview.Stopped},
		"down":            {overview.Overview{Workers: running, Waiting: waits(problems.Down, 1)}, overview.Stopped},
		"down, for none":  {overview.Overview{Workers: running, Waiting: waits(problems.Down, 0)}, overview.Well},
		"slow":            {overview.Overview{Workers: running, Waiting: waits(problems.Slow, 5)}, overview.Waits},
		"a limit":         {overview.Overview{Workers: running, Waiting: waits(problems.Rate, 5)}, overview.Waits},
		"paused":          {overview.Overview{Workers: running, Paused: make([]overview.Pause, 1)}, overview.Stopped},
		"nobody knows":    {overview.Overview{Workers: running, Silent: []overview.Part{overview.PartPaused}}, overview.Unknown},
		"no counts":       {overview.Overview{Workers: running, Silent: []overview.Part{overview.PartHours}}, overview.Well},
		"workers unknown": {overview.Overview{Silent: []overview.Part{overview.PartWorkers}}, overview.Unknown},
	} {
		if got := tt.overview.State(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// A frozen Redis costs two seconds, and what is known without it is shown.
func TestFrozenRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := &told{list: []problems.Waiting{{Kind: problems.Parked, Account: "tenant/acme"}}, err: errors.New("no answer")}
	s := open(t, server.Client(t), f)
	server.Pause()
	defer server.Resume()
	begin := time.Now()
	o := s.Overview(t.Context(), everybody())
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, part := range []overview.Part{overview.PartWaiting, overview.PartPaused, overview.PartWorkers, overview.PartQueued} {
		if o.Knows(part) {
			t.Errorf("%s is known", part)
		}
	}
	if len(o.Waiting) != 1 || o.State() != overview.Unknown || !o.Knows(overview.PartHours) {
		t.Errorf("%+v", o)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	if _, err := overview.New(overview.Options{}); err == nil {
		t.Error("no error")
	}
}

// BenchmarkOverview is that of an installation in which 100,000 mails wait.
func BenchmarkOverview(b *testing.B) {
	rdb := redistest.Start(b).Client(b)
	for i := range 100_000 / 1000 {
		var members []redis.Z
		for k := range 1000 {
			members = append(members, redis.Z{Member: 1000*i + k})
		}
		if err := rdb.ZAdd(b.Context(), queue.Key("default", "scheduled"), members...).Err(); err != nil {
			b.Fatal(err)
		}
	}
	s, err := overview.New(overview.Options{Redis: rdb, Problems: &told{}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if o := s.Overview(b.Context(), everybody()); o.Queued != 100_000 {
			b.Fatalf("%+v", o)
		}
	}
}
