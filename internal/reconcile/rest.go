package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// maxEndless bounds how many blobs without an end are looked at; the others come
// the next time.
const maxEndless = 10_000

// queues notes the queues that asynq does not know although they have tasks.
func (w *walk) queues(ctx context.Context) (err error) {
	w.missed, err = w.unknownQueues(ctx, queue.Names())
	return err
}

// forgotten reports those that are still unknown.
func (w *walk) forgotten(ctx context.Context) error {
	if len(w.missed) == 0 {
		return nil
	}
	if err := wait(ctx, w.pause); err != nil {
		return err
	}
	names, err := w.unknownQueues(ctx, w.missed)
	if err != nil {
		return err
	}
	for _, name := range names {
		f := words(Forgotten)
		f.Queue = name
		if err := w.report(f); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) unknownQueues(ctx context.Context, names []string) ([]string, error) {
	known, err := w.rdb.SMembers(ctx, queue.NamesKey).Result()
	if err != nil {
		return nil, fmt.Errorf("look at queues: %w", err)
	}
	var unknown []string
	for _, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		n, err := w.rdb.Exists(ctx, placeKeys(name)...).Result()
		if err != nil {
			return nil, fmt.Errorf("look at queues: %w", err)
		}
		if n > 0 {
			unknown = append(unknown, name)
		}
	}
	return unknown, nil
}

// blobs notes the blobs without an end. The walk strikes out those that it finds
// referred to.
func (w *walk) blobs(ctx context.Context) error {
	return w.scan(ctx, blob.Pattern, func(keys []string) error {
		digests, err := w.withoutEnd(ctx, keys)
		for _, digest := range digests {
			if len(w.unreferred) < maxEndless {
				w.unreferred[digest] = true
			}
		}
		return err
	})
}

// endless reports the blobs that nobody refers to and that have no end.
func (w *walk) endless(ctx context.Context) error {
	var keys []string
	for digest := range w.unreferred {
		keys = append(keys, blob.Key(digest))
	}
	slices.Sort(keys)
	for _, part := range parts(keys, page) {
		digests, err := w.withoutEnd(ctx, part)
		if err != nil {
			return err
		}
		for _, digest := range digests {
			f := words(EndlessBlob)
			f.Detail = "the blob " + digest + " " + f.Detail
			if err := w.report(f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) withoutEnd(ctx context.Context, keys []string) ([]string, error) {
	pipe := w.rdb.Pipeline()
	ends := make([]*redis.DurationCmd, len(keys))
	for k, key := range keys {
		ends[k] = pipe.PTTL(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("look at blobs: %w", err)
	}
	var digests []string
	for k, key := range keys {
		if ends[k].Val() == -1 {
			digests = append(digests, blob.ParseKey(key))
		}
	}
	return digests, nil
}
