package gate

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

	"github.com/rohrpost/rohrpost/internal/redistest"
)

const acme = "tenant/acme"

// hall is the rooms of one process, whose clock a test turns.
type hall struct {
	*rooms
	t  *testing.T
	at time.Time
}

func newHall(t *testing.T, rdb redis.UniversalClient) *hall {
	t.Helper()
	h := &hall{rooms: &rooms{rdb: rdb}, t: t, at: time.UnixMilli(1_763_785_200_500)}
	h.now = func() time.Time { return h.at }
	return h
}

func (h *hall) pass(d time.Duration) { h.at = h.at.Add(d) }

func (h *hall) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// mail is written as in a room.
func (h *hall) joins(mail string, due time.Duration) {
	h.t.Helper()
	h.must(h.join(h.t.Context(), acme, parseMail(mail), h.at.Add(due)))
}

// enters answers in how long a place may be free; 0: granted.
func (h *hall) enters(l Limits, mail string, recipients int) time.Duration {
	h.t.Helper()
	ok, due, err := h.enter(h.t.Context(), acme, l, parseMail(mail), recipients)
	h.must(err)
	if ok {
		return 0
	}
	return max(due.Sub(h.at), 1) // 1: at once, after others
}

func (h *hall) leaves(mail string, counted bool) {
	h.t.Helper()
	h.must(h.leave(h.t.Context(), acme, parseMail(mail), counted))
}

func (h *hall) pulls(n int) pulled {
	h.t.Helper()
	answer, err := h.pull(h.t.Context(), []pullRequest{{account: acme, n: n}})
	h.must(err)
	return answer[0]
}

// lands says that mails that were pulled have come to a worker.
func (h *hall) lands(p pulled) {
	h.t.Helper()
	var list []landing
	for _, w := range p.mails {
		list = append(list, landing{w.Mail, p.grant})
	}
	h.must(h.landed(h.t.Context(), map[string][]landing{acme: list}))
}

// wants compares what was pulled with mails as they are written in a room.
func (h *hall) wants(got []waiting, mails ...string) {
	h.t.Helper()
	var names []string
	for _, w := range got {
		names = append(names, w.String())
	}
	if diff := cmp.Diff(mails, names); diff != "" {
		h.t.Errorf("(-want +got):\n%s", diff)
	}
}

func (h *hall) inRoom(mails ...string) {
	h.t.Helper()
	ws, err := h.list(h.t.Context(), acme, 0, 100)
	h.must(err)
	h.wants(ws, mails...)
}

// dueIn is in how long somebody should look at the room; false: never.
func (h *hall) dueIn() (time.Duration, bool) {
	score, err := h.rdb.ZScore(h.t.Context(), roomsKey, acme).Result()
	return time.Duration(score-float64(h.at.UnixMilli())) * time.Millisecond, err == nil
}

// looks lists rooms and pulls from those that are due.
func (h *hall) looks(n int) []pulled {
	h.t.Helper()
	accounts, err := h.due(h.t.Context(), 100)
	h.must(err)
	var requests []pullRequest
	for _, a := range accounts {
		requests = append(requests, pullRequest{account: a, n: n})
	}
	answer, err := h.pull(h.t.Context(), requests)
	h.must(err)
	return answer
}

func TestRoomOrder(t *testing.T) {
	t.Parallel()
	h := newHall(t, redistest.Start(t).Client(t))
	for _, mail := range []string{"bulk/1", "default/z", "default/a", "critical/3", "strange/x", "bulk/0", "critical/1/2"} {
		h.joins(mail, time.Second)
		h.pass(time.Millisecond)
	}
	h.joins("bulk/1", time.Second) // keeps its place
	h.joins("default/z", time.Second)
	h.inRoom("critical/3", "critical/1/2", "default/z", "default/a", "strange/x", "bulk/1", "bulk/0")
	p := h.pulls(3)
	h.wants(p.mails, "critical/3", "critical/1/2", "default/z")
	if p.left != 4 || !p.due.IsZero() {
		t.Errorf("%d left, due %v", p.left, p.due)
	}
	if p.mails[1].Mail != (Mail{"critical", "1/2"}) {
		t.Errorf("%+v", p.mails[1])
	}
	h.joins("critical/9", 0)
	h.must(h.back(t.Context(), acme, p.mails[1:]))
	h.must(h.back(t.Context(), acme, p.mails[1:]))
	h.must(h.back(t.Context(), acme, nil))
	h.inRoom("critical/1/2", "critical/9", "default/z", "default/a", "strange/x", "bulk/1", "bulk/0")
}

// TestRoomOrderByRedis is the order by the clock of Redis, within a millisecond.
func TestRoomOrderByRedis(t *testing.T) {
	t.Parallel()
	h := newHall(t, redistest.Start(t).Client(t))
	h.now = nil
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprintf("default/%d", 1000-i))
		h.joins(want[i], 0)
	}
	h.wants(h.pulls(200).mails, want...)
}

// TestRoomEvents is what others hear: there is something to pull now.
func TestRoomEvents(t *testing.T) {
	t.Parallel()
	h := newHall(t, redistest.Start(t).Client(t))
	sub := h.rdb.Subscribe(t.Context(), changed)
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
		{"an empty room", func() { h.joins("bulk/1", time.Minute) }, 1},
		{"another", func() { h.joins("bulk/2", time.Minute) }, 0},
		{"the same", func() { h.joins("bulk/1", time.Hour) }, 0},
		{"an earlier moment", func() { h.joins("bulk/3", time.Second) }, 1},
		{"that again", func() { h.joins("bulk/4", time.Second) }, 0},
		{"back", func() { h.must(h.back(t.Context(), acme, h.pulls(9).mails)) }, 0},
		{"empty again", func() { h.lands(h.pulls(9)); h.joins("bulk/1", time.Hour) }, 1},
		{"granted", func() { h.pulls(9); h.enters(l, "bulk/1", 1) }, 0},
		{"refused: nobody could pull", func() { h.enters(l, "bulk/5", 1) }, 0},
		{"free, but behind others", func() { h.leaves("bulk/1", false); h.enters(l, "bulk/6", 1) }, 1},
	} {
		tt.do()
		h.must(h.rdb.Publish(t.Context(), changed, "end").Err())
		n := 0
		for m := range heard {
			if m.Payload == "end" {
				break
			}
			if n++; m.Payload != "room tenant/acme" {
				t.Errorf("%s: %q", tt.what, m.Payload)
			}
		}
		if n != tt.want {
			t.Errorf("%s: heard %d times, want %d", tt.what, n, tt.want)
		}
	}
}

// TestRoomKeys: whatever is in an account's id, its keys are its own and in one slot.
func TestRoomKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, account := range []string{
		"platform", "tenant/acme", "user/acme/max%2F", "tenant/{", "tenant/}", "tenant/{}", "tenant/}{", "tenant/%257D",
		"tenant/a}:room", "tenant/a", "tenant/}}", "}",
	} {
		var tags []string
		for _, key := range roomKeys(account) {
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

// TestRoomsOfManyProcesses has several pull, return and lose nothing, on the clock
// of Redis; in a Cluster, where a room and the index stand on different nodes.
func TestRoomsOfManyProcesses(t *testing.T) {
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
		r := &rooms{rdb: cluster.Client(t)}
		wg.Go(func() {
			for n := range mails {
				if err := r.join(ctx, account, Mail{"default", fmt.Sprint(i, "-", n)}, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	serve := func(r *rooms) error {
		due, err := r.due(ctx, 2)
		if err != nil {
			return err
		}
		var requests []pullRequest
		for _, a := range due {
			requests = append(requests, pullRequest{account: a, n: 7})
		}
		answers, err := r.pull(ctx, requests)
		for _, p := range answers {
			k := len(p.mails) / 7 // the last of seven cannot be had
			if err := r.back(ctx, p.account, p.mails[len(p.mails)-k:]); err != nil {
				return err
			}
			mu.Lock()
			for _, w := range p.mails[:len(p.mails)-k] {
				done[w.ID]++
			}
			if len(done) == len(accounts)*mails {
				cancel()
			}
			mu.Unlock()
			if err := r.announce(ctx, p.account, time.Now()); p.left > 0 && err != nil {
				return err
			}
		}
		return err
	}
	for range workers {
		r := &rooms{rdb: cluster.Client(t)}
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
		t.Errorf("%d of %d mails were pulled", len(done), len(accounts)*mails)
	}
	for id, n := range done {
		if n != 1 {
			t.Errorf("%s was pulled %d times", id, n)
		}
	}
}

// TestPullFromDamagedRoom: one account's keys do not stop the others.
func TestPullFromDamagedRoom(t *testing.T) {
	t.Parallel()
	h := newHall(t, redistest.Start(t).Client(t))
	h.joins("bulk/1", 0)
	h.must(h.rdb.Set(t.Context(), roomKeys("platform")[0], "x", 0).Err())
	answer, err := h.pull(t.Context(), []pullRequest{{account: "platform", n: 1}, {account: acme, n: 1}})
	if err != nil || len(answer) != 1 || answer[0].account != acme || len(answer[0].mails) != 1 {
		t.Errorf("%+v, %v", answer, err)
	}
	if answer, err := h.pull(t.Context(), []pullRequest{{account: "platform", n: 1}}); err == nil {
		t.Errorf("%+v", answer)
	}
	if answer, err := h.pull(t.Context(), nil); len(answer) != 0 || err != nil {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestRoomsWithoutRedis(t *testing.T) {
	t.Parallel()
	h := newHall(t, redistest.Start(t).Client(t))
	h.must(h.rdb.Close())
	ctx, m := t.Context(), Mail{"bulk", "1"}
	_, _, enterErr := h.enter(ctx, acme, Limits{PerDay: 1}, m, 1)
	_, pullErr := h.pull(ctx, []pullRequest{{account: acme, n: 1}})
	_, dueErr := h.due(ctx, 1)
	_, listErr := h.list(ctx, acme, 0, 1)
	for i, err := range []error{
		enterErr, pullErr, dueErr, listErr,
		h.join(ctx, acme, m, h.at), h.leave(ctx, acme, m, true), h.back(ctx, acme, []waiting{{m, 1}}),
		h.announce(ctx, acme, h.at), h.looked(ctx, []look{{account: acme}}),
	} {
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%d: %v", i, err)
		}
	}
}
