package blob

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
)

//go:embed leave.lua
var leaveSource string

var leaveScript = redis.NewScript(leaveSource)

// A Use is a user, and the digests of the blobs that it needs.
type Use struct {
	User    string
	Digests []string
}

// UseOf is what a job has put aside.
func UseOf(job *payload.Job) Use { return Use{User: string(job.Key()), Digests: job.Blobs()} }

// Leave ends uses, in one round trip: a blob that nobody needs any more is gone then. It
// may be repeated.
func (s *Store) Leave(ctx context.Context, uses ...Use) error {
	return s.leave(ctx, "", "", uses)
}

// Keep shortens a use: the user needs its blobs until then, and no longer.
func (s *Store) Keep(ctx context.Context, use Use, until time.Time) error {
	return s.leave(ctx, until.UnixMilli(), "", []Use{use})
}

// Drop ends a use that Keep has shortened to that time, and that nobody has prolonged
// since.
func (s *Store) Drop(ctx context.Context, use Use, kept time.Time) error {
	return s.leave(ctx, "", kept.UnixMilli(), []Use{use})
}

func (s *Store) leave(ctx context.Context, until, kept any, uses []Use) error {
	var batch lua.Batch
	var calls []*lua.Call
	for _, use := range uses {
		for _, d := range use.Digests {
			if counted(d) {
				calls = append(calls, batch.Call(leaveScript, keys(d), use.User, until, kept))
			}
		}
	}
	err := batch.Exec(ctx, s.rdb)
	for _, c := range calls {
		if err == nil {
			err = c.Err()
		}
	}
	if err != nil {
		return fmt.Errorf("leave blobs: %w", err)
	}
	return nil
}
