package gate

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
)

// A Mail is a waiting job.
type Mail struct {
	Queue string // critical, default or bulk
	ID    string // of the task: the job's key
}

// String is how a mail is called in a room.
func (m Mail) String() string { return m.Queue + "/" + m.ID }

func parseMail(s string) Mail {
	queue, id, _ := strings.Cut(s, "/")
	return Mail{Queue: queue, ID: id}
}

// class is the priority class: a smaller one goes first.
func (m Mail) class() int {
	switch rohrpost.Priority(m.Queue) {
	case rohrpost.Critical:
		return 0
	case rohrpost.Bulk:
		return 2
	}
	return 1
}

// A waiting mail, as it stood in its room.
type waiting struct {
	Mail
	score float64 // class * classWidth + arrival in Unix ms
}

// classWidth is what a priority class adds to the score of a mail that waits.
const classWidth = 1e13

// rooms are where mails wait that may not go now, one for each account, and the
// rates of the accounts with limits. Everything stands in Redis: rooms may be used
// from any goroutine of any process. Repeating a call whose reply was lost does no
// harm; of pull and leave it costs something, see there.
//
// A room that holds mails stands in an index, by when somebody should look at it.
// It is in another Cluster slot, so the order of writing is what keeps it right:
// who joins an empty room tells the index afterwards; who has looked changes only
// the entry that was there before the look. A lost entry comes back when a mail
// joins again.
type rooms struct {
	rdb redis.UniversalClient
	now func() time.Time // nil: the clock of Redis

	mu     sync.Mutex
	listed map[string]string // scores of the index, as due has seen them last
}

//go:embed clock.lua
var clockSource string

//go:embed account.lua
var accountSource string

//go:embed room_join.lua
var joinSource string

//go:embed room_back.lua
var backSource string

//go:embed room_landed.lua
var landedSource string

var (
	joinScript = redis.NewScript(clockSource + accountSource + joinSource)
	backScript = redis.NewScript(clockSource + accountSource + backSource)

	landedScript = redis.NewScript(clockSource + accountSource + landedSource)
)

// clock is ARGV[1] of the scripts.
func (r *rooms) clock() string {
	if r.now == nil {
		return ""
	}
	return strconv.FormatInt(r.now().UnixMilli(), 10)
}

// run runs a script of an account.
func (r *rooms) run(ctx context.Context, s *redis.Script, account string, args ...any) *redis.Cmd {
	return s.Run(ctx, r.rdb, roomKeys(account), append([]any{r.clock()}, args...)...)
}

// join puts a mail into the room of an account, unless it is there: then it keeps
// its place, as does one that was pulled. due is when somebody should look at the
// room.
func (r *rooms) join(ctx context.Context, account string, m Mail, due time.Time) error {
	tell, err := r.run(ctx, joinScript, account, changed, roomEvent+account, m.String(), m.class(), due.UnixMilli()).Bool()
	if err != nil {
		return fmt.Errorf("join the room of %s: %w", account, err)
	}
	if !tell {
		return nil
	}
	return r.announce(ctx, account, due)
}

// A landing is a mail that was pulled, by the grant of that name.
type landing struct {
	Mail
	grant string
}

// landed notes that mails that were pulled have come to a worker, by account. One
// that has not, since whoever pulled it died, is back in the room after a minute.
func (r *rooms) landed(ctx context.Context, mails map[string][]landing) error {
	var batch lua.Batch
	calls := make([]*lua.Call, 0, len(mails))
	for account, list := range mails {
		args := make([]any, 0, 1+2*len(list))
		args = append(args, r.clock())
		for _, m := range list {
			args = append(args, m.String(), m.grant)
		}
		calls = append(calls, batch.Call(landedScript, roomKeys(account), args...))
	}
	if err := batch.Exec(ctx, r.rdb); err != nil {
		return fmt.Errorf("mails that came out of rooms: %w", err)
	}
	for _, c := range calls {
		if _, err := c.Result(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("mails that came out of rooms: %w", err)
		}
	}
	return nil
}

// back returns mails that were pulled and could not be had, and gives up what was
// granted to them. Nobody is called: somebody looks a second later.
func (r *rooms) back(ctx context.Context, account string, ws []waiting) error {
	if len(ws) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(ws))
	for _, w := range ws {
		args = append(args, strconv.FormatFloat(w.score, 'f', -1, 64), w.String())
	}
	due, err := r.run(ctx, backScript, account, args...).Int64()
	if err != nil {
		return fmt.Errorf("return mails to the room of %s: %w", account, err)
	}
	if due == 0 {
		return nil
	}
	return r.announce(ctx, account, time.UnixMilli(due))
}

// list is who waits in a room, in their order: at most n behind the first few.
func (r *rooms) list(ctx context.Context, account string, first, n int64) ([]waiting, error) {
	zs, err := r.rdb.ZRangeWithScores(ctx, roomKeys(account)[0], first, first+n-1).Result()
	if err != nil {
		return nil, err
	}
	ws := make([]waiting, len(zs))
	for i, z := range zs {
		member, _ := z.Member.(string)
		ws[i] = waiting{Mail: parseMail(member), score: z.Score}
	}
	return ws, nil
}
