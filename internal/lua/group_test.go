package lua_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

var echo = redis.NewScript(`if ARGV[1] == 'bad' then return redis.error_reply('BAD one') end return ARGV[1]`)

// pipelines counts what leaves a client.
type pipelines struct {
	mu    sync.Mutex
	sizes []int
}

func (p *pipelines) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (p *pipelines) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }
func (p *pipelines) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		p.mu.Lock()
		p.sizes = append(p.sizes, len(cmds))
		p.mu.Unlock()
		return next(ctx, cmds)
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	seen := &pipelines{}
	rdb.AddHook(seen)
	g := lua.NewGroup(rdb)
	const callers, calls = 50, 200
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := range calls {
				want := string(rune('a'+c%26)) + string(rune('a'+i%26))
				if i%10 == 3 {
					want = "bad"
				}
				got, err := echo.Run(t.Context(), g, nil, want).Text()
				if want == "bad" != (err != nil) || err == nil && got != want {
					t.Errorf("%q: %q, %v", want, got, err)
				}
			}
		})
	}
	group.Wait()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if n := len(seen.sizes); n >= callers*calls {
		t.Errorf("%d pipelines for %d calls: nothing travelled together", n, callers*calls)
	}
	if got, err := echo.Run(t.Context(), g, nil, "late").Text(); got != "late" || err != nil {
		t.Errorf("after Close: %q, %v", got, err)
	}
}

func TestGroupContext(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	g := lua.NewGroup(server.Client(t))
	if err := echo.Load(t.Context(), g).Err(); err != nil {
		t.Fatal(err)
	}
	server.Pause()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := echo.EvalSha(ctx, g, nil, "x").Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	server.Resume()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
