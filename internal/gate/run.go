package gate

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// pollEvery is how often the notices are read anew: the net below pub/sub.
const pollEvery = time.Minute

// Run keeps what is known of notices and rooms up to date until ctx ends.
func (g *Gate) Run(ctx context.Context) {
	sub := g.redis.Subscribe(ctx, changed)
	defer func() { _ = sub.Close() }()
	events := sub.ChannelWithSubscriptions()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		load := true
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case event, ok := <-events: // a connection that was lost and is back is one, too
			if !ok {
				return
			}
			load = g.heard(event)
		}
		for len(events) > 0 { // a hundred changes are read once
			load = g.heard(<-events) || load
		}
		if !load {
			continue
		}
		if err := g.Load(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn().Err(err).Msg("the notices of accounts and servers cannot be read; what was known stays in force")
		}
	}
}

// heard deals with an event; it is true if the notices must be read.
func (g *Gate) heard(event any) (load bool) {
	m, ok := event.(*redis.Message)
	if !ok {
		return true
	}
	account, ok := strings.CutPrefix(m.Payload, roomEvent)
	if ok {
		g.occupied(account)
	}
	return !ok
}
