package backlog

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// The index lists the backlogs that hold mails, by when a worker should look at each.
// It is in another Cluster slot than they are, so the order of the writes keeps it
// right: Enqueue tells the index after it has written to an empty backlog, and a look
// changes only the entry that was there before the look. A lost entry comes back with
// the next mail.

//go:embed due.lua
var dueSource string

//go:embed announce.lua
var announceSource string

//go:embed move.lua
var moveSource string

var (
	dueScript      = redis.NewScript(clockSource + dueSource)
	announceScript = redis.NewScript(announceSource)
	moveScript     = redis.NewScript(moveSource)
)

// Due lists at most n accounts whose backlogs are to be looked at by now. If there are
// more it draws them by lot, so that backlogs that one process cannot serve hide no
// others. Receive moves each of them on to its next moment, even if it hands out
// nothing.
func (s *Store) Due(ctx context.Context, n int) ([]string, error) {
	//nolint:gosec // fairness, no secret
	answer, err := dueScript.Run(ctx, s.rdb, []string{indexKey}, s.clock(), n, rand.Float64()).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("the index of backlogs: %w", err)
	}
	accounts := make([]string, 0, len(answer)/2)
	listed := make(map[string]string, len(answer)/2)
	for i := 0; i+1 < len(answer); i += 2 {
		accounts = append(accounts, answer[i])
		listed[answer[i]] = answer[i+1]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed = listed
	return accounts, nil
}

// takeListed are the scores of backlogs as Due has listed them; empty: it has not.
func (s *Store) takeListed(requests []Request) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make([]string, len(requests))
	for i, q := range requests {
		seen[i] = s.listed[q.Account]
		delete(s.listed, q.Account)
	}
	return seen
}

// Announce notes that a worker should look at a backlog, not later than due.
func (s *Store) Announce(ctx context.Context, account string, due time.Time) error {
	if err := announceScript.Run(ctx, s.rdb, []string{indexKey}, account, due.UnixMilli()).Err(); err != nil {
		return fmt.Errorf("the backlog of %s in the index: %w", account, err)
	}
	return nil
}

// A look is what has come of looking at a backlog.
type look struct {
	account string
	seen    string // its score before
	next    int64  // Unix ms; 0: it is empty
}

// looked moves backlogs on in the index.
func (s *Store) looked(ctx context.Context, looks []look) error {
	if len(looks) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(looks))
	for _, l := range looks {
		args = append(args, l.account, l.seen, l.next)
	}
	if err := moveScript.Run(ctx, s.rdb, []string{indexKey}, args...).Err(); err != nil {
		return fmt.Errorf("the index of backlogs: %w", err)
	}
	return nil
}
