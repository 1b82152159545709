package reconcile_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A mover does something before or after the second look at the only suspect.
type mover struct {
	before, after func()
	looks         atomic.Int32
}

func (*mover) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*mover) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (m *mover) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		const exact = 11 // name, script, number of keys, 8 keys, exact, id
		if len(args) != exact+2 || args[3] != key("pending") || args[exact] != 1 || m.looks.Add(1) > 1 {
			return next(ctx, cmd)
		}
		m.before()
		err := next(ctx, cmd)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			m.looks.Store(0) // it comes again
			m.before = func() {}
			return err
		}
		m.after()
		return err
	}
}

// TestMoving: what moves during the second look, or between the two, is no finding.
func TestMoving(t *testing.T) {
	t.Parallel()
	reopen := func(p *post) {
		if err := p.ledger.Reopen(p.t.Context(), p.job("one")); err != nil {
			p.t.Error(err)
		}
	}
	stopped := func(p *post) { p.move("one", "archived", time.Now()) }
	tests := []struct {
		name  string
		first func(p *post)
		late  bool // between tasks and records of the second look; else before it
		move  func(p *post)
		want  string
	}{
		{"nothing moves", stopped, true, func(*post) {}, "one: stopped in archived"},
		{"the record moves behind the tasks", stopped, true, reopen, ""},
		{"the record moves between", stopped, false, reopen, ""},
		{"the task moves between", stopped, false, func(p *post) {
			p.do("ZREM", key("archived"), jobKey("one"))
			p.do("ZADD", key("retry"), 1, jobKey("one"))
			p.do("HSET", task("one"), "state", "retry")
		}, ""},
		{"it is enqueued between", func(p *post) { p.do("LREM", key("pending"), 0, jobKey("one")) }, false, func(p *post) {
			p.do("LPUSH", key("pending"), jobKey("one"))
		}, ""},
		{"it ends between", func(p *post) { p.do("DEL", task("one")) }, false, func(p *post) {
			p.settles("one", rohrpost.Accepted, "platform")
			p.do("LREM", key("pending"), 0, jobKey("one"))
		}, ""},
		{"a worker renews its lease", func(p *post) { p.take("one", time.Now().Add(-time.Hour)) }, false, func(p *post) {
			p.do("ZADD", key("lease"), time.Now().Unix(), jobKey("one"))
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			p := newPost(t, server.Client(t))
			p.send("one")
			tt.first(p)
			m := &mover{before: func() {}, after: func() { tt.move(p) }}
			if !tt.late {
				m.before, m.after = m.after, m.before
			}
			hooked := server.Client(t)
			hooked.AddHook(m)
			list, _ := p.check(p.reconciler(func(o *reconcile.Options) { o.Redis = hooked }))
			got := ""
			for _, f := range list {
				got += brief(f)
			}
			if got != tt.want || m.looks.Load() == 0 {
				t.Errorf("%q, want %q after %d looks", got, tt.want, m.looks.Load())
			}
		})
	}
}

// TestRepairLate: a repair does nothing when the finding is true no more.
func TestRepairLate(t *testing.T) {
	t.Parallel()
	orphan := func(p *post) { p.do("LREM", key("pending"), 0, jobKey("one")) }
	tests := []struct {
		name        string
		harm, meant func(p *post)
		want        string
	}{
		{"it has ended", orphan, func(p *post) { p.settles("one", rohrpost.Accepted, "platform") }, "pending:"},
		{"somebody was faster", orphan, func(p *post) { p.move("one", "retry", time.Now()) }, "retry: retry"},
		{"the worker is back", func(p *post) { p.take("one", time.Now().Add(-time.Hour)) }, func(p *post) {
			p.do("ZADD", key("lease"), time.Now().Unix(), jobKey("one"))
		}, "active: active lease"},
		{"the id is used again", func(p *post) { p.do("DEL", task("one"), record("one")) }, func(p *post) {
			p.do("LREM", key("pending"), 0, jobKey("one"))
			p.send("one")
		}, "pending: pending"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := single(t)
			p.send("one")
			tt.harm(p)
			i := p.reconciler()
			list, _ := p.check(i)
			if len(list) != 1 || !list[0].Repairable {
				t.Fatalf("%+v", list)
			}
			tt.meant(p)
			if err := i.Repair(t.Context(), list[0]); err != nil {
				t.Fatal(err)
			}
			if got := p.places("one"); got != tt.want {
				t.Errorf("it is in %q, want %q", got, tt.want)
			}
		})
	}
}

// TestRepairMoved: a repair whose task moves while it looks leaves the task alone, also
// where its state says what it has said before.
func TestRepairMoved(t *testing.T) {
	t.Parallel()
	for want, move := range map[string]func(p *post){
		"active: active lease": func(p *post) { p.take("one", time.Now()) },
		"pending: pending":     func(p *post) { p.do("LPUSH", key("pending"), jobKey("one")) },
	} {
		server := redistest.Start(t)
		p := newPost(t, server.Client(t))
		p.send("one")
		p.do("LREM", key("pending"), 0, jobKey("one"))
		hooked := server.Client(t)
		hooked.AddHook(&mover{before: func() {}, after: func() { move(p) }})
		i := p.reconciler(func(o *reconcile.Options) { o.Redis = hooked })
		f := reconcile.Finding{Kind: reconcile.Orphaned, Key: "one,acme", JobID: "one", Queue: "default", Repairable: true}
		if err := i.Repair(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if got := p.places("one"); got != want {
			t.Errorf("it is in %q, want %q", got, want)
		}
		if n := len(p.rdb.LRange(t.Context(), key("pending"), 0, -1).Val()); n > 1 {
			t.Errorf("it is pending %d times", n)
		}
	}
}

func TestRepairRefuses(t *testing.T) {
	t.Parallel()
	p := single(t)
	if err := p.reconciler().Repair(t.Context(), reconcile.Finding{Kind: reconcile.Lost, JobID: "one"}); !errors.Is(err, reconcile.ErrNotRepairable) {
		t.Error(err)
	}
}

func TestLost(t *testing.T) {
	t.Parallel()
	p := single(t)
	for _, id := range []string{"a", "b", "fine", "orphaned"} {
		p.send(id)
	}
	p.do("DEL", task("a"), task("b"))
	p.do("LREM", key("pending"), 0, jobKey("a"))
	p.do("LREM", key("pending"), 0, jobKey("orphaned"))
	i := p.reconciler()
	got := map[string]bool{}
	for f, err := range i.Lost(t.Context()) {
		if err != nil || f.Kind != reconcile.Lost || f.Tenant != "acme" || f.State != rohrpost.Queued || f.Queue != "default" {
			t.Errorf("%+v, %v", f, err)
		}
		got[f.JobID] = true
	}
	if len(got) != 2 || !got["a"] || !got["b"] {
		t.Errorf("lost %v", got)
	}
	for _, err := range i.Lost(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break // and nothing more is handed out
	}
}

// TestShare: who has next to no share of the time rests after the first page, and ends
// with its context.
func TestShare(t *testing.T) {
	t.Parallel()
	p := single(t)
	p.send("one")
	i := p.reconciler(func(o *reconcile.Options) { o.Share = 1e-9 })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := i.Check(ctx, func(reconcile.Finding) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not rest: %v", err)
	}
	i = p.reconciler(func(o *reconcile.Options) { o.Share = 0.5 })
	if sum, err := i.Check(t.Context(), func(reconcile.Finding) error { return nil }); err != nil || sum.OnTheWay != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := newPost(t, server.Client(t))
	p.send("one")
	p.do("LREM", key("pending"), 0, jobKey("one"))
	i := p.reconciler(func(o *reconcile.Options) { o.Pause = time.Hour })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := i.Check(ctx, func(reconcile.Finding) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("during the pause: %v", err)
	}
	enough := errors.New("enough")
	if _, err := p.reconciler().Check(t.Context(), func(reconcile.Finding) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("ended by the caller: %v", err)
	}
	server.Kill()
	if _, err := p.reconciler().Check(t.Context(), func(reconcile.Finding) error { return nil }); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("without a Redis: %v", err)
	}
	for _, err := range p.reconciler().Lost(t.Context()) {
		if err == nil {
			t.Error("a lost mail without a Redis")
		}
	}
	if _, err := reconcile.New(reconcile.Options{Redis: p.rdb, Share: 2}); err == nil || !strings.Contains(err.Error(), "share") {
		t.Errorf("a share of 2: %v", err)
	}
	if _, err := reconcile.New(reconcile.Options{Pause: -1}); err == nil || !strings.Contains(err.Error(), "redis") || !strings.Contains(err.Error(), "pause") {
		t.Errorf("options: %v", err)
	}
}
