package lease_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// newProcess is a holder that says only when it is asked to that it lives.
func newProcess(t *testing.T, rdb redis.UniversalClient, silence time.Duration) *holder {
	t.Helper()
	return holderOf(t, lease.Options{Redis: rdb, Silence: silence})
}

func (p *holder) beat() {
	p.Helper()
	if err := p.Beat(p.Context()); err != nil {
		p.Fatal(err)
	}
}

// TestInherit: the connections of a process that was killed are free for others after
// its silence, long before its leases end; those of the living, and of processes that
// never say anything, are not.
func TestInherit(t *testing.T) {
	t.Parallel()
	const short = 200 * time.Millisecond
	rdb := redistest.Start(t).Client(t)
	killed, living, old, next := newProcess(t, rdb, short), newProcess(t, rdb, short), newProcess(t, rdb, short), newProcess(t, rdb, short)
	killed.beat()
	for _, p := range []*holder{killed, killed, living, old} {
		p.proven("1", 4)
	}
	started := time.Now()
	tick := time.NewTicker(short / 10)
	defer tick.Stop()
	for {
		living.beat()
		next.beat()
		one, err := next.Take(t.Context(), leased, "1", 4)
		if err == nil {
			defer one.Release()
			break
		}
		if !errors.Is(err, lease.ErrFull) {
			t.Fatal(err)
		}
		if time.Since(started) > 20*time.Second {
			t.Fatal("the leases of the killed one stay")
		}
		<-tick.C
	}
	if waited := time.Since(started); waited < short/2 {
		t.Errorf("after %v nobody can know that it has ended", waited)
	}
	defer next.proven("1", 4).Release() // it had two
	next.full("1", 4)
	if lines := next.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], `"connections":2`) {
		t.Errorf("%q", lines)
	}
}

// TestNobodyInheritsAfterAnOutage: when Redis was away nobody was heard, and all have
// time to be heard again.
func TestNobodyInheritsAfterAnOutage(t *testing.T) {
	t.Parallel()
	const short = 400 * time.Millisecond
	rdb := redistest.Start(t).Client(t)
	living, other := newProcess(t, rdb, short), newProcess(t, rdb, short)
	living.beat()
	other.beat()
	one := living.proven("1", 1)
	defer one.Release()
	<-time.After(2 * short) // Redis is away
	other.beat()
	other.full("1", 1)
	living.beat()
	tick := time.NewTicker(short / 8)
	defer tick.Stop()
	for range 16 {
		living.beat()
		other.beat()
		other.full("1", 1)
		<-tick.C
	}
}

// twice makes each call to Redis twice, as go-redis does when a reply was lost.
type twice struct{}

func (twice) DialHook(next redis.DialHook) redis.DialHook { return next }
func (twice) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (twice) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		_ = next(ctx, cmd)
		return next(ctx, cmd)
	}
}

// TestTakeAfterALostReply: the own lease does not count as another's.
func TestTakeAfterALostReply(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	rdb.AddHook(twice{})
	p := newProcess(t, rdb, 0)
	p.proven("1", 1).Release()
	defer p.take("1", 1).Release()
	p.full("1", 1)
}
