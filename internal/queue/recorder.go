package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// A Recorder turns asynq's enqueue operations into calls of a lua.Batch. asynq
// has no batch call; it does have a constructor that takes any UniversalClient.
// The Recorder gives it a recording that writes the script down and says yes.
type Recorder struct {
	notes  recording
	client *asynq.Client
}

// NewRecorder records into batch.
func NewRecorder(batch *lua.Batch) *Recorder {
	r := &Recorder{notes: recording{batch: batch}}
	r.client = asynq.NewClientFromRedisClient(&r.notes)
	return r
}

// Add appends the task of a job to the batch; content is its encoded form. The answer
// is in the ticket once the batch was executed.
func (r *Recorder) Add(ctx context.Context, job *payload.Job, content []byte) (Ticket, error) {
	r.notes.last = nil
	if _, err := r.client.EnqueueContext(ctx, NewTask(job, content)); err != nil {
		return Ticket{}, fmt.Errorf("enqueue: %w", err)
	}
	if r.notes.last == nil {
		return Ticket{}, errors.New("enqueue: asynq ran no script")
	}
	return Ticket{call: r.notes.last}, nil
}

// Wake appends the wake-up of waiting workers. It goes last.
func (r *Recorder) Wake() { r.notes.batch.Do("PUBLISH", wakeChannel, "") }

// A Ticket holds the answer to one Add.
type Ticket struct{ call *lua.Call }

// Accepted reports whether the task was new; false: its id is in the queue
// already. The error is one of Redis: the task may or may not be there.
func (t Ticket) Accepted() (bool, error) {
	n, err := t.call.Result()
	if err != nil {
		return false, err
	}
	return n == int64(1), nil
}

// recording is the UniversalClient that asynq's client writes to. It has what an
// enqueue uses; anything else is a nil call, which the tests would hit.
type recording struct {
	redis.UniversalClient
	batch *lua.Batch
	last  *lua.Call
}

// scripts are asynq's two that enqueue, by source: their digests are computed once.
var scripts = sync.OnceValue(func() *sync.Map { return &sync.Map{} })

// EvalSha claims not to know the script, so that asynq hands over its source.
func (n *recording) EvalSha(ctx context.Context, _ string, _ []string, _ ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(noScript{})
	return cmd
}

// Eval writes the call down and answers as if the task had been new.
func (n *recording) Eval(ctx context.Context, source string, keys []string, args ...any) *redis.Cmd {
	script, known := scripts().Load(source)
	if !known {
		script, _ = scripts().LoadOrStore(source, redis.NewScript(source))
	}
	n.last = n.batch.Call(script.(*redis.Script), keys, args...)
	cmd := redis.NewCmd(ctx)
	cmd.SetVal(int64(1))
	return cmd
}

// SAdd writes down the queue that asynq registers. asynq does so once per
// client, and a recorder has its own: a Redis that lost its data learns of the
// queue with the next batch.
func (n *recording) SAdd(ctx context.Context, key string, members ...any) *redis.IntCmd {
	n.batch.Do(append([]any{"SADD", key}, members...)...)
	return redis.NewIntCmd(ctx)
}

// noScript is the reply by which Redis asks for the source of a script.
type noScript struct{}

func (noScript) Error() string { return "NOSCRIPT" }
func (noScript) RedisError()   {}
