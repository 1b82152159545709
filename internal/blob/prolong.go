package blob

import (
	"context"
	"fmt"
	"time"
)

// Prolong keeps blobs at least until then for a user, in one round trip. The error
// wraps ErrMissing when one of them is gone.
func (s *Store) Prolong(ctx context.Context, user string, until time.Time, digests ...string) error {
	var set Set
	for _, d := range digests {
		set.need(d, user, until)
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
