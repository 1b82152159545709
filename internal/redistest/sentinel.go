package redistest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

const (
	sentinelFile = "sentinel.conf"
	// sentinelGroup is what the sentinels call their master.
	sentinelGroup = "main"
	sentinels     = 3
	replicas      = 2
)

// A Sentinel is a master and two replicas that three sentinels watch.
type Sentinel struct {
	tb        testing.TB
	servers   []*Server // the master of the beginning, then the replicas
	sentinels []*Server
}

// StartSentinel starts the group and returns when the replicas have what the
// master has, and the sentinels know each other and the replicas; that takes some
// three seconds. The options are those of master and replicas. A master that does
// not answer for a second is replaced after about one and a half more.
func StartSentinel(tb testing.TB, opts ...Option) *Sentinel {
	tb.Helper()
	s := &Sentinel{tb: tb}
	opts = append([]Option{TCP(), promptReplica()}, opts...)
	master := Start(tb, opts...)
	host, port, _ := net.SplitHostPort(master.Addr())
	s.servers = append(s.servers, master)
	for range replicas {
		s.servers = append(s.servers, Start(tb, append(opts, Args("--replicaof", host+" "+port))...))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := master.Client(tb)
	s.wait(ctx, "the replicas follow", func() bool { return followed(ctx, client, replicas) })
	for range sentinels {
		s.sentinels = append(s.sentinels, Start(tb, TCP(), watching(master.Addr())))
	}
	for _, one := range s.sentinels {
		client := one.Client(tb)
		s.wait(ctx, "the sentinels know all", func() bool {
			state, err := client.Do(ctx, "SENTINEL", "MASTER", sentinelGroup).StringSlice()
			if err != nil {
				return false
			}
			known := strings.Join(state, " ") + " "
			return strings.Contains(known, fmt.Sprintf(" num-slaves %d ", replicas)) &&
				strings.Contains(known, fmt.Sprintf(" num-other-sentinels %d ", sentinels-1))
		})
	}
	return s
}

// watching makes a sentinel of the server.
func watching(master string) Option {
	return func(s *Server) {
		host, port, _ := net.SplitHostPort(s.addr)
		masterHost, masterPort, _ := net.SplitHostPort(master)
		text := fmt.Sprintf(`bind %s
port %s
dir %s
sentinel monitor %[4]s %[5]s %[6]s 2
sentinel down-after-milliseconds %[4]s 1000
sentinel failover-timeout %[4]s 5000
sentinel parallel-syncs %[4]s 2
`, host, port, s.dir, sentinelGroup, masterHost, masterPort)
		if err := os.WriteFile(filepath.Join(s.dir, sentinelFile), []byte(text), 0o600); err != nil {
			s.tb.Fatalf("redistest: %v", err)
		}
		s.sentinel = true
	}
}

// URL is what redisconn.Open and the configuration take.
func (s *Sentinel) URL() string {
	var list []string
	for _, one := range s.sentinels {
		list = append(list, one.Addr())
	}
	return "redis+sentinel://" + strings.Join(list, ",") + "/" + sentinelGroup
}

// Client is a new client of whoever is the master, closed when tb ends.
func (s *Sentinel) Client(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	client, err := redisconn.Open(redisconn.Options{URL: s.URL(), ClientName: "redistest"})
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// Master is the server of which the first sentinel says that it is the master:
// to kill it, and to start it again.
func (s *Sentinel) Master() *Server {
	s.tb.Helper()
	client := s.sentinels[0].Client(s.tb)
	at, err := client.Do(context.Background(), "SENTINEL", "GET-MASTER-ADDR-BY-NAME", sentinelGroup).StringSlice()
	if err != nil || len(at) != 2 {
		s.tb.Fatalf("redistest: the sentinel names no master: %q, %v", at, err)
	}
	for _, server := range s.servers {
		if server.Addr() == net.JoinHostPort(at[0], at[1]) {
			return server
		}
	}
	s.tb.Fatalf("redistest: the sentinel names a stranger, %q", at)
	return nil
}

func (s *Sentinel) wait(ctx context.Context, what string, ok func() bool) {
	s.tb.Helper()
	if err := become(ctx, nil, ok); err != nil {
		s.tb.Fatalf("redistest: %s: %v", what, err)
	}
}
