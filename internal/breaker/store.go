package breaker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
)

const (
	// StatesKey is a hash: subject to a State as JSON.
	StatesKey = "rohrpost:breaker:states"
	// channel says by pub/sub that the state of a subject has changed: the message is
	// the subject.
	channel = "rohrpost:breaker:changed"
	// oldStatesKey is that of an older version.
	oldStatesKey = backlog.OldPrefix + "notices"
)

// probeKey is held by the mail that finds out whether a subject works again.
func probeKey(subject string) string { return "rohrpost:breaker:probe:{" + subject + "}" }

func (b *Breaker) state(subject string) *State {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.states[subject]
}

// put makes a state known, here at once, even if Redis is away.
func (b *Breaker) put(ctx context.Context, s *State) error {
	b.set(s.Subject, s)
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("state of %s: %w", s.Subject, err)
	}
	if err := b.write(ctx, s.Subject, func(pipe redis.Pipeliner) { pipe.HSet(ctx, StatesKey, s.Subject, text) }); err != nil {
		return err
	}
	kept := *s
	kept.stored = true
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.states[s.Subject] == s {
		b.states[s.Subject] = &kept
	}
	return nil
}

// remove takes the state of a subject away, here at once.
func (b *Breaker) remove(ctx context.Context, subject string) error {
	b.set(subject, nil)
	return b.write(ctx, subject, func(pipe redis.Pipeliner) { pipe.HDel(ctx, StatesKey, subject) })
}

// write changes the hash, then tells everybody: in this order, so that a process that
// is told finds the change.
func (b *Breaker) write(ctx context.Context, subject string, do func(redis.Pipeliner)) error {
	pipe := b.redis.Pipeline()
	do(pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	return b.redis.Publish(ctx, channel, subject).Err()
}

func (b *Breaker) set(subject string, s *State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s == nil {
		delete(b.states, subject)
		return
	}
	b.states[subject] = s
}

// parse reads a state as it stands in Redis.
func parse(subject, text string) (*State, error) {
	s := &State{}
	if err := json.Unmarshal([]byte(text), s); err != nil {
		return nil, fmt.Errorf("the state of %s is damaged: %w", subject, err)
	}
	s.stored = true
	return s, nil
}

// Refresh reads the states of some subjects: of accounts, by their ids, for instance.
func (b *Breaker) Refresh(ctx context.Context, subjects ...string) error {
	values, err := b.redis.HMGet(ctx, StatesKey, subjects...).Result()
	if err != nil {
		return err
	}
	for i, subject := range subjects {
		text, stands := values[i].(string)
		if !stands {
			if b.forget(subject) {
				b.wasReset(subject)
			}
			continue
		}
		s, err := parse(subject, text)
		if err != nil {
			return err
		}
		b.mu.Lock()
		s.bound(b.states[subject], b.now())
		b.states[subject] = s
		b.mu.Unlock()
	}
	return nil
}

// forget drops what is known of a subject, and reports whether anything was.
func (b *Breaker) forget(subject string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.states[subject] != nil
	delete(b.states, subject)
	return known
}

// Load reads all states.
func (b *Breaker) Load(ctx context.Context) error {
	values, err := b.redis.HGetAll(ctx, StatesKey).Result()
	if err != nil {
		return err
	}
	states := make(map[string]*State, len(values))
	for subject, text := range values {
		if states[subject], err = parse(subject, text); err != nil {
			return err
		}
	}
	for _, subject := range b.replace(states) {
		b.wasReset(subject)
	}
	return nil
}

// replace takes over the states that Redis has, and answers the subjects that are free again.
func (b *Breaker) replace(states map[string]*State) (reset []string) {
	now := b.now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for subject, s := range states {
		s.bound(b.states[subject], now)
	}
	for subject := range b.states {
		if states[subject] == nil {
			reset = append(reset, subject)
		}
	}
	b.states = states
	return reset
}

// States are all that are known here, by subject.
func (b *Breaker) States() []*State {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := make([]*State, 0, len(b.states))
	for _, s := range b.states {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y *State) int { return strings.Compare(x.Subject, y.Subject) })
	return out
}

// Migrate takes over the states that an older version has left, or still writes.
func (b *Breaker) Migrate(ctx context.Context) error {
	old, err := b.redis.HGetAll(ctx, oldStatesKey).Result()
	if err != nil {
		return fmt.Errorf("states of an older version: %w", err)
	}
	for subject, text := range old {
		err := b.write(ctx, subject, func(pipe redis.Pipeliner) {
			pipe.HSetNX(ctx, StatesKey, subject, text)
			pipe.HDel(ctx, oldStatesKey, subject)
		})
		if err != nil {
			return fmt.Errorf("the state of %s in an older version: %w", subject, err)
		}
	}
	return nil
}
