package redisconn_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// checkWarnings wants one line for each of want, with that text in it.
func checkWarnings(t *testing.T, client redis.UniversalClient, want ...string) {
	t.Helper()
	got := redisconn.Warnings(t.Context(), client)
	if len(got) != len(want) {
		t.Fatalf("%q, want %q", got, want)
	}
	for i, text := range want {
		if !strings.Contains(got[i], text) || strings.Contains(got[i], "\n") {
			t.Errorf("%q, want one line with %q", got[i], text)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	byMax := func(addr string) string { return "redis://max:pw@" + addr }
	tests := map[string]struct {
		args []string
		url  func(addr string) string
		want []string
	}{
		"safe":           {args: []string{"--appendonly", "yes"}},
		"snapshots":      {args: []string{"--save", "3600 1"}},
		"nothing kept":   {want: []string{"CONFIG SET appendonly yes"}},
		"evicts":         {args: []string{"--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"}, want: []string{"CONFIG SET maxmemory-policy noeviction"}},
		"both":           {args: []string{"--maxmemory-policy", "volatile-ttl"}, want: []string{"noeviction", "appendonly yes"}},
		"CONFIG renamed": {args: []string{"--rename-command", "CONFIG", ""}, want: []string{"does not tell whether it takes snapshots"}},
		"no CONFIG": {
			args: []string{"--maxmemory-policy", "allkeys-lru", "--user", "max", "on", ">pw", "~*", "+@all", "-config"}, url: byMax,
			want: []string{"maxmemory-policy allkeys-lru", "does not tell whether it takes snapshots"},
		},
		"no CONFIG, and safe": {args: []string{"--appendonly", "yes", "--user", "max", "on", ">pw", "~*", "+@all", "-config"}, url: byMax},
		"neither": {
			args: []string{"--user", "max", "on", ">pw", "~*", "+@all", "-config", "-info"}, url: byMax,
			want: []string{"redis does not tell maxmemory-policy, appendonly: "},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := redistest.Start(t, redistest.TCP(), redistest.Args(tt.args...)).Addr()
			url := "redis://" + addr
			if tt.url != nil {
				url = tt.url(addr)
			}
			checkWarnings(t, open(t, redisconn.Options{URL: url}), tt.want...)
		})
	}
}

// Every master is asked: the one that evicts is not the one that is asked first.
func TestWarningsOfACluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 0, redistest.AOF())
	client := open(t, redisconn.Options{URL: c.URL()})
	checkWarnings(t, client)
	for i := range 3 {
		node := c.Node(i)
		set := func(policy string) {
			t.Helper()
			if err := node.Client(t).ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
				t.Fatal(err)
			}
		}
		set("allkeys-lru")
		checkWarnings(t, client, "CONFIG SET maxmemory-policy noeviction (on "+node.Addr()+")")
		set("noeviction")
	}
	for i := range 3 {
		if err := c.Node(i).Client(t).ConfigSet(t.Context(), "appendonly", "no").Err(); err != nil {
			t.Fatal(err)
		}
	}
	checkWarnings(t, client, "CONFIG SET appendonly yes (on 127.0.0.1:")
}

// The master is asked, and what it does with its replicas.
func TestWarningsOfSentinel(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t, redistest.AOF())
	client := open(t, redisconn.Options{URL: s.URL()})
	checkWarnings(t, client, "CONFIG SET min-replicas-to-write 1")
	master := s.Master().Client(t)
	for setting, value := range map[string]string{"min-replicas-to-write": "1", "maxmemory-policy": "allkeys-lfu"} {
		if err := master.ConfigSet(t.Context(), setting, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	checkWarnings(t, client, "maxmemory-policy allkeys-lfu")
}
