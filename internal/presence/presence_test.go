package presence_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/presence"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestAProcessComesAndLeaves(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	list := func() []presence.Process {
		t.Helper()
		list, err := presence.List(t.Context(), rdb)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := list(); len(got) != 0 {
		t.Fatalf("before the first: %+v", got)
	}
	beacon, err := presence.New(presence.Options{Redis: rdb, Version: "v1", Slots: 50, Every: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); beacon.Run(ctx) }()
	redistest.Until(t, "it is listed", func() bool { return len(list()) == 1 })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	p := list()[0]
	if p.Host != host || p.PID != os.Getpid() || p.Version != "v1" || p.Slots != 50 || time.Since(p.Since) > time.Minute || !p.Alive() {
		t.Errorf("%+v", p)
	}
	cancel()
	<-done
	if got := list(); len(got) != 0 {
		t.Errorf("after its end: %+v", got)
	}
}

// A killed process is shown as silent, and forgotten by the next beat of another.
func TestAKilledProcess(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	const seen, about = "rohrpost:{workers}:seen", "rohrpost:{workers}:about"
	killed := func(id string, ago time.Duration) {
		t.Helper()
		now, err := rdb.Time(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := rdb.Do(t.Context(), "ZADD", seen, now.Add(-ago).UnixMilli(), id).Err(); err != nil {
			t.Fatal(err)
		}
		if err := rdb.HSet(t.Context(), about, id, `{"host":"`+id+`","pid":7}`).Err(); err != nil {
			t.Fatal(err)
		}
	}
	killed("lately", time.Minute)
	killed("long ago", 11*time.Minute)
	list, err := presence.List(t.Context(), rdb)
	if err != nil || len(list) != 1 || list[0].Host != "lately" || list[0].Alive() || list[0].Silent < time.Minute {
		t.Errorf("%+v %v", list, err)
	}
	beacon, err := presence.New(presence.Options{Redis: rdb})
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); beacon.Run(ended) }()
	redistest.Until(t, "the old one is forgotten", func() bool {
		known, err := rdb.HExists(t.Context(), about, "long ago").Result()
		return err == nil && !known
	})
	cancel()
	<-done
	for _, key := range []string{seen, about} {
		if ttl, err := rdb.TTL(t.Context(), key).Result(); err != nil || ttl <= 0 || ttl > 10*time.Minute {
			t.Errorf("%s ends in %v, %v", key, ttl, err)
		}
	}
}
