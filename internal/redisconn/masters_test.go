package redisconn_test

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// hiding is a client that does not tell what it is.
type hiding struct{ redis.UniversalClient }

func TestMasters(t *testing.T) {
	t.Parallel()
	single := redistest.Start(t).Client(t)
	cluster := open(t, redisconn.Options{URL: redistest.StartCluster(t, 0).URL()})
	for _, tt := range []struct {
		client redis.UniversalClient
		want   int
		err    error
	}{{single, 1, nil}, {cluster, 3, nil}, {hiding{cluster}, 0, redisconn.ErrForeign}} {
		list, err := redisconn.Masters(t.Context(), tt.client)
		if len(list) != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%T: %d masters, %v", tt.client, len(list), err)
		}
		if _, err := redisconn.MasterOf(t.Context(), tt.client, "{a}"); !errors.Is(err, tt.err) {
			t.Errorf("%T: %v", tt.client, err)
		}
	}
}
