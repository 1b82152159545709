package delivery_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// errLost is what is left of a call whose connection broke.
var errLost = errors.New("read: connection reset by peer")

// A lossy connection loses the next call of a job's record that matches, or the reply
// to it.
type lossy struct {
	match func(args []any) bool
	reply bool // Redis has executed the call
	next  atomic.Int32
	lost  atomic.Int32
}

func (*lossy) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (l *lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if l.next.Load() == 0 || !l.matches(cmds) || l.next.Add(-1) < 0 {
			return next(ctx, cmds)
		}
		l.lost.Add(1)
		if l.reply {
			_ = next(ctx, cmds)
		}
		for _, c := range cmds {
			c.SetErr(errLost)
		}
		return errLost
	}
}

func (l *lossy) matches(cmds []redis.Cmder) bool {
	for _, c := range cmds {
		args := c.Args()
		if len(args) < 4 {
			continue
		}
		if key, _ := args[3].(string); strings.HasPrefix(key, "rohrpost:job:") && l.match(args[4:]) {
			return true
		}
	}
	return false
}

// settles matches the call that writes a verdict, and arms the one before it.
func settles(args []any) bool {
	for _, a := range args {
		if text, ok := a.(string); ok && strings.HasPrefix(text, "accepted|") {
			return true
		}
	}
	return false
}

func arms(args []any) bool { return !settles(args) }

// overLossy is a harness whose worker has sent a mail already, so that Redis knows its
// scripts, and loses the next call.
func overLossy(t *testing.T, l *lossy) *harness {
	t.Helper()
	h := newHarness(t, func(o *delivery.Options) { o.Concurrency = 1 })
	client := h.redis.Client(t)
	client.AddHook(l)
	h.options.Redis = client
	h.start()
	h.send(rohrpost.Message{To: to("warm@example.org")})
	h.next("accepted")
	l.next.Store(1)
	return h
}

// once wants a mail that was sent once, and of which nothing is uncertain.
func (h *harness) once(id string) {
	h.t.Helper()
	h.next("accepted")
	st := h.status(id)
	if st.State != rohrpost.Accepted || st.MaybeTwice || h.server.Taken() != 2 {
		h.t.Errorf("%+v; the server has %d mails, want 2", st, h.server.Taken())
	}
	for _, e := range st.History {
		if e.Class == "uncertain" {
			h.t.Errorf("it was uncertain: %+v", e)
		}
	}
}

// TestSettlesAgain: an outcome that Redis did not take is written again.
func TestSettlesAgain(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]bool{"the call is lost": false, "the reply is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lossy{match: settles, reply: reply}
			h := overLossy(t, l)
			h.once(h.send(rohrpost.Message{To: to("a@example.org")}))
			if l.lost.Load() != 1 {
				t.Error("nothing was lost: the test has shown nothing")
			}
		})
	}
}

// TestArmIsUndone: when nobody knows whether a mail is armed it is not sent, and the
// next attempt need not doubt it.
func TestArmIsUndone(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]bool{"the call is lost": false, "the reply is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lossy{match: arms, reply: reply}
			h := overLossy(t, l)
			h.once(h.send(rohrpost.Message{To: to("a@example.org")}))
			if l.lost.Load() != 1 {
				t.Error("nothing was lost: the test has shown nothing")
			}
		})
	}
}

// crashes is a Transport that crashes, before or after the mail is armed.
type crashes struct{ armed bool }

func (c crashes) Send(ctx context.Context, _ *resolver.Account, _ transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	if c.armed {
		if err := arm(ctx, []int{0}); err != nil {
			return transport.Outcome{}, err
		}
	}
	panic("a bug")
}

// TestCrash: after the dot nobody knows whether the mail is out; before it nothing is.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, armed := range []bool{false, true} {
		h := newHarness(t, func(o *delivery.Options) { o.Transport = crashes{armed} })
		h.start()
		id := h.send(rohrpost.Message{To: to("a@example.org"), OnUncertain: rohrpost.Hold})
		want, state := "deferred", rohrpost.Deferred
		if armed {
			want, state = "uncertain", rohrpost.Uncertain
		}
		if got := h.next("deferred", "uncertain", "failed"); got != want {
			t.Errorf("armed %v: %s", armed, got)
		}
		if st := h.status(id); st.State != state {
			t.Errorf("armed %v: %+v", armed, st)
		}
	}
}
