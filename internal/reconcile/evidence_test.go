package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestCauseOfALoss: Redis that has run all the while has lost nothing.
func TestCauseOfALoss(t *testing.T) {
	t.Parallel()
	const long = 2 * settle
	for name, tt := range map[string]struct {
		later time.Duration // how long ago the mail was enqueued; Redis has just started
		harm  func(*testing.T, redis.UniversalClient)
		acl   string
		want  reconcile.Cause
		words string
	}{
		"deleted":         {later: -long, want: reconcile.Deleted, words: "another tool than rohrpost has deleted it"},
		"restarted":       {later: long, want: reconcile.Restarted, words: "may have lost its last writes"},
		"at that time":    {later: 0, want: reconcile.Unclear, words: "either another tool"},
		"INFO refused":    {later: -long, acl: "-info", want: reconcile.Unclear, words: "either another tool"},
		"was a replica":   {later: -long, harm: promote, want: reconcile.Unclear, words: "fail-over"},
		"memory was full": {later: -long, harm: evict, want: reconcile.Unclear, words: "full memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, redistest.TCP())
			rdb := server.Client(t)
			if tt.harm != nil {
				tt.harm(t, rdb)
			}
			p := newPost(t, rdb)
			p.later = tt.later
			p.send("one")
			p.do("LREM", key("pending"), 0, "one,acme")
			p.do("DEL", task("one"))
			if tt.acl != "" {
				p.do("ACL", "SETUSER", "u", "on", ">pw", "~*", "&*", "+@all", tt.acl)
				limited, err := redisconn.Open(redisconn.Options{URL: "redis://u:pw@" + server.Addr() + "/0"})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = limited.Close() })
				p.rdb = limited
			}
			list, sum := p.check(p.reconciler(func(o *reconcile.Options) {
				o.Now = func() time.Time { return time.Now().Add(2 * long) }
			}))
			if len(list) != 1 || list[0].Kind != reconcile.Lost || list[0].Cause != tt.want || !strings.Contains(list[0].Detail, tt.words) || sum.Wrong != 1 {
				t.Errorf("%+v", list)
			}
		})
	}
}

// promote lets Redis have been somebody's replica.
func promote(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	master := redistest.Start(t, redistest.TCP())
	host, port, _ := strings.Cut(master.Addr(), ":")
	do := func(args ...any) {
		t.Helper()
		if err := rdb.Do(t.Context(), args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	do("REPLICAOF", host, port)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(rdb.Info(t.Context(), "replication").Val(), "master_link_status:up") {
		<-tick.C
	}
	do("REPLICAOF", "NO", "ONE")
}

// evict lets Redis throw a key away.
func evict(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	for _, args := range [][]any{
		{"SET", "big", strings.Repeat("x", 4<<20)},
		{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"},
		{"CONFIG", "SET", "maxmemory", "3mb"},
		{"SET", "small", "x"},
		{"CONFIG", "SET", "maxmemory", "0"},
	} {
		_ = rdb.Do(t.Context(), args...).Err()
	}
	if strings.Contains(rdb.Info(t.Context(), "stats").Val(), "evicted_keys:0\r") {
		t.Fatal("nothing was evicted")
	}
}
