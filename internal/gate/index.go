package gate

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

//go:embed index_due.lua
var dueSource string

//go:embed index_announce.lua
var announceSource string

//go:embed index_move.lua
var moveSource string

var (
	dueScript      = redis.NewScript(clockSource + dueSource)
	announceScript = redis.NewScript(announceSource)
	moveScript     = redis.NewScript(moveSource)
)

// due lists at most n rooms at which somebody should look by now: which of them, if
// there are more, is drawn by lot, so that rooms that a process cannot serve do not
// hide others. Whoever pulls from one afterwards, even nothing, moves it on to when
// it should be looked at next.
func (r *rooms) due(ctx context.Context, n int) ([]string, error) {
	//nolint:gosec // fairness, no secret
	answer, err := dueScript.Run(ctx, r.rdb, []string{roomsKey}, r.clock(), n, rand.Float64()).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("the index of rooms: %w", err)
	}
	accounts := make([]string, 0, len(answer)/2)
	listed := make(map[string]string, len(answer)/2)
	for i := 0; i+1 < len(answer); i += 2 {
		accounts = append(accounts, answer[i])
		listed[answer[i]] = answer[i+1]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listed = listed
	return accounts, nil
}

// takeListed are the scores of rooms as due has listed them; empty: it has not.
func (r *rooms) takeListed(requests []pullRequest) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make([]string, len(requests))
	for i, q := range requests {
		seen[i] = r.listed[q.account]
		delete(r.listed, q.account)
	}
	return seen
}

// announce notes that somebody should look at a room, not later than due.
func (r *rooms) announce(ctx context.Context, account string, due time.Time) error {
	if err := announceScript.Run(ctx, r.rdb, []string{roomsKey}, account, due.UnixMilli()).Err(); err != nil {
		return fmt.Errorf("the room of %s in the index: %w", account, err)
	}
	return nil
}

// A look is what has come of looking at a room.
type look struct {
	account string
	seen    string // its score before
	next    int64  // Unix ms; 0: it is empty
}

// looked moves rooms on in the index.
func (r *rooms) looked(ctx context.Context, looks []look) error {
	if len(looks) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(looks))
	for _, l := range looks {
		args = append(args, l.account, l.seen, l.next)
	}
	if err := moveScript.Run(ctx, r.rdb, []string{roomsKey}, args...).Err(); err != nil {
		return fmt.Errorf("the index of rooms: %w", err)
	}
	return nil
}
