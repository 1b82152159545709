package errorlog_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// rolled tells of each round trip in which the log was rolled without an entry.
type rolled chan struct{}

func (r rolled) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (r rolled) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (r rolled) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		for _, cmd := range cmds {
			// evalsha, script, 3, keys, 4 arguments: an entry would be 2 more.
			if cmd.Err() == nil && strings.HasPrefix(cmd.Name(), "eval") && len(cmd.Args()) == 10 {
				select {
				case r <- struct{}{}:
				default:
				}
			}
		}
		return err
	}
}

// follow starts Follow, waits until it has looked once, and returns what it yields.
func follow(t *testing.T, server *redistest.Server, filter errorlog.Filter) <-chan errorlog.Entry {
	t.Helper()
	client := server.Client(t)
	looked := make(rolled, 1)
	client.AddHook(looked)
	f := setupOn(t, client)
	ctx, cancel := context.WithCancel(t.Context())
	entries := make(chan errorlog.Entry, 100)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(entries)
		for e, err := range f.Follow(ctx, filter) {
			if err != nil {
				t.Errorf("follow: %v", err)
				return
			}
			entries <- e
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-looked
	return entries
}

func next(t *testing.T, entries <-chan errorlog.Entry) string {
	t.Helper()
	timer := time.NewTimer(20 * time.Second)
	defer timer.Stop()
	select {
	case e, open := <-entries:
		if !open {
			return "(end)"
		}
		return e.Tenant + "/" + e.JobID
	case <-timer.C:
		t.Fatal("nothing arrives")
		return ""
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := setupOn(t, server.Client(t))
	f.append(t, errorlog.Entry{Tenant: "acme", JobID: "before"})
	all := follow(t, server, errorlog.Filter{AllTenants: true, Limit: 5})
	one := follow(t, server, errorlog.Filter{Tenant: "acme", Category: "x"})
	earlier := follow(t, server, errorlog.Filter{Tenant: "acme", From: f.clock.now().Add(-time.Hour)})

	f.append(t,
		errorlog.Entry{Tenant: "acme", JobID: "same moment"},
		errorlog.Entry{Tenant: "acme", JobID: "behind", Category: "x", Time: f.clock.now().Add(-time.Minute)},
	)
	var got []string
	for range 2 {
		got = append(got, next(t, all))
	}
	f.append(t, errorlog.Entry{Tenant: "new tenant", JobID: "1"})
	got = append(got, next(t, all))
	f.append(t, errorlog.Entry{Tenant: "acme", JobID: "2", Category: "x"})
	got = append(got, next(t, all))
	f.append(t, errorlog.Entry{JobID: "platform"})
	got = append(got, next(t, all), next(t, all))
	diff(t, "all tenants", []string{"acme/same moment", "acme/behind", "new tenant/1", "acme/2", "/platform", "(end)"}, got)
	diff(t, "one tenant and category", []string{"acme/behind", "acme/2"}, []string{next(t, one), next(t, one)})
	diff(t, "from earlier", []string{"acme/before", "acme/same moment", "acme/behind", "acme/2"},
		[]string{next(t, earlier), next(t, earlier), next(t, earlier), next(t, earlier)})
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f.append(t, errorlog.Entry{JobID: "1"})
	n := 0
	for e, err := range f.Follow(ctx, errorlog.Filter{From: f.clock.now()}) {
		if n++; err != nil || e.JobID != "1" {
			t.Errorf("%v, %v", e, err)
		}
		cancel()
	}
	if n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
}
