package redisconn

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Clone makes a client with the settings of another, and connections of its own. The
// caller closes it. The error is that of a client that is neither *redis.Client nor
// *redis.ClusterClient.
func Clone(client redis.UniversalClient) (redis.UniversalClient, error) {
	switch c := client.(type) {
	case *redis.Client:
		o := *c.Options()
		return redis.NewClient(&o), nil
	case *redis.ClusterClient:
		o := *c.Options()
		return redis.NewClusterClient(&o), nil
	}
	return nil, fmt.Errorf("a Redis client of type %T cannot be used: make it with redis.NewClient, NewFailoverClient or NewClusterClient", client)
}
