package blob

import (
	"context"
	"sync"
)

// A Leaver gathers uses that have ended, and ends them together. It is safe for
// concurrent use.
type Leaver struct {
	store *Store

	mu   sync.Mutex
	uses []Use
}

// NewLeaver gathers for a store.
func NewLeaver(s *Store) *Leaver { return &Leaver{store: s} }

// Leave notes that a user needs its blobs no more.
func (l *Leaver) Leave(use Use) {
	if len(use.Digests) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.uses = append(l.uses, use)
}

// Flush ends what has gathered, in one round trip. After an error it is kept.
func (l *Leaver) Flush(ctx context.Context) error {
	l.mu.Lock()
	uses := l.uses
	l.uses = nil
	l.mu.Unlock()
	if len(uses) == 0 {
		return nil
	}
	err := l.store.Leave(ctx, uses...)
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.uses = append(uses, l.uses...)
	}
	return err
}
