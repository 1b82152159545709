package backlog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
)

const (
	// statsPage is how many backlogs one round trip reads.
	statsPage = 500
	// MostStats bounds how many Stats reads: the others show nothing.
	MostStats = 20_000
)

// A Stat says how the backlog of an account stands.
type Stat struct {
	Account string
	Mails   int64
	Reason  string    // why the last one was enqueued
	Oldest  time.Time // when the oldest was enqueued; zero: it is empty
}

// Stats hands out the backlogs that hold mails, at most 20,000 of them.
func (s *Store) Stats(ctx context.Context, each func(Stat)) error {
	for first := int64(0); first < MostStats; first += statsPage {
		accounts, err := s.rdb.ZRange(ctx, indexKey, first, first+statsPage-1).Result()
		if err == nil && len(accounts) > 0 {
			err = s.stats(ctx, accounts, each)
		}
		if err != nil {
			return fmt.Errorf("sizes of backlogs: %w", err)
		}
		if len(accounts) < statsPage {
			return nil
		}
	}
	return nil
}

// StatsOf hands out the backlogs of some accounts, of those that hold mails.
func (s *Store) StatsOf(ctx context.Context, accounts []string, each func(Stat)) error {
	for page := range slices.Chunk(accounts, statsPage) {
		if err := s.stats(ctx, page, each); err != nil {
			return fmt.Errorf("sizes of backlogs: %w", err)
		}
	}
	return nil
}

// A Listed is an account with a backlog, as the index has it.
type Listed struct {
	Account string
	Due     time.Time // when a worker looks at it
}

// Latest lists the accounts with backlogs, those first at which a worker looks latest:
// at most n of them, and how many there are.
func (s *Store) Latest(ctx context.Context, n int64) (list []Listed, all int64, err error) {
	pipe := s.rdb.Pipeline()
	card := pipe.ZCard(ctx, indexKey)
	latest := pipe.ZRevRangeWithScores(ctx, indexKey, 0, n-1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, fmt.Errorf("the index of backlogs: %w", err)
	}
	for _, z := range latest.Val() {
		account, _ := z.Member.(string)
		list = append(list, Listed{Account: account, Due: time.UnixMilli(int64(z.Score))})
	}
	return list, card.Val(), nil
}

// Remembered are the mails that wait for new settings of an account. Those that have
// ended meanwhile are among them.
type Remembered struct {
	Mails  int64
	Newest []queue.Ref
}

// ForSettings reads the mails that are remembered for new settings of some accounts: how
// many, and the newest n of each.
func (s *Store) ForSettings(ctx context.Context, accounts []string, n int64) (map[string]Remembered, error) {
	pipe := s.rdb.Pipeline()
	cards, newest := make([]*redis.IntCmd, len(accounts)), make([]*redis.StringSliceCmd, len(accounts))
	for i, account := range accounts {
		cards[i] = pipe.ZCard(ctx, settingsKey(account))
		newest[i] = pipe.ZRevRange(ctx, settingsKey(account), 0, n-1)
	}
	if len(accounts) > 0 {
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, fmt.Errorf("mails that wait for settings: %w", err)
		}
	}
	found := make(map[string]Remembered, len(accounts))
	for i, account := range accounts {
		r := Remembered{Mails: cards[i].Val()}
		for _, member := range newest[i].Val() {
			r.Newest = append(r.Newest, ParseMember(member))
		}
		found[account] = r
	}
	return found, nil
}

func (s *Store) stats(ctx context.Context, accounts []string, each func(Stat)) error {
	type read struct {
		mails   *redis.IntCmd
		reason  *redis.StringCmd
		classes [3]*redis.ZSliceCmd
	}
	pipe := s.rdb.Pipeline()
	reads := make([]read, len(accounts))
	for i, account := range accounts {
		reads[i].mails = pipe.ZCard(ctx, Key(account))
		reads[i].reason = pipe.HGet(ctx, keys(account)[1], "why")
		for class := range reads[i].classes {
			low, high := float64(class)*classWidth, float64(class+1)*classWidth
			reads[i].classes[class] = pipe.ZRangeByScoreWithScores(ctx, Key(account), &redis.ZRangeBy{
				Min: fmt.Sprintf("%.0f", low), Max: fmt.Sprintf("(%.0f", high), Count: 1,
			})
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	for i, account := range accounts {
		stat := Stat{Account: account, Mails: reads[i].mails.Val(), Reason: reads[i].reason.Val()}
		oldest := math.MaxFloat64
		for _, class := range reads[i].classes {
			for _, z := range class.Val() {
				oldest = min(oldest, math.Mod(z.Score, classWidth))
			}
		}
		if stat.Mails == 0 || oldest == math.MaxFloat64 {
			continue
		}
		stat.Oldest = time.UnixMilli(int64(oldest))
		each(stat)
	}
	return nil
}

// Sizes are how many mails wait for each of some accounts, in its backlog or for its
// settings.
func (s *Store) Sizes(ctx context.Context, accounts ...string) ([]int64, error) {
	pipe := s.rdb.Pipeline()
	backlogs, settings := make([]*redis.IntCmd, len(accounts)), make([]*redis.IntCmd, len(accounts))
	for i, account := range accounts {
		backlogs[i], settings[i] = pipe.ZCard(ctx, Key(account)), pipe.ZCard(ctx, settingsKey(account))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("sizes of backlogs: %w", err)
	}
	sizes := make([]int64, len(accounts))
	for i := range accounts {
		sizes[i] = max(backlogs[i].Val(), settings[i].Val()) // a mail may be in both
	}
	return sizes, nil
}
