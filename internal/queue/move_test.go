package queue_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// put enqueues a task and brings it into one of asynq's states.
func put(t *testing.T, rdb redis.UniversalClient, id, state string) queue.Ref {
	t.Helper()
	record(t, rdb, false, newJob(id, rohrpost.Bulk))
	ref := queue.Ref{Queue: "bulk", ID: id}
	var err error
	switch state {
	case "archived":
		err = asynq.NewInspectorFromRedisClient(rdb).ArchiveTask("bulk", id)
	case "scheduled":
		err = queue.Move(t.Context(), rdb, ref, time.Now().Add(time.Minute))
	case "retry", "active": // as asynq's own scripts leave them
		_, err = rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
			p.LRem(t.Context(), key("bulk", "pending"), 0, id)
			if state == "active" {
				p.LPush(t.Context(), key("bulk", "active"), id)
				p.ZAdd(t.Context(), key("bulk", "lease"), redis.Z{Score: 1, Member: id})
			} else {
				p.ZAdd(t.Context(), key("bulk", "retry"), redis.Z{Score: 1, Member: id})
			}
			p.HSet(t.Context(), key("bulk", "t:"+id), "state", state)
			p.HDel(t.Context(), key("bulk", "t:"+id), "pending_since")
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// places are where a task is, by asynq's sets and by its own word.
func places(t *testing.T, rdb redis.UniversalClient, id string) (in []string, state string) {
	t.Helper()
	for _, list := range []string{"pending", "active"} {
		if slices.Contains(rdb.LRange(t.Context(), key("bulk", list), 0, -1).Val(), id) {
			in = append(in, list)
		}
	}
	for _, set := range []string{"scheduled", "retry", "archived"} {
		if rdb.ZScore(t.Context(), key("bulk", set), id).Err() == nil {
			in = append(in, set)
		}
	}
	return in, rdb.HGet(t.Context(), key("bulk", "t:"+id), "state").Val()
}

func TestMove(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	at := time.Now().Add(time.Hour).Truncate(time.Second).Add(time.Millisecond)
	for _, from := range []string{"pending", "scheduled", "retry", "archived"} {
		for want, when := range map[string]time.Time{"pending": {}, "scheduled": at} {
			for _, time := range []string{"once", "after a lost reply"} {
				id := from + "-" + want
				ref := queue.Ref{Queue: "bulk", ID: id}
				if time == "once" {
					put(t, rdb, id, from)
				}
				message := rdb.HGet(t.Context(), key("bulk", "t:"+id), "msg").Val()
				if err := queue.Move(t.Context(), rdb, ref, when); err != nil {
					t.Fatalf("from %s, %s: %v", from, time, err)
				}
				in, state := places(t, rdb, id)
				if diff := cmp.Diff([]string{want}, in); diff != "" || state != want {
					t.Errorf("from %s, %s: it says %s %s", from, time, state, diff)
				}
				if got := rdb.HGet(t.Context(), key("bulk", "t:"+id), "msg").Val(); got != message || got == "" {
					t.Errorf("the message is %q now", got)
				}
				if score := rdb.ZScore(t.Context(), key("bulk", "scheduled"), id).Val(); want == "scheduled" && int64(score) != at.Unix()+1 {
					t.Errorf("it is due at %v, want %v", score, at.Unix()+1)
				}
				if since := rdb.HExists(t.Context(), key("bulk", "t:"+id), "pending_since").Val(); since != (want == "pending") {
					t.Errorf("from %s to %s: pending_since is there: %v", from, want, since)
				}
			}
		}
	}
}

// A task that is pending keeps its turn.
func TestMovePending(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	first := put(t, rdb, "first", "pending")
	put(t, rdb, "second", "pending")
	if err := queue.Move(t.Context(), rdb, first, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"second", "first"}, rdb.LRange(t.Context(), key("bulk", "pending"), 0, -1).Val()); diff != "" {
		t.Error(diff)
	}
}

func TestMoveIsRefused(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	active := put(t, rdb, "active", "active")
	for _, at := range []time.Time{{}, time.Now().Add(time.Hour)} {
		if err := queue.Move(t.Context(), rdb, active, at); !errors.Is(err, queue.ErrActive) {
			t.Errorf("active: %v", err)
		}
		if err := queue.Move(t.Context(), rdb, queue.Ref{Queue: "default", ID: "active"}, at); !errors.Is(err, queue.ErrNoTask) {
			t.Errorf("none: %v", err)
		}
	}
	if in, state := places(t, rdb, "active"); len(in) != 1 || in[0] != "active" || state != "active" {
		t.Errorf("the active task is in %v, as %s", in, state)
	}
	_ = rdb.Close()
	if err := queue.Move(t.Context(), rdb, active, time.Time{}); err == nil || errors.Is(err, queue.ErrNoTask) || errors.Is(err, queue.ErrActive) {
		t.Errorf("without Redis: %v", err)
	}
}

// A task that was archived runs at once, by asynq's own server.
func TestMoveRuns(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	ref := put(t, rdb, "a", "archived")
	ran := make(chan string, 1)
	stop := start(t, queue.NewClient(rdb, 1), 1, func(id string) error { ran <- id; return nil })
	defer stop()
	if err := queue.Move(t.Context(), rdb, ref, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if id := await(t, "the task", ran); id != "a" {
		t.Errorf("ran %q", id)
	}
	eventually(t, "the task is done", func() bool { in, _ := places(t, rdb, "a"); return len(in) == 0 })
}

// All keys of the script are those of one queue, and so in one slot.
func TestMoveInOneSlot(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 0)
	rdb := c.Client(t)
	for _, p := range []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk} {
		record(t, rdb, false, newJob("a", p))
		if err := queue.Move(t.Context(), rdb, queue.Ref{Queue: string(p), ID: "a"}, time.Now().Add(time.Hour)); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if err := queue.Scan(t.Context(), rdb, string(p), queue.Archived, func([]string) error { return errors.New("an id") }); err != nil {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	want := map[string]bool{}
	for i := range 3000 {
		id := "id" + strconv.Itoa(i)
		want[id] = true
		rdb.ZAdd(t.Context(), key("bulk", "archived"), redis.Z{Score: float64(i), Member: id})
	}
	pages := 0
	err := queue.Scan(t.Context(), rdb, "bulk", queue.Archived, func(ids []string) error {
		pages++
		for _, id := range ids {
			delete(want, id)
		}
		rdb.ZRem(t.Context(), key("bulk", "archived"), ids[0]) // it moves while it is read
		return nil
	})
	if err != nil || len(want) > 0 || pages < 2 {
		t.Errorf("%d ids did not come, in %d pages: %v", len(want), pages, err)
	}
	enough := errors.New("enough")
	pages = 0
	err = queue.Scan(t.Context(), rdb, "bulk", queue.Archived, func([]string) error { pages++; return enough })
	if !errors.Is(err, enough) || pages != 1 {
		t.Errorf("%d pages after an error: %v", pages, err)
	}
	if err := queue.Scan(t.Context(), rdb, "bulk", queue.Retry, func([]string) error { return enough }); err != nil {
		t.Errorf("an empty set: %v", err)
	}
	_ = rdb.Close()
	err = queue.Scan(t.Context(), rdb, "bulk", queue.Archived, func([]string) error { return nil })
	if err == nil || !strings.HasPrefix(err.Error(), "scan tasks: ") {
		t.Errorf("without Redis: %v", fmt.Sprint(err))
	}
}
