package headroom

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/embedded"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// questions counts INFO.
type questions struct {
	n    atomic.Int64
	lost atomic.Bool // the answers
}

func (*questions) DialHook(next redis.DialHook) redis.DialHook { return next }
func (q *questions) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "info" {
			q.n.Add(1)
			if q.lost.Load() {
				cmd.SetErr(io.ErrUnexpectedEOF)
				return io.ErrUnexpectedEOF
			}
		}
		return next(ctx, cmd)
	}
}

func (*questions) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// open is a gauge on a Redis with 64 MB, some of them filled.
func open(t *testing.T, fill int) (*Gauge, redis.UniversalClient, *questions, *time.Time) {
	t.Helper()
	rdb := redistest.Start(t, redistest.Args("--maxmemory", "64mb")).Client(t)
	q := &questions{}
	rdb.AddHook(q)
	if err := rdb.Set(t.Context(), "full", strings.Repeat("x", fill), 0).Err(); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	return New(Options{Redis: rdb, Now: func() time.Time { return now }}), rdb, q, &now
}

func TestFits(t *testing.T) {
	t.Parallel()
	g, rdb, q, now := open(t, 10<<20)
	if r, fits := g.Fits(t.Context(), 20<<20, 0); !fits || r.Max != 64<<20 || r.Used < 10<<20 {
		t.Errorf("20 MiB beside 10 of 64: %v, %+v", fits, r)
	}
	for range 10 {
		g.Fits(t.Context(), 10<<10, 0)
	}
	if n := q.n.Load(); n != 1 {
		t.Errorf("%d questions within two seconds, far from the limit", n)
	}
	if _, fits := g.Fits(t.Context(), 43<<20, 0); fits { // 54 MiB are under 57.6, but for the allocator
		t.Error("43 MiB beside 10 of 64")
	}
	if n := q.n.Load(); n != 2 {
		t.Errorf("%d questions near the limit, want 2", n)
	}
	rdb.Set(t.Context(), "fuller", strings.Repeat("x", 50<<20), 0)
	if _, fits := g.Fits(t.Context(), 1, 0); !fits {
		t.Error("it was asked anew far from the limit of the last reading")
	}
	*now = now.Add(fresh)
	if _, fits := g.Fits(t.Context(), 1, 0); fits {
		t.Error("a byte beside 60 MiB of 64")
	}
	rdb.Del(t.Context(), "fuller")
	tick := time.NewTicker(50 * time.Millisecond) // Redis keeps the buffer of a large write for two seconds
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); ; <-tick.C {
		if _, fits := g.Fits(t.Context(), 1, 0); fits {
			break
		}
		if time.Now().After(end) {
			t.Fatal("there is room again, and nothing is taken")
		}
	}
	rdb.ConfigSet(t.Context(), "maxmemory", "0")
	*now = now.Add(fresh)
	if r, fits := g.Fits(t.Context(), 1<<40, 0); !fits || r.Ratio() != 0 {
		t.Errorf("no limit: %v, %v", fits, r.Ratio())
	}
}

// What a process adds between two readings counts.
func TestFitsCountsItsOwn(t *testing.T) {
	t.Parallel()
	g, _, q, _ := open(t, 0)
	for range 8 {
		if _, fits := g.Fits(t.Context(), 4<<20, 0); !fits {
			t.Fatal("32 MiB of 64 do not fit")
		}
	}
	asked := q.n.Load()
	for range 4 {
		g.Fits(t.Context(), 4<<20, 0)
	}
	if q.n.Load() == asked {
		t.Error("48 MiB and their allocator went in without a look")
	}
}

func TestUntold(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	memory, err := redisconn.Open(redisconn.Options{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	denied := redistest.Start(t).Client(t)
	denied.Do(t.Context(), "ACL", "SETUSER", "default", "-info")
	for name, rdb := range map[string]redis.UniversalClient{"embedded": memory, "no permission": denied} {
		g := New(Options{Redis: rdb})
		if _, err := g.Read(t.Context()); errors.Is(err, ErrUntold) != (name == "no permission") {
			t.Errorf("%s: %v", name, err)
		}
		if _, fits := g.Fits(t.Context(), 1<<50, 0); !fits {
			t.Errorf("%s: there is a guard that knows nothing", name)
		}
	}
}

// A Redis that is away for a moment is asked again, and a caller who is gone spoils no
// answer.
func TestAway(t *testing.T) {
	t.Parallel()
	g, _, q, now := open(t, 0)
	q.lost.Store(true)
	if _, fits := g.Fits(t.Context(), 1<<40, 0); !fits {
		t.Error("nobody could tell, and it was refused")
	}
	q.lost.Store(false)
	*now = now.Add(fresh)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, fits := g.Fits(gone, 1<<40, 0); fits {
		t.Error("not asked again")
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := watch{log: zerolog.New(&out)}
	said := func() string { defer out.Reset(); return out.String() }
	for _, step := range []struct {
		used int64
		want string // empty: silence
	}{
		{10, ""},
		{79, ""},
		{80, "full to 80 %"},
		{85, ""},
		{78, ""},
		{82, ""},
		{91, "producers are refused"},
		{95, ""},
		{89, ""},
		{91, ""},
		{84, "takes mails again"},
		{91, "producers are refused"},
		{50, "takes mails again"},
		{81, "full to 81 %"},
		{10, ""},
		{99, "full to 99 %"},
	} {
		w.see(Reading{Used: step.used, Max: 100}, nil)
		got := said()
		if step.want == "" && got != "" || !strings.Contains(got, step.want) {
			t.Errorf("%d %%: %q, want %q", step.used, got, step.want)
		}
		if strings.Contains(got, "warn") && (!strings.Contains(got, `"maxmemory":100`) || !strings.Contains(got, "raise maxmemory")) {
			t.Errorf("no figures or no remedy: %s", got)
		}
	}
	for range 2 {
		w.see(Reading{}, ErrUntold)
	}
	if got := said(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "+info") {
		t.Errorf("untold: %q", got)
	}
}

func TestCluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.TCP(), redistest.Args("--cluster-enabled", "yes", "--maxmemory", "64mb"))
	if err := server.Client(t).Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	cluster, err := redisconn.Open(redisconn.Options{URL: "redis+cluster://" + server.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Close() })
	if r, err := New(Options{Redis: cluster}).Read(t.Context()); err != nil || r.Max != 64<<20 {
		t.Errorf("%+v, %v", r, err)
	}
}
