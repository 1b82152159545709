package backlog

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// OldPrefix is how the keys of an older version begin, for all of which one package
// was there.
const OldPrefix = "rohrpost:gate:"

const oldIndexKey = OldPrefix + "rooms"

func oldKey(account, name string) string { return OldPrefix + "{" + escape(account) + "}:" + name }

// Migrate takes over what a worker of an older version has left under its keys, or
// still writes there. While both versions run neither counts the other's mails at an
// account's rates.
func (s *Store) Migrate(ctx context.Context) error {
	accounts, err := s.rdb.ZRange(ctx, oldIndexKey, 0, -1).Result()
	if err != nil {
		return fmt.Errorf("backlogs of an older version: %w", err)
	}
	for _, account := range accounts {
		if err := s.migrate(ctx, account); err != nil {
			return fmt.Errorf("the backlog of %s in an older version: %w", account, err)
		}
	}
	return nil
}

func (s *Store) migrate(ctx context.Context, account string) error {
	_, err := s.rdb.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		old, mails := oldKey(account, "room"), Key(account)
		pipe.ZUnionStore(ctx, mails, &redis.ZStore{Keys: []string{mails, old}, Aggregate: "MIN"})
		pipe.Del(ctx, old)
		return nil
	})
	if err != nil {
		return err
	}
	for i, name := range []string{"rate", "held"} {
		err := s.rdb.RenameNX(ctx, oldKey(account, name), keys(account)[1+i]).Err()
		if err != nil && !strings.Contains(err.Error(), "no such key") {
			return err
		}
	}
	if err := s.Announce(ctx, account, s.time()); err != nil {
		return err
	}
	return s.rdb.ZRem(ctx, oldIndexKey, account).Err()
}
