package lua

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

const (
	// maxGroup bounds the calls of one pipeline.
	maxGroup = 64
	// groupSenders is how many pipelines may be under way: one fills while the
	// others are answered.
	groupSenders = 2
)

// A Group is a Redis client that lets script calls of many goroutines travel
// together: whatever has gathered while a pipeline was under way is the next one.
// Nobody waits for company: a single call leaves at once. With many workers this
// saves most of the system calls on both sides.
//
// Only EvalSha is grouped, and it does not end with its context: when the
// context of a caller ends, its call may or may not have been executed.
type Group struct {
	redis.UniversalClient
	calls chan *grouped
	done  chan struct{}
	end   sync.Once
	wg    sync.WaitGroup
}

type grouped struct {
	sha  string
	keys []string
	args []any
	cmd  *redis.Cmd
	done chan struct{}
}

// NewGroup starts a group on a client. Close ends it; the client stays open.
func NewGroup(rdb redis.UniversalClient) *Group {
	g := &Group{UniversalClient: rdb, calls: make(chan *grouped, maxGroup), done: make(chan struct{})}
	for range groupSenders {
		g.wg.Go(g.send)
	}
	return g
}

// Close waits for what is under way. Calls that come later travel alone.
func (g *Group) Close() error {
	g.end.Do(func() { close(g.done) })
	g.wg.Wait()
	return nil
}

// EvalSha runs a script that Redis knows.
func (g *Group) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	c := &grouped{sha: sha, keys: keys, args: args, done: make(chan struct{})}
	select {
	case g.calls <- c:
	case <-g.done:
		return g.UniversalClient.EvalSha(ctx, sha, keys, args...)
	case <-ctx.Done():
		return failed(ctx)
	}
	select {
	case <-c.done:
		return c.cmd
	case <-ctx.Done():
		return failed(ctx)
	case <-g.done:
		g.wg.Wait() // nobody sends any more
		select {
		case <-c.done:
			return c.cmd
		default:
			return g.UniversalClient.EvalSha(ctx, sha, keys, args...)
		}
	}
}

func failed(ctx context.Context) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(ctx.Err())
	return cmd
}

// send makes pipelines of what has gathered.
func (g *Group) send() {
	group := make([]*grouped, 0, maxGroup)
	for {
		select {
		case c := <-g.calls:
			group = append(group[:0], c)
		case <-g.done:
			g.exec(g.gather(group[:0])) // whoever was let in is served
			return
		}
		g.exec(g.gather(group))
	}
}

func (g *Group) gather(group []*grouped) []*grouped {
	for len(group) < maxGroup {
		select {
		case c := <-g.calls:
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

func (g *Group) exec(group []*grouped) {
	if len(group) == 0 {
		return
	}
	ctx := context.Background() // bounded by the client's read and write timeouts
	pipe := g.UniversalClient.Pipeline()
	for _, c := range group {
		c.cmd = pipe.EvalSha(ctx, c.sha, c.keys, c.args...)
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	for _, c := range group {
		close(c.done)
	}
}
