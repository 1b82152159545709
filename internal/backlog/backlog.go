package backlog

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// classWidth is what a priority class adds to the score of a mail that waits.
const classWidth = 1e13

// class is the priority class of a mail: a smaller one goes first.
func class(m queue.Ref) int {
	switch rohrpost.Priority(m.Queue) {
	case rohrpost.Critical:
		return 0
	case rohrpost.Bulk:
		return 2
	}
	return 1
}

// A Waiting is a mail in a backlog.
type Waiting struct {
	queue.Ref
	score float64 // class * classWidth + arrival in Unix ms
}

// Since is when the mail was enqueued, by the clock of Redis.
func (w *Waiting) Since() time.Time { return time.UnixMilli(int64(math.Mod(w.score, classWidth))) }

// A Store holds the backlogs of all accounts, and the rates of those with limits.
// Everything stands in Redis, so any goroutine of any process may use it. Repeating a
// call whose reply was lost does no harm, except for Receive and Release: see there.
type Store struct {
	rdb redis.UniversalClient
	now func() time.Time // nil: the clock of Redis

	mu     sync.Mutex
	listed map[string]string // scores of the index, as Due has seen them last
}

// New makes a store. now is the clock for a test; nil: that of Redis.
func New(rdb redis.UniversalClient, now func() time.Time) *Store { return &Store{rdb: rdb, now: now} }

//go:embed clock.lua
var clockSource string

//go:embed account.lua
var accountSource string

//go:embed enqueue.lua
var enqueueSource string

//go:embed nack.lua
var nackSource string

//go:embed ack.lua
var ackSource string

var (
	enqueueScript = redis.NewScript(clockSource + accountSource + enqueueSource)
	nackScript    = redis.NewScript(clockSource + accountSource + nackSource)
	ackScript     = redis.NewScript(clockSource + accountSource + ackSource)
)

// clock is ARGV[1] of the scripts.
func (s *Store) clock() string {
	if s.now == nil {
		return ""
	}
	return strconv.FormatInt(s.now().UnixMilli(), 10)
}

// run runs a script of an account.
func (s *Store) run(ctx context.Context, script *redis.Script, account string, args ...any) *redis.Cmd {
	return script.Run(ctx, s.rdb, keys(account), append([]any{s.clock()}, args...)...)
}

// Enqueue puts a mail into the backlog of an account. A mail that is there keeps its
// place, and one that was received returns to it. due is when a worker should look at
// the backlog; why is a word for the metrics.
func (s *Store) Enqueue(ctx context.Context, account string, m queue.Ref, due time.Time, why string) error {
	tell, err := s.run(ctx, enqueueScript, account, Channel, account, Member(m), class(m), due.UnixMilli(), why).Bool()
	if err != nil {
		return fmt.Errorf("enqueue in the backlog of %s: %w", account, err)
	}
	if !tell {
		return nil
	}
	return s.Announce(ctx, account, due)
}

// A Receipt names a mail as one call of Receive has handed it out.
type Receipt struct {
	queue.Ref
	Handle string
}

// Ack takes received mails out of their backlogs for good, by account: a worker has
// them. A mail that nobody acknowledges returns to its backlog after a minute.
func (s *Store) Ack(ctx context.Context, mails map[string][]Receipt) error {
	var batch lua.Batch
	calls := make([]*lua.Call, 0, len(mails))
	for account, list := range mails {
		args := make([]any, 0, 1+2*len(list))
		args = append(args, s.clock())
		for _, r := range list {
			args = append(args, Member(r.Ref), r.Handle)
		}
		calls = append(calls, batch.Call(ackScript, keys(account), args...))
	}
	if err := batch.Exec(ctx, s.rdb); err != nil {
		return fmt.Errorf("acknowledge received mails: %w", err)
	}
	for _, c := range calls {
		if _, err := c.Result(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("acknowledge received mails: %w", err)
		}
	}
	return nil
}

// Nack returns received mails to their places, and gives up what was granted to them.
// It notifies nobody: a worker looks a second later.
func (s *Store) Nack(ctx context.Context, account string, mails ...Waiting) error {
	if len(mails) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(mails))
	for _, w := range mails {
		args = append(args, strconv.FormatFloat(w.score, 'f', -1, 64), Member(w.Ref))
	}
	due, err := s.run(ctx, nackScript, account, args...).Int64()
	if err != nil {
		return fmt.Errorf("return mails to the backlog of %s: %w", account, err)
	}
	if due == 0 {
		return nil
	}
	return s.Announce(ctx, account, time.UnixMilli(due))
}

// Later moves the place of a mail back by d within its class.
func (w Waiting) Later(d time.Duration) Waiting {
	w.score += float64(d.Milliseconds())
	return w
}

// Peek lists mails of a backlog in their order: at most n behind the first few.
func (s *Store) Peek(ctx context.Context, account string, first, n int64) ([]Waiting, error) {
	zs, err := s.rdb.ZRangeWithScores(ctx, Key(account), first, first+n-1).Result()
	if err != nil {
		return nil, fmt.Errorf("the backlog of %s: %w", account, err)
	}
	mails := make([]Waiting, len(zs))
	for i, z := range zs {
		member, _ := z.Member.(string)
		mails[i] = Waiting{Ref: ParseMember(member), score: z.Score}
	}
	return mails, nil
}
