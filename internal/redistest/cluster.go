package redistest

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// clusterMasters share the 16384 slots.
const clusterMasters = 3

// A Cluster is three masters, each with as many replicas as were asked for.
type Cluster struct {
	tb    testing.TB
	nodes []*clusterNode // the masters of the beginning, then their replicas
}

type clusterNode struct {
	*Server
	control redis.UniversalClient // of this node alone
	bus     string                // port at which the nodes talk to each other
	id      string
}

// StartCluster forms a cluster and returns when every node takes part in it and
// every replica follows its master; that takes some three seconds. The options
// are those of each node. A master that does not answer for a second is replaced
// by its replica after about two more.
func StartCluster(tb testing.TB, replicas int, opts ...Option) *Cluster {
	tb.Helper()
	c := &Cluster{tb: tb}
	for range clusterMasters * (1 + replicas) {
		bus := strconv.Itoa(porttest.Addr(tb).Port)
		node := append([]Option{TCP(), Args(
			"--cluster-enabled", "yes", "--cluster-port", bus, // the default is port + 10000, which may be none
			"--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
		), promptReplica()}, opts...)
		server := Start(tb, node...)
		c.nodes = append(c.nodes, &clusterNode{Server: server, control: server.Client(tb), bus: bus})
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.introduce(ctx)
	for i, n := range c.nodes[clusterMasters:] {
		c.must(n.control.ClusterReplicate(ctx, c.nodes[i%clusterMasters].id).Err())
	}
	c.waitReady(ctx, replicas)
	return c
}

// promptReplica lets a replica follow at once: the defaults save work where many
// replicas come at a time.
func promptReplica() Option {
	return Args("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
}

// URL is what redisconn.Open and the configuration take: it names the masters.
func (c *Cluster) URL() string {
	return "redis+cluster://" + strings.Join(c.addrs(), ",")
}

func (c *Cluster) addrs() []string {
	var list []string
	for _, n := range c.nodes[:clusterMasters] {
		list = append(list, n.addr)
	}
	return list
}

// Client is a new client of the whole cluster, closed when tb ends.
func (c *Cluster) Client(tb testing.TB) *redis.ClusterClient {
	tb.Helper()
	client, err := redisconn.Open(redisconn.Options{URL: c.URL(), ClientName: "redistest"})
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client.(*redis.ClusterClient)
}

// Node is one of the three masters of the beginning, 0 to 2: to kill it, and to
// start it again.
func (c *Cluster) Node(i int) *Server { return c.nodes[i].Server }

// introduce gives the masters their slots, and makes all nodes known to each other.
func (c *Cluster) introduce(ctx context.Context) {
	c.tb.Helper()
	const slots = 16384
	first := c.nodes[0]
	for i, n := range c.nodes {
		n.id = n.control.ClusterMyID(ctx).Val()
		if i < clusterMasters {
			c.must(n.control.ClusterAddSlotsRange(ctx, i*slots/clusterMasters, (i+1)*slots/clusterMasters-1).Err())
		}
		c.must(n.control.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
		if i > 0 {
			host, port, _ := net.SplitHostPort(n.addr)
			c.must(first.control.Do(ctx, "CLUSTER", "MEET", host, port, n.bus).Err())
		}
	}
	all := "cluster_known_nodes:" + strconv.Itoa(len(c.nodes))
	for _, n := range c.nodes {
		c.wait(ctx, n, func() bool { return strings.Contains(n.control.ClusterInfo(ctx).Val(), all+"\r") })
	}
}

func (c *Cluster) waitReady(ctx context.Context, replicas int) {
	c.tb.Helper()
	for i, n := range c.nodes {
		c.wait(ctx, n, func() bool {
			info := n.control.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_slots_ok:16384")
		})
		if i < clusterMasters {
			c.wait(ctx, n, func() bool { return followed(ctx, n.control, replicas) })
		}
	}
}

// followed tells whether so many replicas have what the master has, and get each
// write at once. (A replica may think so earlier: the master holds the writes back
// until it has heard from it, which may take a second.)
func followed(ctx context.Context, master redis.UniversalClient, replicas int) bool {
	return strings.Count(master.Info(ctx, "replication").Val(), "state=online") == replicas
}

// wait ends the test when this does not become true.
func (c *Cluster) wait(ctx context.Context, n *clusterNode, ok func() bool) {
	c.tb.Helper()
	if err := become(ctx, n.process.gone, ok); err != nil {
		c.tb.Fatalf("redistest: the cluster is not formed: %v\n%s", err, n.control.ClusterNodes(context.Background()).Val())
	}
}

func become(ctx context.Context, gone <-chan struct{}, ok func() bool) error {
	return until(ctx, gone, func() error {
		if ok() {
			return nil
		}
		return errNotYet
	})
}

var errNotYet = errors.New("not yet")

func (c *Cluster) must(err error) {
	c.tb.Helper()
	if err != nil {
		c.tb.Fatalf("redistest: %v", err)
	}
}
