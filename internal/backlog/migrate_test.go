package backlog

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

// TestMigrate takes over what a worker of an older version has left, in the order in
// which it was, and once: also while that worker goes on, and in a Cluster.
func TestMigrate(t *testing.T) {
	t.Parallel()
	for name, rdb := range map[string]redis.UniversalClient{
		"server": redistest.Start(t).Client(t), "cluster": redistest.StartCluster(t, 0).Client(t),
	} {
		h := newShop(t, rdb)
		h.must(h.Migrate(t.Context())) // nothing to do
		h.enqueues("default/new", time.Minute)
		for i, mail := range []string{"default/first", "bulk/second"} {
			h.must(rdb.ZAdd(t.Context(), "rohrpost:gate:{tenant/acme}:room", redis.Z{Score: float64(1+i) * 1e13, Member: mail}).Err())
		}
		h.must(rdb.ZAdd(t.Context(), "rohrpost:gate:{tenant/bare}:room", redis.Z{Score: 1, Member: "default/bare"}).Err())
		h.must(rdb.HSet(t.Context(), "rohrpost:gate:{tenant/acme}:rate", "l", "1 0 0 0", "w1", "1").Err())
		h.must(rdb.HSet(t.Context(), "rohrpost:gate:{tenant/acme}:held", "default/dead", "1 1 1").Err())
		h.must(rdb.ZAdd(t.Context(), "rohrpost:gate:rooms", redis.Z{Score: 1e15, Member: acme}, redis.Z{Score: 1e15, Member: "tenant/bare"}).Err())
		h.must(h.Migrate(t.Context()))
		if in, ok := h.dueIn(); !ok || in > 0 {
			t.Errorf("%s: looked at in %v, %v", name, in, ok)
		}
		h.holds("default/first", "default/new", "bulk/second")
		got := h.receives(9) // whatever the dead worker had is back
		h.wants(got.Mails, "default/dead", "default/first", "default/new", "bulk/second")
		if n := rdb.ZCard(t.Context(), Key("tenant/bare")).Val(); n != 1 {
			t.Errorf("%s: of an account without rates and mails in flight %d are taken over", name, n)
		}
		for _, key := range []string{"room", "rate", "held"} {
			if n := rdb.Exists(t.Context(), "rohrpost:gate:{tenant/acme}:"+key).Val(); n != 0 && key == "room" {
				t.Errorf("%s: %s is left", name, key)
			}
		}
		if n := rdb.Exists(t.Context(), "rohrpost:gate:rooms").Val(); n != 0 {
			t.Errorf("%s: the index is left", name)
		}
	}
}
