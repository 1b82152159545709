package queue

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// Listen wakes the pool whenever a producer has enqueued something, until ctx
// ends. go-redis reconnects a lost subscription by itself; what was missed in
// between is found by the clients' own polling.
func (p *Pool) Listen(ctx context.Context) { listen(ctx, p.options.Redis, p.clients) }

func listen(ctx context.Context, rdb redis.UniversalClient, clients []*Client) {
	redisconn.Listen(ctx, rdb, wakeChannel, func(string) {
		for _, f := range clients {
			f.Wake()
		}
	})
}
