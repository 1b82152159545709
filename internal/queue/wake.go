package queue

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Listen wakes the pool whenever a producer has enqueued something, until ctx
// ends. go-redis reconnects a lost subscription by itself; what was missed in
// between is found by the feeds' own polling.
func (p *Pool) Listen(ctx context.Context) { listen(ctx, p.options.Redis, p.feeds) }

func listen(ctx context.Context, rdb redis.UniversalClient, feeds []*Feed) {
	sub := rdb.Subscribe(ctx, wakeChannel)
	defer func() { _ = sub.Close() }()
	messages := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-messages:
			if !ok {
				return
			}
			for _, f := range feeds {
				f.Wake()
			}
		}
	}
}
