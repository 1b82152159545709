//go:build unix

package redistest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// eventually asks again until there is no error, for half a minute at most.
func eventually(t *testing.T, what string, ask func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// write sets keys that lie in all slots, and returns how many there are.
func write(ctx context.Context, client redis.UniversalClient) error {
	for i := range 20 {
		if err := client.Set(ctx, fmt.Sprint("key", i), "v", 0).Err(); err != nil {
			return err
		}
	}
	return nil
}

func TestCluster(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	c := redistest.StartCluster(t, 0, redistest.AOF())
	t.Logf("formed in %v", time.Since(begin))
	client := c.Client(t)
	if err := write(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if n := c.Node(i).Client(t).DBSize(t.Context()).Val(); n == 0 || n == 20 {
			t.Errorf("node %d has %d of the keys", i, n)
		}
	}
	c.Node(1).Kill()
	if err := write(t.Context(), client); err == nil {
		t.Error("a third of the keys has nowhere to go, and nobody says so")
	}
	c.Node(1).Start()
	eventually(t, "the node is back", func(ctx context.Context) error { return write(ctx, client) })
}

func TestClusterReplacesAMaster(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	c := redistest.StartCluster(t, 1)
	t.Logf("formed in %v", time.Since(begin))
	client := c.Client(t)
	if err := write(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	c.Node(0).Kill()
	killed := time.Now()
	eventually(t, "the replica takes over", func(ctx context.Context) error { return write(ctx, client) })
	t.Logf("replaced in %v", time.Since(killed))
	c.Node(0).Start()
	eventually(t, "it comes back as a replica", func(ctx context.Context) error {
		if role := c.Node(0).Client(t).InfoMap(ctx, "replication").Item("Replication", "role"); role != "slave" {
			return fmt.Errorf("it is %q", role)
		}
		return nil
	})
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	s := redistest.StartSentinel(t)
	t.Logf("formed in %v", time.Since(begin))
	client := s.Client(t)
	if err := client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := client.Do(t.Context(), "WAIT", 2, 10_000).Int(); n != 2 {
		t.Fatalf("%d replicas, %v", n, err)
	}
	old := s.Master()
	old.Kill()
	killed := time.Now()
	eventually(t, "a replica takes over", func(ctx context.Context) error { return client.Set(ctx, "k2", "v", 0).Err() })
	t.Logf("replaced in %v", time.Since(killed))
	if s.Master() == old {
		t.Error("the master is the one that was killed")
	}
	if got := client.Get(t.Context(), "k").Val(); got != "v" {
		t.Errorf("what was replicated is %q", got)
	}
}
