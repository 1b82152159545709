package errorlog_test

import (
	"iter"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/embedded"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

const acme = "rohrpost:errors:{acme}" // the stream of tenant acme

// A clock stands still until it is moved.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := new(clock)
	c.set(time.Date(2026, 3, 1, 10, 0, 0, 123_456_789, time.FixedZone("CET", 3600)))
	return c
}

func (c *clock) now() time.Time          { return *c.at.Load() }
func (c *clock) set(t time.Time)         { c.at.Store(&t) }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// fixture is a log with its Redis and its clock.
type fixture struct {
	*errorlog.Log
	redis redis.UniversalClient
	clock *clock
}

// setup is a log on a fresh redis-server.
func setup(t *testing.T, change ...func(*errorlog.Options)) fixture {
	t.Helper()
	return setupOn(t, redistest.Start(t).Client(t), change...)
}

func setupOn(t *testing.T, client redis.UniversalClient, change ...func(*errorlog.Options)) fixture {
	t.Helper()
	c := newClock()
	o := errorlog.Options{Redis: client, Now: c.now}
	for _, f := range change {
		f(&o)
	}
	log, err := errorlog.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{Log: log, redis: client, clock: c}
}

func maxEntries(n int64) func(*errorlog.Options) {
	return func(o *errorlog.Options) { o.MaxEntries = n }
}

func showRecipients(o *errorlog.Options) { o.ShowRecipients = true }

// onBoth runs a test on a redis-server and on the embedded Redis.
func onBoth(t *testing.T, test func(*testing.T, redis.UniversalClient)) {
	t.Helper()
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		test(t, redistest.Start(t).Client(t))
	})
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		server, err := embedded.Start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		client, err := redisconn.Open(redisconn.Options{URL: server.URL()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		test(t, client)
	})
}

func (f fixture) append(t *testing.T, entries ...errorlog.Entry) {
	t.Helper()
	if err := f.Append(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

func (f fixture) query(t *testing.T, filter errorlog.Filter) []errorlog.Entry {
	t.Helper()
	return collect(t, f.Query(t.Context(), filter))
}

func collect(t *testing.T, seq iter.Seq2[errorlog.Entry, error]) []errorlog.Entry {
	t.Helper()
	var out []errorlog.Entry
	for e, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// jobs is what a query shows, by the ids of the jobs.
func (f fixture) jobs(t *testing.T, filter errorlog.Filter) []string {
	t.Helper()
	out := []string{}
	for _, e := range f.query(t, filter) {
		out = append(out, e.JobID)
	}
	return out
}

// length is what Redis holds for tenant acme, without the log's help.
func (f fixture) length(t *testing.T) int64 {
	t.Helper()
	n, err := f.redis.XLen(t.Context(), acme).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func diff(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
