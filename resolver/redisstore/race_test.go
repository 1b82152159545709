package redisstore_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/resolver"
)

// afterRead runs once, between the moment at which Redis has answered a read of
// acme and that at which the store gets the answer.
type afterRead struct {
	armed atomic.Bool
	do    func()
}

func (h *afterRead) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h *afterRead) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h *afterRead) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() == "hmget" && strings.Contains(cmd.String(), "{t:acme}") && h.armed.CompareAndSwap(true, false) {
			h.do()
		}
		return err
	}
}

// TestChangeDuringRead: what was read before a change is not kept after it.
func TestChangeDuringRead(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	hook := &afterRead{}
	s := open(t, o)
	version := put(t, s, acme, 0, entry("old@acme.example"))
	hook.do = func() { put(t, s, acme, version, entry("new@acme.example")) }
	rdb.AddHook(hook)
	hook.armed.Store(true)
	address := func() string {
		c, err := s.Accounts(t.Context(), "acme", "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Tenant.Address
	}
	if got := address(); got != "old@acme.example" {
		t.Fatalf("%s: the hook came too early", got)
	}
	if got := address(); got != "new@acme.example" {
		t.Errorf("%s was kept", got)
	}
}

// TestUnlockDuringRead: the state of a user depends on the tenant's record.
func TestUnlockDuringRead(t *testing.T) {
	t.Parallel()
	rdb, o := start(t)
	o.Policy.Unlock = true
	s := open(t, o)
	put(t, s, maxM, 0, entry("max@acme.example"))
	hook := &afterRead{do: func() {
		if err := s.Unlock(t.Context(), olga, "acme", true); err != nil {
			t.Error(err)
		}
	}}
	rdb.AddHook(hook)
	if _, err := s.Accounts(t.Context(), "acme", ""); err != nil { // only the user's is read below
		t.Fatal(err)
	}
	hook.armed.Store(true)
	state := func() resolver.State {
		c, err := s.Accounts(t.Context(), "acme", "max")
		if err != nil {
			t.Fatal(err)
		}
		return c.User.State
	}
	if got := state(); got != resolver.Locked {
		t.Fatalf("%v: the hook came too early", got)
	}
	if got := state(); got != resolver.Active {
		t.Errorf("%v was kept", got)
	}
}
