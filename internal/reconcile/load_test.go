package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A busy post has applications and workers that never rest. Its workers write what
// the real ones write, and draw lots for the outcome.
type busy struct {
	*post
	group   *lua.Group
	book    *ledger.Ledger
	attempt atomic.Int64
	ended   atomic.Int64
	room    chan struct{} // a token for each mail that may be on its way
}

var errLater = errors.New("later")

const busyBacklog = "rohrpost:backlog:{tenant/acme}:mails"

func (b *busy) handle(ctx context.Context, task *asynq.Task) error {
	ctx = context.WithoutCancel(ctx)
	job, err := payload.Decode(task.Payload())
	if err != nil {
		return err
	}
	revision := 0
	record, err := b.book.Load(ctx, job.Key())
	switch {
	case errors.Is(err, ledger.ErrUnknown):
	case err != nil:
		return err
	case record.State.Final():
		b.leaves()
		return nil
	default:
		revision = record.Revision
	}
	member := queue.Name(job.Priority) + "/" + string(job.Key())
	b.rdb.ZRem(ctx, busyBacklog, member)
	lot := rand.IntN(20)
	if lot < 3 { // its account is busy
		b.rdb.ZAdd(ctx, busyBacklog, redis.Z{Member: member, Score: 1})
		return errLater
	}
	s := ledger.Settlement{Token: fmt.Sprint("t", b.attempt.Add(1)), Revision: revision, State: rohrpost.Accepted, Counts: true, Account: "tenant/acme"}
	switch {
	case lot < 6:
		s.State, s.Next = rohrpost.Deferred, time.Now().Add(time.Second)
	case lot < 8:
		s.State = rohrpost.Parked
	case lot == 8:
		s.State = rohrpost.Failed
	case lot == 9:
		s.State = rohrpost.Uncertain
	}
	if err := b.book.Arm(ctx, job, revision, s.Token, []int{0}); err != nil {
		return errLater
	}
	if err := b.book.Settle(ctx, job, s); err != nil {
		return errLater
	}
	switch s.State {
	case rohrpost.Accepted:
		b.leaves()
		return nil
	case rohrpost.Failed:
		b.leaves()
		return asynq.SkipRetry
	case rohrpost.Parked:
		b.rdb.ZAdd(ctx, busyBacklog, redis.Z{Member: member, Score: 1})
	}
	return errLater
}

func (b *busy) leaves() {
	b.ended.Add(1)
	select {
	case <-b.room:
	default:
	}
}

// work runs a worker of one feed until the test ends.
func (b *busy) work() {
	b.t.Helper()
	feed := queue.NewClient(b.group, 10)
	server := asynq.NewServerFromRedisClient(feed, asynq.Config{
		Concurrency: 10, Queues: queue.Weights(), TaskCheckInterval: time.Millisecond, DelayedTaskCheckInterval: time.Second,
		LogLevel:       asynq.FatalLevel,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Second },
		IsFailure:      func(err error) bool { return !errors.Is(err, errLater) },
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, t *asynq.Task) error {
		defer feed.Done()
		return b.handle(ctx, t)
	}))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		feed.Drain(context.Background())
		server.Shutdown()
	})
}

// produce sends mails of all sorts until ctx ends.
func (b *busy) produce(ctx context.Context, name string) {
	to := []rohrpost.Address{{Address: "a@example.org"}}
	for n := 0; ctx.Err() == nil; n++ {
		var batch []rohrpost.Message
		for k := range 1 + rand.IntN(60) {
			select {
			case b.room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			m := rohrpost.Message{
				Tenant: "acme", To: to, Text: "x", Priority: []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk}[rand.IntN(3)],
			}
			switch rand.IntN(10) {
			case 0:
				m.ID = fmt.Sprint(name, "-", n, "-", k)
			case 1:
				m.NotBefore = time.Now().Add(time.Second)
			case 2:
				m.Attachments = []rohrpost.Attachment{{Name: "a", Content: fmt.Append(nil, n%50)}}
			}
			batch = append(batch, m)
		}
		results, _ := b.mail.SendBatch(ctx, batch)
		if len(results) > 5 {
			for _, k := range [...]int{0, 3} {
				if b.mail.Cancel(ctx, results[k].Receipt.ID) == nil {
					b.leaves()
				}
			}
		}
	}
}

// warm waits until all sorts of mails are about.
func (b *busy) warm() {
	b.t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); b.ended.Load() < 500; <-ticker.C {
		if time.Since(begin) > time.Minute {
			b.t.Fatal("this post is not busy")
		}
	}
}

// TestBusy is the most important test: whatever moves is in order.
func TestBusy(t *testing.T) {
	t.Parallel()
	for name, rdb := range map[string]func(*testing.T) redis.UniversalClient{
		"one server": func(t *testing.T) redis.UniversalClient { return redistest.Start(t).Client(t) },
		"cluster":    func(t *testing.T) redis.UniversalClient { return redistest.StartCluster(t, 0).Client(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPost(t, rdb(t))
			p.later = 0
			b := &busy{post: p, group: lua.NewGroup(p.rdb), book: p.ledger, room: make(chan struct{}, 3000)}
			t.Cleanup(func() { _ = b.group.Close() })
			for range 2 {
				b.work()
			}
			ctx, stop := context.WithCancel(t.Context())
			var producers sync.WaitGroup
			for n := range 2 {
				producers.Go(func() { b.produce(ctx, fmt.Sprint("p", n)) })
			}
			defer producers.Wait()
			defer stop()
			i := p.reconciler(func(o *reconcile.Options) { o.Settle, o.Pause, o.Share = time.Millisecond, 500*time.Millisecond, 0.3 })
			b.warm()
			for range 2 {
				list, sum := p.check(i)
				for _, f := range list {
					if f.Harmless && f.State == rohrpost.Canceled {
						continue // true: Cancel leaves the backlog alone, and a task that a worker has
					}
					t.Errorf("%s: %+v in %s", brief(f), f, p.places(f.JobID))
				}
				t.Logf("%d ended, %+v", b.ended.Load(), sum)
			}
		})
	}
}
