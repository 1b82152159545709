package api

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// slots are the queues of this process in front of mailboxes: so many go on at a time
// with the same key.
type slots struct {
	mu  sync.Mutex
	all map[string]*slot // those in use or waited for
}

type slot struct {
	semaphore *semaphore.Weighted
	users     int
}

func newSlots() *slots { return &slots{all: make(map[string]*slot)} }

// acquire waits for its turn, first come first; a key that is in use keeps its limit.
// The error is that of the context.
func (s *slots) acquire(ctx context.Context, key string, limit int) (release func(), err error) {
	s.mu.Lock()
	one := s.all[key]
	if one == nil {
		one = &slot{semaphore: semaphore.NewWeighted(int64(limit))}
		s.all[key] = one
	}
	one.users++
	s.mu.Unlock()
	if err := one.semaphore.Acquire(ctx, 1); err != nil {
		s.leave(key, one)
		return nil, err
	}
	return func() {
		one.semaphore.Release(1)
		s.leave(key, one)
	}, nil
}

func (s *slots) leave(key string, one *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(s.all, key)
	}
}
