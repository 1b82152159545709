package backlog

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

const acme = "tenant/acme"

// shop is the backlogs as one process sees them, whose clock a test turns.
type shop struct {
	*Store
	t  *testing.T
	at time.Time
}

func newShop(t *testing.T, rdb redis.UniversalClient) *shop {
	t.Helper()
	h := &shop{Store: New(rdb, nil), t: t, at: time.UnixMilli(1_763_785_200_500)}
	h.now = func() time.Time { return h.at }
	return h
}

func (h *shop) pass(d time.Duration) { h.at = h.at.Add(d) }

func (h *shop) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// mail is written as in a backlog.
func (h *shop) enqueues(mail string, due time.Duration) {
	h.t.Helper()
	h.must(h.Enqueue(h.t.Context(), acme, ParseMember(mail), h.at.Add(due), "busy"))
}

// enters answers in how long a place may be free; 0: granted.
func (h *shop) acquires(l Limits, mail string, recipients int) time.Duration {
	h.t.Helper()
	ok, due, err := h.Acquire(h.t.Context(), acme, l, ParseMember(mail), recipients)
	h.must(err)
	if ok {
		return 0
	}
	return max(due.Sub(h.at), 1) // 1: at once, after others
}

func (h *shop) releases(mail string, counted bool) {
	h.t.Helper()
	h.must(h.Release(h.t.Context(), acme, ParseMember(mail), counted))
}

func (h *shop) receives(n int) Batch {
	h.t.Helper()
	answer, err := h.Receive(h.t.Context(), []Request{{Account: acme, N: n}})
	h.must(err)
	return answer[0]
}

// lands says that mails that were received have come to a worker.
func (h *shop) acks(p Batch) {
	h.t.Helper()
	var list []Receipt
	for _, w := range p.Mails {
		list = append(list, Receipt{w.Ref, p.Handle})
	}
	h.must(h.Ack(h.t.Context(), map[string][]Receipt{acme: list}))
}

// wants compares what was received with mails as they are written in a backlog.
func (h *shop) wants(got []Waiting, mails ...string) {
	h.t.Helper()
	var names []string
	for _, w := range got {
		names = append(names, Member(w.Ref))
	}
	if diff := cmp.Diff(mails, names); diff != "" {
		h.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (h *shop) holds(mails ...string) {
	h.t.Helper()
	ws, err := h.Peek(h.t.Context(), acme, 0, 100)
	h.must(err)
	h.wants(ws, mails...)
}

// dueIn is in how long somebody should look at the backlog; false: never.
func (h *shop) dueIn() (time.Duration, bool) {
	score, err := h.rdb.ZScore(h.t.Context(), indexKey, acme).Result()
	return time.Duration(score-float64(h.at.UnixMilli())) * time.Millisecond, err == nil
}

// looks lists backlogs and receives from those that are due.
func (h *shop) looks(n int) []Batch {
	h.t.Helper()
	accounts, err := h.Due(h.t.Context(), 100)
	h.must(err)
	var requests []Request
	for _, a := range accounts {
		requests = append(requests, Request{Account: a, N: n})
	}
	answer, err := h.Receive(h.t.Context(), requests)
	h.must(err)
	return answer
}

func TestOrder(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	for _, mail := range []string{"bulk/1", "default/z", "default/a", "critical/3", "strange/x", "bulk/0", "critical/1/2"} {
		h.enqueues(mail, time.Second)
		h.pass(time.Millisecond)
	}
	h.enqueues("bulk/1", time.Second) // keeps its place
	h.enqueues("default/z", time.Second)
	h.holds("critical/3", "critical/1/2", "default/z", "default/a", "strange/x", "bulk/1", "bulk/0")
	p := h.receives(3)
	h.wants(p.Mails, "critical/3", "critical/1/2", "default/z")
	if p.Left != 4 || !p.Due.IsZero() {
		t.Errorf("%d left, due %v", p.Left, p.Due)
	}
	if p.Mails[1].Ref != (queue.Ref{Queue: "critical", ID: "1/2"}) {
		t.Errorf("%+v", p.Mails[1])
	}
	h.enqueues("critical/9", 0)
	h.must(h.Nack(t.Context(), acme, p.Mails[1:]...))
	h.must(h.Nack(t.Context(), acme, p.Mails[1:]...))
	h.must(h.Nack(t.Context(), acme))
	h.holds("critical/1/2", "critical/9", "default/z", "default/a", "strange/x", "bulk/1", "bulk/0")
}

// TestOrderByRedis is the order by the clock of Redis, within a millisecond.
func TestOrderByRedis(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	h.now = nil
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprintf("default/%d", 1000-i))
		h.enqueues(want[i], 0)
	}
	h.wants(h.receives(200).Mails, want...)
}

// TestEvents is what others hear: there is something to receive now.
func TestEvents(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	sub := h.rdb.Subscribe(t.Context(), Channel)
	t.Cleanup(func() { _ = sub.Close() })
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	heard := sub.Channel()
	l := Limits{PerMinute: 1}
	for _, tt := range []struct {
		what string
		do   func()
		want int
	}{
		{"an empty backlog", func() { h.enqueues("bulk/1", time.Minute) }, 1},
		{"another", func() { h.enqueues("bulk/2", time.Minute) }, 0},
		{"the same", func() { h.enqueues("bulk/1", time.Hour) }, 0},
		{"an earlier moment", func() { h.enqueues("bulk/3", time.Second) }, 1},
		{"that again", func() { h.enqueues("bulk/4", time.Second) }, 0},
		{"back", func() { h.must(h.Nack(t.Context(), acme, h.receives(9).Mails...)) }, 0},
		{"empty again", func() { h.acks(h.receives(9)); h.enqueues("bulk/1", time.Hour) }, 1},
		{"granted", func() { h.receives(9); h.acquires(l, "bulk/1", 1) }, 0},
		{"refused: nobody could receive", func() { h.acquires(l, "bulk/5", 1) }, 0},
		{"free, but behind others", func() { h.releases("bulk/1", false); h.acquires(l, "bulk/6", 1) }, 1},
	} {
		tt.do()
		h.must(h.rdb.Publish(t.Context(), Channel, "end").Err())
		n := 0
		for m := range heard {
			if m.Payload == "end" {
				break
			}
			if n++; m.Payload != acme {
				t.Errorf("%s: %q", tt.what, m.Payload)
			}
		}
		if n != tt.want {
			t.Errorf("%s: heard %d times, want %d", tt.what, n, tt.want)
		}
	}
}

// TestKeys: whatever is in an account's id, its keys are its own and in one slot.
func TestKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, account := range []string{
		"platform", "tenant/acme", "user/acme/max%2F", "tenant/{", "tenant/}", "tenant/{}", "tenant/}{", "tenant/%257D",
		"tenant/a}:mails", "tenant/a", "tenant/}}", "}",
	} {
		var tags []string
		for _, key := range keys(account) {
			if seen[key] != "" {
				t.Errorf("%s is of %s and %s", key, seen[key], account)
			}
			seen[key] = account
			_, tag, _ := strings.Cut(key, "{")
			tag, _, _ = strings.Cut(tag, "}") // as Redis does
			tags = append(tags, tag)
		}
		if slices.Sort(tags); tags[0] == "" || len(slices.Compact(tags)) != 1 {
			t.Errorf("%s: %q", account, tags)
		}
	}
}

// TestManyProcesses has several receive, return and lose nothing, on the clock
// of Redis; in a Cluster, where a backlog and the index stand on different nodes.
func TestManyProcesses(t *testing.T) {
	t.Parallel()
	const mails, workers = 400, 4
	accounts := []string{"platform", "tenant/acme", "user/acme/max}{", "tenant/b"}
	cluster := redistest.StartCluster(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		done = map[string]int{}
	)
	for i, account := range accounts {
		r := New(cluster.Client(t), nil)
		wg.Go(func() {
			for n := range mails {
				if err := r.Enqueue(ctx, account, queue.Ref{Queue: "default", ID: fmt.Sprint(i, "-", n)}, time.Now(), "busy"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	serve := func(r *Store) error {
		due, err := r.Due(ctx, 2)
		if err != nil {
			return err
		}
		var requests []Request
		for _, a := range due {
			requests = append(requests, Request{Account: a, N: 7})
		}
		answers, err := r.Receive(ctx, requests)
		for _, p := range answers {
			k := len(p.Mails) / 7 // the last of seven cannot be had
			if err := r.Nack(ctx, p.Account, p.Mails[len(p.Mails)-k:]...); err != nil {
				return err
			}
			mu.Lock()
			for _, w := range p.Mails[:len(p.Mails)-k] {
				done[w.ID]++
			}
			if len(done) == len(accounts)*mails {
				cancel()
			}
			mu.Unlock()
			if err := r.Announce(ctx, p.Account, time.Now()); p.Left > 0 && err != nil {
				return err
			}
		}
		return err
	}
	for range workers {
		r := New(cluster.Client(t), nil)
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := serve(r); err != nil && ctx.Err() == nil {
					t.Error(err)
					cancel()
				}
			}
		})
	}
	timer := time.AfterFunc(60*time.Second, cancel)
	defer timer.Stop()
	wg.Wait()
	if len(done) != len(accounts)*mails {
		t.Errorf("%d of %d mails were received", len(done), len(accounts)*mails)
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s was received %d times", id, n)
		}
	}
}

// TestDamagedBacklog: one account's keys do not stop the others.
func TestDamagedBacklog(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	h.enqueues("bulk/1", 0)
	h.must(h.rdb.Set(t.Context(), keys("platform")[0], "x", 0).Err())
	answer, err := h.Receive(t.Context(), []Request{{Account: "platform", N: 1}, {Account: acme, N: 1}})
	if err != nil || len(answer) != 1 || answer[0].Account != acme || len(answer[0].Mails) != 1 {
		t.Errorf("%+v, %v", answer, err)
	}
	if answer, err := h.Receive(t.Context(), []Request{{Account: "platform", N: 1}}); err == nil {
		t.Errorf("%+v", answer)
	}
	if answer, err := h.Receive(t.Context(), nil); len(answer) != 0 || err != nil {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	h := newShop(t, redistest.Start(t).Client(t))
	h.must(h.rdb.Close())
	ctx, m := t.Context(), queue.Ref{Queue: "bulk", ID: "1"}
	_, _, acquireErr := h.Acquire(ctx, acme, Limits{PerDay: 1}, m, 1)
	_, receiveErr := h.Receive(ctx, []Request{{Account: acme, N: 1}})
	_, dueErr := h.Due(ctx, 1)
	_, listErr := h.Peek(ctx, acme, 0, 1)
	for i, err := range []error{
		acquireErr, receiveErr, dueErr, listErr,
		h.Enqueue(ctx, acme, m, h.at, "busy"), h.Release(ctx, acme, m, true), h.Nack(ctx, acme, Waiting{m, 1}),
		h.Announce(ctx, acme, h.at), h.looked(ctx, []look{{account: acme}}),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d: %v", i, err)
		}
	}
}
