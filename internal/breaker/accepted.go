package breaker

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// acceptedKey is a sorted set: account, by when a server has accepted a mail of it
	// last (Unix ms).
	acceptedKey = "rohrpost:breaker:accepted"
	// noteEvery is how often a process writes which of its accounts had a mail accepted.
	noteEvery = 10 * time.Second
	// acceptedFor is how long it is known.
	acceptedFor = 90 * 24 * time.Hour
)

// accepted are the accounts with a mail that was accepted, and not noted yet.
type accepted struct {
	mu   sync.Mutex
	last map[string]time.Time // by account
}

func (a *accepted) add(account string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		a.last = map[string]time.Time{}
	}
	a.last[account] = at
}

// take are those that were added since.
func (a *accepted) take() map[string]time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	last := a.last
	a.last = nil
	return last
}

// giveBack adds again what could not be written.
func (a *accepted) giveBack(last map[string]time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(last, a.last)
	a.last = last
}

// NoteAccepted writes which accounts had a mail accepted since it was called last; Run
// does it every ten seconds.
func (b *Breaker) NoteAccepted(ctx context.Context) error {
	last := b.accepted.take()
	if len(last) == 0 {
		return nil
	}
	members := make([]redis.Z, 0, len(last))
	for account, at := range last {
		members = append(members, redis.Z{Score: float64(at.UnixMilli()), Member: account})
	}
	pipe := b.redis.Pipeline()
	pipe.ZAddArgs(ctx, acceptedKey, redis.ZAddArgs{GT: true, Members: members})
	pipe.ZRemRangeByScore(ctx, acceptedKey, "-inf", strconv.FormatInt(b.now().Add(-acceptedFor).UnixMilli(), 10))
	if _, err := pipe.Exec(ctx); err != nil {
		b.accepted.giveBack(last)
		return err
	}
	return nil
}

// LastAccepted is when a server has accepted a mail of each account last, within the
// last 90 days and to some ten seconds; zero: not known.
func (b *Breaker) LastAccepted(ctx context.Context, accounts ...string) ([]time.Time, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	pipe := b.redis.Pipeline()
	reads := make([]*redis.FloatCmd, len(accounts))
	for i, account := range accounts {
		reads[i] = pipe.ZScore(ctx, acceptedKey, account)
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, err
	}
	times := make([]time.Time, len(accounts))
	for i, read := range reads {
		if ms := read.Val(); ms > 0 {
			times[i] = time.UnixMilli(int64(ms)).UTC()
		}
	}
	return times, nil
}
