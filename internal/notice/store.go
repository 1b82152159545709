package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// A store keeps the books in Redis. A book that two processes change at a time is
// changed by one of them; the other one reads it again.
type store struct{ rdb redis.UniversalClient }

// change reads the book of a tenant, and writes it if do has changed it.
func (s store) change(ctx context.Context, tenant string, do func(*book) bool) (*book, error) {
	const tries = 10
	key := bookKey(tenant)
	var b *book
	attempt := func(tx *redis.Tx) error {
		var err error
		if b, err = read(ctx, tx, key); err != nil {
			return err
		}
		if !do(b) {
			return tx.Expire(ctx, key, keep).Err()
		}
		text, err := json.Marshal(b)
		if err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, key, text, keep)
			return nil
		})
		return err
	}
	err := error(redis.TxFailedErr)
	for n := 0; n < tries && errors.Is(err, redis.TxFailedErr); n++ {
		err = s.rdb.Watch(ctx, attempt, key)
	}
	if err != nil {
		return nil, fmt.Errorf("what tenant %q was told: %w", tenant, err)
	}
	return b, nil
}

func read(ctx context.Context, tx *redis.Tx, key string) (*book, error) {
	b := &book{}
	text, err := tx.Get(ctx, key).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return b, nil
	case err != nil:
		return nil, err
	}
	return b, json.Unmarshal(text, b)
}
