package lua_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// push appends to a list and says how long it is.
func push() *redis.Script {
	return redis.NewScript(`return redis.call('RPUSH', KEYS[1], ARGV[1])`)
}

// other does the same in other words, which makes it another script.
func other() *redis.Script {
	return redis.NewScript(`local n = redis.call('RPUSH', KEYS[1], ARGV[1]) return n`)
}

// trips counts round trips.
type trips struct{ n int }

func (*trips) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { h.n++; return next(ctx, cmd) }
}

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { h.n++; return next(ctx, cmds) }
}

func TestOrderAndRoundTrips(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		known []*redis.Script
		trips int
		want  []string
	}{
		{"both known", []*redis.Script{push(), other()}, 1, []string{"1", "2", "3", "4", "end"}},
		{"none known", nil, 2, []string{"end", "1", "2", "3", "4", "end"}},
		{"one known", []*redis.Script{push()}, 2, []string{"1", "3", "end", "2", "4", "end"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client(t)
			for _, s := range tt.known {
				if err := s.Load(t.Context(), rdb).Err(); err != nil {
					t.Fatal(err)
				}
			}
			var count trips
			rdb.AddHook(&count)
			warm := rdb.Pipeline() // connects
			warm.Ping(t.Context())
			if _, err := warm.Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			count.n = 0
			var batch lua.Batch
			calls := make([]*lua.Call, 4)
			batch.Do("RPUSH", "list", "end")
			for i, s := range []*redis.Script{push(), other(), push(), other()} {
				calls[i] = batch.Call(s, []string{"list"}, i+1)
			}
			if err := batch.Exec(t.Context(), rdb); err != nil {
				t.Fatal(err)
			}
			if count.n != tt.trips {
				t.Errorf("%d round trips, want %d", count.n, tt.trips)
			}
			got := rdb.LRange(t.Context(), "list", 0, -1).Val()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for i, c := range calls {
				n, err := c.Result()
				if at, ok := n.(int64); err != nil || !ok || got[at-1] != fmt.Sprint(i+1) {
					t.Errorf("call %d: %v, %v", i+1, n, err)
				}
			}
		})
	}
}

// TestCommand has a command among calls whose script Redis does not know, and then does:
// it runs once.
func TestCommand(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	rdb.RPush(t.Context(), "list", "first")
	for want := int64(1); want <= 2; want++ {
		var batch lua.Batch
		call := batch.Call(push(), []string{"list"}, "x")
		command := batch.Command("INCRBY", "n", 1)
		broken := batch.Command("INCRBY", "list", 1)
		if err := batch.Exec(t.Context(), rdb); err != nil {
			t.Fatal(err)
		}
		if n, err := command.Int64(); n != want || err != nil || call.Err() != nil {
			t.Errorf("%d, %v, want %d; the call: %v", n, err, want, call.Err())
		}
		if _, err := broken.Int64(); !redis.HasErrorPrefix(err, "WRONGTYPE") {
			t.Errorf("a command on another type: %v", err)
		}
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	var batch lua.Batch
	if err := batch.Exec(t.Context(), redistest.Start(t).Client(t)); err != nil {
		t.Error(err)
	}
}

func TestErrorsOfCalls(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	for _, run := range []string{"with sources", "with digests"} {
		var batch lua.Batch
		good := batch.Call(push(), []string{"list"}, "x")
		bad := batch.Call(redis.NewScript(`return redis.error_reply('BROKEN on purpose')`), []string{"list"})
		none := batch.Call(redis.NewScript(`return false`), []string{"list"})
		last := batch.Call(other(), []string{"list"}, "y")
		if err := batch.Exec(t.Context(), rdb); err != nil {
			t.Fatalf("%s: %v", run, err)
		}
		if err := bad.Err(); err == nil || !strings.HasPrefix(err.Error(), "BROKEN") {
			t.Errorf("%s: the broken call: %v", run, err)
		}
		if err := none.Err(); !errors.Is(err, redis.Nil) {
			t.Errorf("%s: the nil reply: %v", run, err)
		}
		if good.Err() != nil || last.Err() != nil {
			t.Errorf("%s: %v, %v", run, good.Err(), last.Err())
		}
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	server.Kill()
	var batch lua.Batch
	call := batch.Call(push(), []string{"list"}, "x")
	if err := batch.Exec(t.Context(), rdb); err == nil || call.Err() == nil {
		t.Errorf("batch: %v, call: %v", err, call.Err())
	}
}

// halfLost loses all but the first reply and answers, as a Cluster does, with
// the first error of the commands.
type halfLost struct{ trips }

func (*halfLost) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		_ = next(ctx, cmds)
		for _, c := range cmds[1:] {
			c.SetErr(io.ErrUnexpectedEOF)
		}
		return cmds[0].Err()
	}
}

func TestLostBehindAnErrorReply(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	rdb.AddHook(&halfLost{})
	var batch lua.Batch
	first := batch.Call(redis.NewScript(`return redis.error_reply('BROKEN on purpose')`), []string{"list"})
	second := batch.Call(push(), []string{"list"}, "y")
	if err := batch.Exec(t.Context(), rdb); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v, first: %v, second: %v", err, first.Err(), second.Err())
	}
}
