package breaker

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/ledger"
)

const (
	// pollEvery is how often all states are read anew, the net below pub/sub, and what
	// is old is dropped.
	pollEvery = time.Minute
	// abandonedAfter is after how long a pause is forgotten that no mail has tried to
	// end.
	abandonedAfter = 24 * time.Hour
	// mostNamed is how many changes at a time are read one by one.
	mostNamed = 100
)

// Run keeps the states up to date until ctx ends.
func (b *Breaker) Run(ctx context.Context) {
	sub := b.redis.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	events := sub.ChannelWithSubscriptions()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	note := time.NewTicker(noteEvery)
	defer note.Stop()
	defer func() { _ = b.NoteAccepted(context.WithoutCancel(ctx)) }()
	for {
		var named []string // the subjects to be read, or all if there are none
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.tidy(ctx)
		case <-note.C:
			if err := b.NoteAccepted(ctx); err != nil && ctx.Err() == nil {
				b.log.Debug().Err(err).Msg("when mails were accepted last is not written down yet; soon again")
			}
			continue
		case event, ok := <-events:
			if !ok {
				return
			}
			named = changed(event, events)
		}
		read := b.Load
		if len(named) > 0 {
			read = func(ctx context.Context) error { return b.Refresh(ctx, named...) }
		}
		if err := read(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("the states of accounts and servers cannot be read; what was known stays in force")
		}
	}
}

// tidy drops what is old: hearsay, and states of accounts and servers through which no
// mail goes any more. A reader leaves that to the workers: what it may not delete in
// Redis it would forget and read again every minute.
func (b *Breaker) tidy(ctx context.Context) {
	if b.reader {
		return
	}
	now := b.now()
	b.hearsay.forget(now)
	for _, s := range b.States() {
		over := !s.Until.IsZero() && now.Sub(s.Until) > abandonedAfter || s.Kind == Settings && now.Sub(s.Since) > ledger.MaxWait
		if !over {
			continue
		}
		if err := b.remove(ctx, s.Subject); err != nil {
			return // a minute later again
		}
		b.wasReset(s.Subject)
	}
}

// changed are the subjects that an event and those behind it name; nil: all, after a
// connection that was lost is back, or if there are too many.
func changed(event any, more <-chan any) []string {
	var named []string
	all := false
	for {
		if m, ok := event.(*redis.Message); ok {
			named = append(named, m.Payload)
		} else {
			all = true
		}
		if len(more) == 0 {
			break
		}
		event = <-more
	}
	if all || len(named) > mostNamed {
		return nil
	}
	return named
}
