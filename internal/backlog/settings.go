package backlog

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// mostSettings bounds the mails that are remembered for an account's new settings;
	// those beyond come at their own times only.
	mostSettings = 10_000
	// freePage is how many of them one round trip moves.
	freePage = 200
)

// WaitForSettings remembers a mail that has failed for its account's settings. Its task
// comes at its own time; Free brings it earlier.
func (s *Store) WaitForSettings(ctx context.Context, account string, m queue.Ref) error {
	key := settingsKey(account)
	pipe := s.rdb.Pipeline()
	pipe.ZAdd(ctx, key, redis.Z{Score: float64(s.time().UnixMilli()), Member: Member(m)})
	pipe.ZRemRangeByRank(ctx, key, 0, -mostSettings-1)
	pipe.Expire(ctx, key, ledger.MaxWait)
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("remember a mail that waits for settings of %s: %w", account, err)
	}
	return nil
}

// Free moves the mails that wait for an account's settings into its backlog, and has a
// worker look at that now. It answers how many mails it has moved.
func (s *Store) Free(ctx context.Context, account string) (int, error) {
	freed := 0
	for {
		members, err := s.rdb.ZRange(ctx, settingsKey(account), 0, freePage-1).Result()
		if err == nil && len(members) > 0 {
			err = s.enqueueAll(ctx, account, members)
		}
		if err != nil {
			return freed, fmt.Errorf("free the mails that wait for settings of %s: %w", account, err)
		}
		freed += len(members)
		if len(members) < freePage {
			return freed, s.Announce(ctx, account, s.time())
		}
	}
}

func (s *Store) enqueueAll(ctx context.Context, account string, members []string) error {
	var batch lua.Batch
	now := s.time().UnixMilli()
	calls := make([]*lua.Call, len(members))
	for i, m := range members {
		calls[i] = batch.Call(enqueueScript, keys(account), s.clock(), Channel, account, m, class(ParseMember(m)), now, "busy")
	}
	err := batch.Exec(ctx, s.rdb)
	for _, c := range calls {
		err = cmp.Or(err, c.Err())
	}
	if err != nil {
		return err // they stay remembered
	}
	return s.rdb.ZRem(ctx, settingsKey(account), members).Err()
}

func (s *Store) time() time.Time {
	if s.now == nil {
		return time.Now()
	}
	return s.now()
}
