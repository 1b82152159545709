package backlog

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
)

// Limits are what an account may do; 0: no limit.
//
// They hold in every rolling minute, hour and day (24 hours) as the server counts
// it, whenever between Acquire and Release that may be: a mail takes up a place while
// it is in flight, and counts from its end in buckets of a sixtieth of the time.
// This costs a sixtieth of what is allowed. A limit counts from when a script first
// sees it. The one exception is a mail that is in flight for longer than a minute
// without acquiring again: it counts for a minute (hour, day) from then, and again
// from its end.
type Limits struct {
	PerMinute, PerHour, PerDay int // mails
	RecipientsPerDay           int
}

// None reports that there is no limit.
func (l Limits) None() bool { return l == Limits{} }

// text is what the scripts read.
func (l Limits) text() string {
	return fmt.Sprintf("%d %d %d %d", max(0, l.PerMinute), max(0, l.PerHour), max(0, l.PerDay), max(0, l.RecipientsPerDay))
}

//go:embed acquire.lua
var acquireSource string

//go:embed release.lua
var releaseSource string

var (
	acquireScript = redis.NewScript(clockSource + accountSource + acquireSource)
	releaseScript = redis.NewScript(clockSource + accountSource + releaseSource)
)

// Acquire asks for a place of an account with limits. A mail that was received has
// one; so has a mail that asks again before its Release. Others go behind those in the
// backlog of their priority class or a better one. ok is false: the mail is in the
// backlog, and due says when a place may be free.
func (s *Store) Acquire(ctx context.Context, account string, l Limits, m queue.Ref, recipients int) (ok bool, due time.Time, err error) {
	answer, err := s.run(ctx, acquireScript, account, Channel, account, Member(m), class(m), l.text(), max(1, recipients)).Int64Slice()
	if err == nil && len(answer) != 3 {
		err = fmt.Errorf("answered %d", answer)
	}
	if err != nil {
		return false, time.Time{}, fmt.Errorf("a place of %s: %w", account, err)
	}
	if answer[0] == 1 {
		return true, time.Time{}, nil
	}
	due = time.UnixMilli(answer[1])
	if answer[2] == 1 {
		err = s.Announce(ctx, account, due)
	}
	return false, due, err
}

// Release ends what Acquire or Receive has granted. counted: the server has seen the
// mail (MAIL was sent). A repeated call counts the mail again: rather too few go than
// too many.
func (s *Store) Release(ctx context.Context, account string, m queue.Ref, counted bool) error {
	if err := s.run(ctx, releaseScript, account, Member(m), counted).Err(); err != nil {
		return fmt.Errorf("the place of a mail of %s: %w", account, err)
	}
	return nil
}
