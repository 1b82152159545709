package redisconn

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ErrForeign says that a client is none of those that this package makes.
var ErrForeign = errors.New("the client does not tell its masters")

// Masters are all nodes that hold keys: of a Cluster every master, else the client
// itself. The error is Redis's, or ErrForeign: a client that hides a Cluster would show a
// part of the keys for all.
func Masters(ctx context.Context, client redis.UniversalClient) ([]*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return []*redis.Client{c}, nil
	case *redis.ClusterClient:
		var mu sync.Mutex
		var list []*redis.Client
		err := c.ForEachMaster(ctx, func(_ context.Context, master *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, master)
			return nil
		})
		return list, err
	}
	return nil, fmt.Errorf("redis: %w: %T", ErrForeign, client)
}

// MasterOf is the node that holds a key. The error is as for Masters.
func MasterOf(ctx context.Context, client redis.UniversalClient, key string) (*redis.Client, error) {
	switch c := client.(type) {
	case *redis.Client:
		return c, nil
	case *redis.ClusterClient:
		return c.MasterForKey(ctx, key)
	}
	return nil, fmt.Errorf("redis: %w: %T", ErrForeign, client)
}
