package breaker

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A bench is a breaker whose clock a test turns.
type bench struct {
	*Breaker
	at time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{at: time.UnixMilli(1_763_785_200_500)}
	rdb := redistest.Start(t).Client(t)
	var err error
	b.Breaker, err = New(Options{Redis: rdb, Backlog: backlog.New(rdb, nil), Now: func() time.Time { return b.at }})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWrongClock: a process whose clock is wrong blocks a server for the others no
// longer than its pause, however often they read that.
func TestWrongClock(t *testing.T) {
	t.Parallel()
	subject := serverSubject("mail.acme.example:587")
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	for name, skew := range map[string]time.Duration{"ahead": 3 * time.Hour, "behind": -3 * time.Hour, "right": 0} {
		d := newBench(t)
		begin := d.at
		wrong, err := New(Options{Redis: d.redis, Backlog: d.backlog, Now: func() time.Time { return d.at.Add(skew) }})
		if err != nil {
			t.Fatal(err)
		}
		until := func(want time.Time) {
			t.Helper()
			if err := d.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := d.state(subject).Until; !got.Equal(want) {
				t.Errorf("%s: until %v, want %v", name, got.Sub(begin), want.Sub(begin))
			}
		}
		wrong.trip(t.Context(), Down, subject, f)
		end := begin.Add(downFirst + min(skew, 0))
		until(end)
		d.at = d.at.Add(downFirst - 1)
		until(end)
		d.at = d.at.Add(1)
		wrong.trip(t.Context(), Down, subject, f) // again, for twice as long
		until(d.at.Add(2*downFirst + min(skew, 0)))
	}
}

// TestAbandoned: what no mail tries any more is forgotten, also in Redis; what waits for
// a person is not.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	d := newBench(t)
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED})
	d.trip(t.Context(), Down, serverSubject("gone.example:25"), f)
	d.at = d.at.Add(12 * time.Hour)
	d.trip(t.Context(), Down, serverSubject("down.example:25"), f)
	if err := d.Park(t.Context(), "tenant/acme", "1", failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535}})); err != nil {
		t.Fatal(err)
	}
	d.at = d.at.Add(13 * time.Hour)
	d.tidy(t.Context())
	for range 2 {
		states := d.States()
		if len(states) != 2 || states[0].Subject != "server/down.example:25" || states[1].Subject != "tenant/acme" {
			t.Errorf("left: %+v", states)
		}
		if err := d.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReader: a process whose Redis user may only read the states, as that of the pages
// (configs/redis-users.acl), leaves it to the workers to drop what is old.
func TestReader(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.TCP())
	admin := server.Client(t)
	if err := admin.Do(t.Context(), "acl", "setuser", "web", "on", ">secret", "%R~rohrpost:breaker:*", "&*", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	web, err := redisconn.Open(redisconn.Options{URL: strings.Replace(server.URL(), "redis://", "redis://web:secret@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	now := time.UnixMilli(1_763_785_200_500)
	with := func(rdb redis.UniversalClient, reader bool) *Breaker {
		b, err := New(Options{Redis: rdb, Backlog: backlog.New(rdb, nil), Reader: reader, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	worker, pages := with(admin, false), with(web, true)
	worker.trip(t.Context(), Down, serverSubject("gone.example:25"), failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: syscall.ECONNREFUSED}))
	now = now.Add(25 * time.Hour)
	if err := pages.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	pages.tidy(t.Context())
	if states := pages.States(); len(states) != 1 {
		t.Errorf("the pages have forgotten a state that Redis has: %+v", states)
	}
	if refused := admin.Do(t.Context(), "acl", "log").Val().([]any); len(refused) > 0 {
		t.Errorf("the pages have asked for what they may not: %v", refused)
	}
	worker.tidy(t.Context())
	if err := pages.Load(t.Context()); err != nil || len(pages.States()) > 0 {
		t.Errorf("after a worker has dropped it: %+v, %v", pages.States(), err)
	}
}

// TestParkedHasNoEnd: what waits for a person has no end.
func TestParkedHasNoEnd(t *testing.T) {
	t.Parallel()
	d := newBench(t)
	if err := d.Park(t.Context(), "tenant/acme", "1", failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535}})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		d.at = d.at.Add(time.Hour)
		if err := d.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := d.state("tenant/acme"); !n.Until.IsZero() {
			t.Errorf("until %v", n.Until)
		}
	}
}
