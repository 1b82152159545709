package redisconn

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Listen tells each of the messages of a pub/sub channel until ctx ends. go-redis
// reconnects a lost subscription by itself; what was missed in between is not told.
func Listen(ctx context.Context, rdb redis.UniversalClient, channel string, tell func(payload string)) {
	sub := rdb.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-messages:
			if !ok {
				return
			}
			tell(m.Payload)
		}
	}
}
