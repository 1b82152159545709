package ledger_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// slots collects the keys of every script.
type slots struct {
	mu   sync.Mutex
	keys [][]string
}

func (*slots) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s *slots) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s.note(cmd)
		return next(ctx, cmd)
	}
}

func (s *slots) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			s.note(cmd)
		}
		return next(ctx, cmds)
	}
}

func (s *slots) note(cmd redis.Cmder) {
	args := cmd.Args()
	if !strings.HasPrefix(cmd.Name(), "eval") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []string
	for i := range args[2].(int) {
		keys = append(keys, args[3+i].(string))
	}
	s.keys = append(s.keys, keys)
}

// Each script has its job's key; only that of a Send may look where an older version
// would have put the record, in the same slot.
func TestSlots(t *testing.T) {
	t.Parallel()
	b := open(t)
	s := &slots{}
	b.rdb.AddHook(s)
	job := b.reserved("a", 1)
	b.mustArm(job, 0, "T1", 0)
	b.mustSettle(job, ledger.Settlement{Token: "T1", State: rohrpost.Deferred})
	for _, what := range []string{"reschedule", "reopen", "cancel"} {
		b.mustAct(what, job)
	}
	if len(s.keys) < 5 {
		t.Fatalf("%d scripts", len(s.keys))
	}
	own, older := []string{"rohrpost:job:{a},acme"}, []string{"rohrpost:job:{a},acme", "rohrpost:job:{a}"}
	if diff := cmp.Diff(older, s.keys[0]); diff != "" {
		t.Error(diff)
	}
	for _, keys := range s.keys {
		if len(keys) == 2 {
			continue // the same again, for a Redis that did not know the script
		}
		if diff := cmp.Diff(own, keys); diff != "" {
			t.Error(diff)
		}
	}
}
