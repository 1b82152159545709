package errorlog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
)

// TestUnfinished: a reading that its context ends says how far it came, and from
// there another one reads the rest.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const held = 2000
	for i := range held {
		e := errorlog.Entry{Time: f.clock.now().Add(time.Duration(i-held) * time.Second), Tenant: []string{"acme", "beta"}[i%2], JobID: fmt.Sprint(i)}
		if err := f.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	read := func(ctx context.Context, to time.Time, each func()) error {
		for e, err := range f.Query(ctx, errorlog.Filter{AllTenants: true, To: to}) {
			if err != nil {
				return err
			}
			seen[e.JobID] = true
			each()
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := read(ctx, time.Time{}, cancel) // at the first entry
	unfinished, ok := errors.AsType[*errorlog.Unfinished](err)
	if !ok || !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	if n := len(seen); n < 100 || n > held-100 {
		t.Fatalf("%d entries were read", n)
	}
	if oldest := f.clock.now().Add(-time.Duration(len(seen)) * time.Second); !unfinished.At.Truncate(time.Second).Equal(oldest.Truncate(time.Second)) {
		t.Errorf("at %v, want %v", unfinished.At, oldest)
	}
	if err := read(t.Context(), unfinished.At, func() {}); err != nil || len(seen) != held {
		t.Errorf("the rest: %v, %d of %d", err, len(seen), held)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := read(ended, time.Time{}, func() {}); errors.As(err, &unfinished) || !errors.Is(err, context.Canceled) {
		t.Errorf("one that never began: %v", err)
	}
}
