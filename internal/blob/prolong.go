package blob

import (
	"context"
	"fmt"
	"time"
)

// Prolong keeps blobs at least until then, in one round trip. The error wraps
// ErrMissing when one of them is gone.
func (s *Store) Prolong(ctx context.Context, until time.Time, digests ...string) error {
	set := Set{until: make(map[string]time.Time, len(digests))}
	for _, d := range digests {
		set.until[d] = until
	}
	missing, err := s.touch(ctx, &set, digests)
	if err != nil {
		return fmt.Errorf("prolong blobs: %w", err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: %w", missing[0], ErrMissing)
	}
	return nil
}
