package lua

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
)

// A Batch is a list of script calls and plain commands that travel in one
// pipeline, in order. The zero value is empty and ready to use.
type Batch struct {
	calls []*Call
	plain [][]any
}

// A Call is one script call or command of a batch. Its result is there after Exec.
type Call struct {
	script *redis.Script // nil: args are a command
	keys   []string
	args   []any
	cmd    *redis.Cmd
}

// Call appends a script call.
func (b *Batch) Call(s *redis.Script, keys []string, args ...any) *Call {
	c := &Call{script: s, keys: keys, args: args}
	b.calls = append(b.calls, c)
	return c
}

// Command appends a plain command that runs among the calls, once.
func (b *Batch) Command(args ...any) *Call {
	c := &Call{args: args}
	b.calls = append(b.calls, c)
	return c
}

// Do appends a plain command that runs after all calls; its reply is dropped.
func (b *Batch) Do(args ...any) { b.plain = append(b.plain, args) }

// Exec runs the batch in one round trip, and in a second one the calls whose
// script Redis did not know, and once more the plain commands behind them.
// Failures of single calls are in the calls; the error is that of the connection.
// Calls may run twice when a reply was lost: they must be idempotent.
func (b *Batch) Exec(ctx context.Context, rdb redis.UniversalClient) error {
	if len(b.calls)+len(b.plain) == 0 {
		return nil
	}
	pipe := rdb.Pipeline()
	for _, c := range b.calls {
		if c.script == nil {
			c.cmd = pipe.Do(ctx, c.args...)
		} else {
			c.cmd = c.script.EvalSha(ctx, pipe, c.keys, c.args...)
		}
	}
	if err := b.finish(ctx, pipe); err != nil {
		return err
	}
	var again redis.Pipeliner
	for _, c := range b.calls {
		if c.cmd.Err() == nil || !redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") {
			continue
		}
		if again == nil {
			again = rdb.Pipeline()
		}
		c.cmd = c.script.Eval(ctx, again, c.keys, c.args...)
	}
	if again == nil {
		return nil
	}
	return b.finish(ctx, again)
}

// finish appends the plain commands and runs the pipeline. It looks at every
// command: Exec answers with the first error, behind which one may be lost.
func (b *Batch) finish(ctx context.Context, pipe redis.Pipeliner) error {
	for _, args := range b.plain {
		pipe.Do(ctx, args...)
	}
	cmds, err := pipe.Exec(ctx)
	if err == nil {
		return nil
	}
	for _, c := range cmds {
		if err := c.Err(); err != nil && !isReply(err) {
			return err
		}
	}
	if !isReply(err) {
		return err
	}
	return nil
}

// isReply tells an answer of Redis (nil, or an error reply) from a lost connection.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// Result is what the script returned.
func (c *Call) Result() (any, error) { return c.cmd.Result() }

// Int64 is the whole number that a command or script has returned.
func (c *Call) Int64() (int64, error) { return c.cmd.Int64() }

// Text is the text that a command or script has returned.
func (c *Call) Text() (string, error) { return c.cmd.Text() }

// Err is the error of this call; redis.Nil for a nil reply.
func (c *Call) Err() error { return c.cmd.Err() }
