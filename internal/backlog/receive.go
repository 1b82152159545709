package backlog

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// A Request asks for mails of an account.
type Request struct {
	Account string
	N       int     // at most; 0: only say how things stand
	Limits  *Limits // nil: those that Acquire was last told
}

// A Batch is what Receive hands out of one backlog.
type Batch struct {
	Account string
	Mails   []Waiting
	Handle  string    // of the receipts
	Left    int       // still in the backlog
	Due     time.Time // when more may go; zero: at once
}

//go:embed receive.lua
var receiveSource string

var receiveScript = redis.NewScript(clockSource + accountSource + receiveSource)

// Receive hands out mails by priority, then by arrival, and no more than the rates
// allow: each takes up a place, which Acquire of the same mail finds. For a minute
// nobody else sees a received mail. One that is neither acquired nor acknowledged by
// then is back in its place, also if the reply was lost.
//
// A backlog that could not be asked is missing from the answer; if none could, there
// is an error.
func (s *Store) Receive(ctx context.Context, requests []Request) ([]Batch, error) {
	var (
		batch lua.Batch
		looks []look
		calls = make([]*lua.Call, len(requests))
		seen  = s.takeListed(requests)
	)
	for i, q := range requests {
		limits := ""
		if q.Limits != nil {
			limits = q.Limits.text()
		}
		calls[i] = batch.Call(receiveScript, keys(q.Account), s.clock(), max(0, q.N), limits, seen[i] != "")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // what was taken out must be known
	err := batch.Exec(ctx, s.rdb)
	answers := make([]Batch, 0, len(requests))
	for i, q := range requests {
		b, next, failed := readBatch(calls[i])
		if failed != nil {
			err = fmt.Errorf("receive from the backlog of %s: %w", q.Account, failed)
			continue
		}
		b.Account = q.Account
		answers = append(answers, b)
		if seen[i] != "" {
			looks = append(looks, look{account: q.Account, seen: seen[i], next: next})
		}
	}
	if len(answers) == 0 {
		return nil, err
	}
	_ = s.looked(ctx, looks) // an index that was not told lists the backlogs again
	return answers, nil
}

// readBatch reads what the script answers; next is when to look again.
func readBatch(c *lua.Call) (b Batch, next int64, err error) {
	value, err := c.Result()
	if err != nil {
		return b, 0, err
	}
	answer, ok := value.([]any)
	if !ok || len(answer) < 4 || len(answer)%2 != 0 {
		return b, 0, fmt.Errorf("answered %v", value)
	}
	left, _ := answer[0].(int64)
	due, _ := answer[1].(int64)
	next, _ = answer[2].(int64)
	b.Left = int(left)
	b.Handle, _ = answer[3].(string)
	if due > 0 {
		b.Due = time.UnixMilli(due)
	}
	for i := 4; i < len(answer); i += 2 {
		member, _ := answer[i].(string)
		text, _ := answer[i+1].(string)
		score, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return b, 0, err
		}
		b.Mails = append(b.Mails, Waiting{Ref: ParseMember(member), score: score})
	}
	return b, next, nil
}
