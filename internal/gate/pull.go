package gate

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

// A pullRequest asks for mails of an account.
type pullRequest struct {
	account string
	n       int     // at most; 0: only say how things stand
	limits  *Limits // nil: those that enter was last told
}

// pulled is what came of a request.
type pulled struct {
	account string
	mails   []waiting
	grant   string    // its name, for landed
	left    int       // still in the room
	due     time.Time // when more may go; zero: at once
}

//go:embed room_pull.lua
var pullSource string

var pullScript = redis.NewScript(clockSource + accountSource + pullSource)

// pull takes mails out of rooms: by priority, then by arrival, and no more than the
// rates allow. If there are limits each has been granted a place, which the enter
// of the same mail finds. Who has neither entered nor landed after a minute is back in
// the room, also if the reply was lost.
//
// An account whose room could not be asked is missing from the answer; if none
// could, there is an error.
func (r *rooms) pull(ctx context.Context, requests []pullRequest) ([]pulled, error) {
	var (
		batch lua.Batch
		looks []look
		calls = make([]*lua.Call, len(requests))
		seen  = r.takeListed(requests)
	)
	for i, q := range requests {
		limits := ""
		if q.limits != nil {
			limits = q.limits.text()
		}
		calls[i] = batch.Call(pullScript, roomKeys(q.account), r.clock(), max(0, q.n), limits, seen[i] != "")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // what was taken out must be known
	err := batch.Exec(ctx, r.rdb)
	answers := make([]pulled, 0, len(requests))
	for i, q := range requests {
		p, next, failed := readPulled(calls[i])
		if failed != nil {
			err = fmt.Errorf("pull from the room of %s: %w", q.account, failed)
			continue
		}
		p.account = q.account
		answers = append(answers, p)
		if seen[i] != "" {
			looks = append(looks, look{account: q.account, seen: seen[i], next: next})
		}
	}
	if len(answers) == 0 {
		return nil, err
	}
	_ = r.looked(ctx, looks) // an index that was not told lists the rooms again
	return answers, nil
}

// readPulled reads what the script says; next is when to look again.
func readPulled(c *lua.Call) (p pulled, next int64, err error) {
	value, err := c.Result()
	if err != nil {
		return p, 0, err
	}
	answer, ok := value.([]any)
	if !ok || len(answer) < 4 || len(answer)%2 != 0 {
		return p, 0, fmt.Errorf("answered %v", value)
	}
	left, _ := answer[0].(int64)
	due, _ := answer[1].(int64)
	next, _ = answer[2].(int64)
	p.left = int(left)
	p.grant, _ = answer[3].(string)
	if due > 0 {
		p.due = time.UnixMilli(due)
	}
	for i := 4; i < len(answer); i += 2 {
		mail, _ := answer[i].(string)
		text, _ := answer[i+1].(string)
		score, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return p, 0, err
		}
		p.mails = append(p.mails, waiting{Mail: parseMail(mail), score: score})
	}
	return p, next, nil
}
