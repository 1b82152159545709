package gate

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Limits are what an account may do; 0: no limit.
//
// They hold in every rolling minute, hour and day (24 hours) as the server counts
// it, whenever between Enter and Leave that may be: a mail takes up a place while
// it is under way, and counts from its end in buckets of a sixtieth of the time.
// This costs a sixtieth of what is allowed. A limit counts from when it is first
// seen. The one exception is a mail that is under way for longer than a minute
// without entering again: it counts for a minute (hour, day) from then, and again
// from its end.
type Limits struct {
	PerMinute, PerHour, PerDay int // mails
	RecipientsPerDay           int
}

func (l Limits) none() bool { return l == Limits{} }

// text is what the scripts read.
func (l Limits) text() string {
	return fmt.Sprintf("%d %d %d %d", max(0, l.PerMinute), max(0, l.PerHour), max(0, l.PerDay), max(0, l.RecipientsPerDay))
}

//go:embed rate_enter.lua
var enterSource string

//go:embed rate_leave.lua
var leaveSource string

var (
	enterScript = redis.NewScript(clockSource + accountSource + enterSource)
	leaveScript = redis.NewScript(clockSource + accountSource + leaveSource)
)

// enter asks for a place of an account with limits. A mail that was pulled has one;
// so has one that asks again before it has left. Others go behind those in the room
// of their priority class or a better one. ok is false: the mail is in the room, and
// due says when a place may be free.
func (r *rooms) enter(ctx context.Context, account string, l Limits, m Mail, recipients int) (ok bool, due time.Time, err error) {
	answer, err := r.run(ctx, enterScript, account, changed, roomEvent+account,
		m.String(), m.class(), l.text(), max(1, recipients)).Int64Slice()
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
		err = r.announce(ctx, account, due)
	}
	return false, due, err
}

// leave ends what enter or pull has granted. counted: the server has seen the mail
// (MAIL was sent). Repeated, it counts the mail again: rather too few go than too
// many.
func (r *rooms) leave(ctx context.Context, account string, m Mail, counted bool) error {
	if err := r.run(ctx, leaveScript, account, m.String(), counted).Err(); err != nil {
		return fmt.Errorf("the place of a mail of %s: %w", account, err)
	}
	return nil
}
