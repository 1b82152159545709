package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

const (
	// scanCount is about how many keys Redis looks at for one answer.
	scanCount = 1000
	// maxRest bounds a rest after a page that took long, as one with a second look.
	maxRest = time.Second
)

// scan, scanSet and scanList are those of the reconciler, with a rest after each page, of
// which Options.Looked hears.
func (w *walk) scan(ctx context.Context, pattern string, keys func([]string) error) error {
	return w.Reconciler.scan(ctx, pattern, w.resting(ctx, keys))
}

func (w *walk) scanSet(ctx context.Context, key string, members func([]string) error) error {
	return w.Reconciler.scanSet(ctx, key, w.resting(ctx, members))
}

func (w *walk) scanList(ctx context.Context, key string, members func([]string) error) error {
	return w.Reconciler.scanList(ctx, key, w.resting(ctx, members))
}

// resting lets a walk do nothing after each page for so long that it has its share of
// the time.
func (w *walk) resting(ctx context.Context, visit func([]string) error) func([]string) error {
	if looked := w.looked; looked != nil {
		silent := visit
		visit = func(part []string) error {
			looked(len(part))
			return silent(part)
		}
	}
	if w.share == 1 {
		return visit
	}
	return func(part []string) error {
		begun := time.Now()
		if err := visit(part); err != nil {
			return err
		}
		return wait(ctx, min(maxRest, time.Duration(float64(time.Since(begun))*(1/w.share-1))))
	}
}

// scan hands out the keys of a pattern in pages. Those that are there all the while
// come at least once.
func (rc *Reconciler) scan(ctx context.Context, pattern string, keys func([]string) error) error {
	nodes, err := redisconn.Masters(ctx, rc.rdb)
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	for _, node := range nodes {
		for cursor, more := uint64(0), true; more; more = cursor != 0 {
			var some []string
			if some, cursor, err = node.Scan(ctx, cursor, pattern, scanCount).Result(); err != nil {
				return fmt.Errorf("scan: %w", err)
			}
			for _, part := range parts(some, page) {
				if err := keys(part); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// scanSet hands out the members of a sorted set in pages, as scan does.
func (rc *Reconciler) scanSet(ctx context.Context, key string, members func([]string) error) error {
	for cursor, more := uint64(0), true; more; more = cursor != 0 {
		pairs, next, err := rc.rdb.ZScan(ctx, key, cursor, "", scanCount).Result()
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		some := make([]string, 0, len(pairs)/2)
		for k := 0; k < len(pairs); k += 2 { // each is followed by its score
			some = append(some, pairs[k])
		}
		for _, part := range parts(some, page) {
			if err := members(part); err != nil {
				return err
			}
		}
		cursor = next
	}
	return nil
}

// scanList hands out the members of a list in pages, from the end at which asynq
// adds. What is added meanwhile shifts the others: each page begins with the last
// one of the page before, which tells by how much, and is longer by that.
func (rc *Reconciler) scanList(ctx context.Context, key string, members func([]string) error) error {
	last, shift := "", 0
	for start := 0; ; {
		size := scanCount + shift
		some, err := rc.rdb.LRange(ctx, key, int64(start), int64(start+size-1)).Result()
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		fresh := some
		if last != "" {
			shift = slices.Index(some, last)
			fresh = some[shift+1:]
		}
		if shift < 0 {
			shift = len(some) // it is further on, or gone
		}
		for _, part := range parts(fresh, page) {
			if err := members(part); err != nil {
				return err
			}
		}
		if len(some) < size {
			return nil
		}
		start += size - 1
		last = some[size-1]
	}
}
