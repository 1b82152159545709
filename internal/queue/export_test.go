package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// SetIdleWait changes how long the conn waits on an empty queue, before its
// server starts.
func (f *Client) SetIdleWait(d time.Duration) { f.idleWait = d }

// Listen wakes clients, as a Pool does with its own.
func Listen(ctx context.Context, rdb redis.UniversalClient, clients []*Client) {
	listen(ctx, rdb, clients)
}

// RetryDelay is when asynq runs a task again whose handler has answered with err.
func (p *Pool) RetryDelay(err error) time.Duration { return p.retryDelay(0, err, nil) }
