package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/reconcile"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// A harm is done to one mail by hand.
type harm struct {
	name   string // is the id of the mail
	do     func(p *post, id string)
	want   []string // findings, as brief writes them
	places string   // of its task after the repair; empty: not looked at
	left   []string // findings after the repair
}

func harms() []harm {
	soon, old := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	send := func(p *post, id string) { p.send(id) }
	lost := []string{"lost"}
	return []harm{
		{"fine-queued", send, nil, "pending: pending", nil},
		{"fine-scheduled", func(p *post, id string) { p.send(id, scheduled) }, nil, "scheduled: scheduled", nil},
		{"fine-deferred", func(p *post, id string) {
			p.send(id, attached)
			p.settles(id, rohrpost.Deferred, "platform")
			p.move(id, "retry", soon)
		}, nil, "retry: retry", nil},
		{"fine-sending", func(p *post, id string) {
			p.send(id)
			p.take(id, time.Now().Add(20*time.Second))
		}, nil, "active: active lease", nil},
		{"fine-failed", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Failed, "platform")
			p.move(id, "archived", time.Now())
		}, nil, "archived: archived", nil},
		{"fine-held", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Uncertain, "platform")
			p.move(id, "retry", soon)
		}, nil, "retry: retry", nil},
		{"fine-acknowledged-soon", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Accepted, "platform")
			p.take(id, time.Now().Add(20*time.Second))
		}, nil, "active: active lease", nil},
		{"doubt-task-deleted-under-worker", func(p *post, id string) {
			p.send(id)
			p.take(id, time.Now().Add(20*time.Second))
			p.do("DEL", task(id))
		}, []string{"in_doubt"}, ": active lease", []string{"in_doubt"}},

		{"lost-all", func(p *post, id string) {
			p.send(id)
			p.do("LREM", key("pending"), 0, jobKey(id))
			p.do("DEL", task(id))
		}, lost, "", lost},
		{"lost-hash", func(p *post, id string) {
			p.send(id)
			p.do("DEL", task(id))
		}, []string{"lost", "phantom in pending, harmless, repairable"}, ":", lost},
		{"lost-content", func(p *post, id string) {
			p.send(id)
			p.take(id, old)
			p.do("HDEL", task(id), "msg")
		}, []string{"lost", "phantom in active, harmless, repairable"}, ":", lost},
		{"phantom-retry", func(p *post, id string) { p.do("ZADD", key("retry"), soon.Unix(), jobKey(id)) }, []string{"phantom in retry, harmless, repairable"}, ":", nil},
		{"phantom-lease", func(p *post, id string) { p.do("ZADD", key("lease"), soon.Unix(), jobKey(id)) }, []string{"phantom, harmless, repairable"}, ":", nil},

		{"orphaned-pending", func(p *post, id string) {
			p.send(id)
			p.do("LREM", key("pending"), 0, jobKey(id))
		}, []string{"orphaned, repairable"}, "pending: pending", nil},
		{"orphaned-scheduled", func(p *post, id string) {
			p.send(id, scheduled)
			p.do("ZREM", key("scheduled"), jobKey(id))
		}, []string{"orphaned, repairable"}, "scheduled: scheduled", nil},
		{"orphaned-retry", func(p *post, id string) {
			p.send(id)
			p.move(id, "retry", soon)
			p.do("ZREM", key("retry"), jobKey(id))
		}, []string{"orphaned, repairable"}, "pending: pending", nil},
		{"orphaned-active", func(p *post, id string) {
			p.send(id)
			p.take(id, soon)
			p.do("LREM", key("active"), 0, jobKey(id))
		}, []string{"orphaned, repairable"}, "pending: pending", nil},

		{"twice-sets", func(p *post, id string) {
			p.send(id)
			p.do("ZADD", key("retry"), soon.Unix(), jobKey(id))
		}, []string{"twice in retry+pending, repairable"}, "pending: pending", nil},
		{"twice-pending", func(p *post, id string) {
			p.send(id)
			p.do("LPUSH", key("pending"), jobKey(id))
		}, []string{"twice in pending+pending, repairable"}, "pending: pending", nil},
		{"twice-with-worker", func(p *post, id string) {
			p.send(id)
			p.take(id, soon)
			p.do("LPUSH", key("pending"), jobKey(id))
		}, []string{"twice in pending+active, repairable"}, "active: active lease", nil},
		{"twice-archived", func(p *post, id string) {
			p.send(id)
			p.move(id, "archived", old)
			p.do("ZADD", key("retry"), soon.Unix(), jobKey(id))
		}, []string{"twice in retry+archived, repairable"}, "pending: pending", nil},
		{"twice-queues", func(p *post, id string) {
			p.send(id)
			p.do("RESTORE", "asynq:{bulk}:t:"+jobKey(id), 0, p.do("DUMP", task(id)))
			p.do("SADD", "asynq:queues", "bulk")
			p.do("LPUSH", "asynq:{bulk}:pending", jobKey(id))
		}, []string{"twice in default: pending+bulk: pending"}, "pending: pending", []string{"twice in default: pending+bulk: pending"}},
		{"mislabeled", func(p *post, id string) {
			p.send(id)
			p.move(id, "retry", soon)
			p.do("HSET", task(id), "state", "pending")
		}, []string{"mislabeled in retry, repairable"}, "retry: retry", nil},

		{"abandoned", func(p *post, id string) {
			p.send(id)
			p.take(id, old)
		}, []string{"abandoned in active, repairable"}, "pending: pending", nil},
		{"abandoned-no-lease", func(p *post, id string) {
			p.send(id)
			p.take(id, old)
			p.do("ZREM", key("lease"), jobKey(id))
		}, []string{"abandoned in active, repairable"}, "pending: pending", nil},
		{"stopped", func(p *post, id string) {
			p.send(id)
			p.move(id, "archived", old)
		}, []string{"stopped in archived"}, "archived: archived", []string{"stopped in archived"}},
		{"stopped-reopened", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Failed, "platform")
			p.move(id, "archived", old)
			if err := p.ledger.Reopen(p.t.Context(), p.job(id)); err != nil {
				p.t.Fatal(err)
			}
		}, []string{"stopped in archived, repairable"}, "pending: pending", nil},
		{"stopped-held", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Uncertain, "platform")
			p.move(id, "retry", time.Now().Add(48*time.Hour))
			if err := p.ledger.Reopen(p.t.Context(), p.job(id)); err != nil {
				p.t.Fatal(err)
			}
		}, []string{"stopped in retry, repairable"}, "pending: pending", nil},
		{"fine-deferred-for-long", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Deferred, "platform")
			p.move(id, "retry", time.Now().Add(48*time.Hour))
		}, nil, "retry: retry", nil},

		{"unrecorded", func(p *post, id string) {
			p.send(id)
			p.do("DEL", record(id))
		}, []string{"unrecorded in pending"}, "pending: pending", []string{"unrecorded in pending"}},
		{"unrecorded-orphan", func(p *post, id string) {
			p.send(id)
			p.do("DEL", record(id))
			p.do("LREM", key("pending"), 0, jobKey(id))
		}, []string{"orphaned"}, "pending:", []string{"orphaned"}},
		{"leftover-forgotten", func(p *post, id string) {
			p.send(id)
			p.do("DEL", record(id))
			p.move(id, "archived", time.Now().Add(-49*time.Hour))
		}, []string{"leftover in archived, harmless, repairable"}, ":", nil},
		{"leftover-orphan", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Accepted, "platform")
			p.do("LREM", key("pending"), 0, jobKey(id))
		}, []string{"leftover, harmless, repairable"}, ":", nil},
		{"leftover-content", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Failed, "platform")
			p.do("LREM", key("pending"), 0, jobKey(id))
		}, []string{"leftover, harmless"}, "pending:", []string{"leftover, harmless"}},
		{"leftover-pending", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Canceled, "platform")
		}, []string{"leftover in pending, harmless"}, "pending: pending", []string{"leftover in pending, harmless"}},
		{"foreign", func(p *post, id string) {
			p.send(id)
			p.do("DEL", record(id))
			p.do("HSET", task(id), "msg", "somebody else's")
		}, []string{"foreign in pending, harmless"}, "pending: pending", []string{"foreign in pending, harmless"}},

		{"content-gone", func(p *post, id string) {
			p.send(id, attached)
			p.do("DEL", blobKey([]byte("attachment of "+id)))
		}, []string{"content_gone in pending"}, "pending: pending", []string{"content_gone in pending"}},
		{"endless-record", func(p *post, id string) {
			p.send(id)
			p.do("PERSIST", record(id))
		}, []string{"endless_record, harmless, repairable"}, "pending: pending", nil},
		{"endless-ended-record", func(p *post, id string) {
			p.send(id)
			p.settles(id, rohrpost.Failed, "platform")
			p.move(id, "archived", old)
			p.do("PERSIST", record(id))
		}, []string{"endless_record, harmless, repairable"}, "archived: archived", nil},
	}
}

// harmAll does all harms at once and repairs them.
func harmAll(t *testing.T, p *post) {
	t.Helper()
	var want, left []string
	for _, h := range harms() {
		h.do(p, h.name)
		for _, f := range h.want {
			want = append(want, h.name+": "+f)
		}
		for _, f := range h.left {
			left = append(left, h.name+": "+f)
		}
	}
	i := p.reconciler()
	compare := func(when string, want []string) []reconcile.Finding {
		list, sum := p.check(i)
		var got []string
		wrong := 0
		for _, f := range list {
			got = append(got, brief(f))
			if !f.Harmless && f.Kind != reconcile.InDoubt {
				wrong++
			}
			if f.Detail == "" || f.Remedy == "" {
				t.Errorf("no words: %+v", f)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
		if sum.Wrong != wrong || sum.Harmless != len(list)-wrong-1 || sum.InDoubt != 1 {
			t.Errorf("%s: %+v for %d findings, %d harmless", when, sum, len(list), len(list)-wrong)
		}
		return list
	}
	before := compare("harmed", want)
	for range 2 { // the second time there is nothing to do
		for _, f := range before {
			if !f.Repairable {
				continue
			}
			if err := i.Repair(t.Context(), f); err != nil {
				t.Errorf("%s: %v", brief(f), err)
			}
		}
	}
	compare("repaired", left)
	for _, h := range harms() {
		if got := p.places(h.name); h.places != "" && got != h.places {
			t.Errorf("%s is in %q, want %q", h.name, got, h.places)
		}
	}
	for _, id := range []string{"endless-record", "endless-ended-record"} {
		if d := p.rdb.TTL(t.Context(), record(id)).Val(); d < time.Hour {
			t.Errorf("%s ends in %v", id, d)
		}
	}
}

func TestHarm(t *testing.T) {
	t.Parallel()
	harmAll(t, single(t))
}

func TestHarmOnCluster(t *testing.T) {
	t.Parallel()
	harmAll(t, newPost(t, redistest.StartCluster(t, 0).Client(t)))
}

// A mail that may be being enqueued is not lost, nor is it in its place.
func TestJustBeginning(t *testing.T) {
	t.Parallel()
	p := single(t)
	p.later = 0
	p.send("one")
	p.do("LREM", key("pending"), 0, jobKey("one"))
	p.do("DEL", task("one"))
	list, sum := p.check(p.reconciler())
	if len(list) != 1 || list[0].Kind != reconcile.InDoubt || list[0].JobID != "one" || sum.InDoubt != 1 || sum.Wrong+sum.Harmless != 0 {
		t.Errorf("%+v, %+v", list, sum)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	p := single(t)
	for n := range 1500 {
		p.send(fmt.Sprint("m", n))
	}
	p.send("later", scheduled)
	p.send("failed")
	p.settles("failed", rohrpost.Failed, "platform")
	p.move("failed", "archived", time.Now())
	_, got := p.check(p.reconciler())
	want := reconcile.Summary{
		OnTheWay: 1501, Tasks: 1502, Findings: map[reconcile.Kind]int{},
		States: map[rohrpost.State]int{rohrpost.Queued: 1500, rohrpost.Scheduled: 1, rohrpost.Failed: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestForgottenQueue(t *testing.T) {
	t.Parallel()
	p := single(t)
	p.send("one")
	p.do("DEL", "asynq:queues")
	i := p.reconciler()
	list, _ := p.check(i)
	if len(list) != 1 || list[0].Kind != reconcile.Forgotten || list[0].Queue != "default" {
		t.Fatalf("%+v", list)
	}
	if err := i.Repair(t.Context(), list[0]); err != nil {
		t.Fatal(err)
	}
	if got := p.rdb.SMembers(t.Context(), "asynq:queues").Val(); !slices.Equal(got, []string{"default"}) {
		t.Errorf("queues %q", got)
	}
	if list, _ := p.check(i); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestBacklogs(t *testing.T) {
	t.Parallel()
	p := single(t)
	const backlogKey = "rohrpost:backlog:{tenant/acme}:mails"
	for _, id := range []string{"in", "out", "ended"} {
		p.send(id)
		p.settles(id, rohrpost.Parked, "tenant/acme")
		p.move(id, "retry", time.Now().Add(time.Hour))
	}
	if err := p.ledger.Settle(t.Context(), p.job("ended"), settlementOf(rohrpost.Failed)); err != nil {
		t.Fatal(err)
	}
	p.do("ZADD", backlogKey, 1, "default/in,acme", 2, "default/ended,acme", 3, "default/unknown,acme")
	i := p.reconciler()
	want := []string{"ended: leftover in retry, harmless", "ended: stale_backlog_entry, harmless, repairable", "unknown: stale_backlog_entry, harmless, repairable"}
	compare := func(want []string) []reconcile.Finding {
		t.Helper()
		list, sum := p.check(i)
		var got []string
		for _, f := range list {
			got = append(got, brief(f))
		}
		if diff := cmp.Diff(want, got); diff != "" || sum.Wrong > 0 {
			t.Errorf("%+v, %s", sum, diff)
		}
		return list
	}
	compare(want)
	p.do("HSET", "rohrpost:breaker:states", "tenant/acme", "{}")
	want = slices.Insert(want, 2, "out: not_in_backlog in retry, harmless")
	for _, f := range compare(want) {
		if f.Repairable {
			if err := i.Repair(t.Context(), f); err != nil {
				t.Error(err)
			}
		}
	}
	compare([]string{want[0], want[2]})
	if got := p.rdb.ZRange(t.Context(), backlogKey, 0, -1).Val(); !slices.Equal(got, []string{"default/in,acme"}) {
		t.Errorf("backlog %q", got)
	}
}

func TestEndlessBlob(t *testing.T) {
	t.Parallel()
	p := single(t)
	p.send("one", attached)
	p.send("two", attached)
	p.do("PERSIST", blobKey([]byte("attachment of one")))
	p.do("PERSIST", blobKey([]byte("attachment of two")))
	p.do("DEL", record("two"))
	p.do("DEL", task("two"))
	p.do("LREM", key("pending"), 0, jobKey("two"))
	list, _ := p.check(p.reconciler())
	if len(list) != 1 || list[0].Kind != reconcile.EndlessBlob || list[0].Repairable || !list[0].Harmless {
		t.Errorf("%+v", list)
	}
}
