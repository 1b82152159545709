package queue_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// snapshot is everything in Redis, without the one value that is a clock.
func snapshot(t *testing.T, rdb redis.UniversalClient) map[string]any {
	t.Helper()
	out := map[string]any{}
	ctx := t.Context()
	for _, k := range rdb.Keys(ctx, "*").Val() {
		switch kind := rdb.Type(ctx, k).Val(); kind {
		case "hash":
			h := rdb.HGetAll(ctx, k).Val()
			if since, ok := h["pending_since"]; ok {
				ns, err := strconv.ParseInt(since, 10, 64)
				if age := time.Since(time.Unix(0, ns)); err != nil || age < 0 || age > time.Minute {
					t.Errorf("%s: pending_since %q", k, since)
				}
				h["pending_since"] = "now"
			}
			out[k] = h
		case "list":
			out[k] = rdb.LRange(ctx, k, 0, -1).Val()
		case "set":
			out[k] = slices.Sorted(slices.Values(rdb.SMembers(ctx, k).Val()))
		case "string":
			out[k] = rdb.Get(ctx, k).Val()
		case "zset":
			out[k] = rdb.ZRangeWithScores(ctx, k, 0, -1).Val()
		default:
			t.Errorf("%s is a %s", k, kind)
		}
	}
	return out
}

// Redis holds after a batch what asynq's own Enqueue leaves there.
func TestRecorderWritesWhatAsynqWrites(t *testing.T) {
	t.Parallel()
	later := time.Now().Add(time.Hour)
	job := func(id string, p rohrpost.Priority, notBefore time.Time) *payload.Job {
		j := newJob(id, p)
		j.NotBefore = notBefore
		return j
	}
	tests := []struct {
		name string
		jobs []*payload.Job
		want []string // keys
	}{
		{"pending", []*payload.Job{newJob("a", "")}, []string{"asynq:queues", "asynq:{default}:t:a", "asynq:{default}:pending"}},
		{"scheduled", []*payload.Job{job("a", rohrpost.Bulk, later)}, []string{"asynq:queues", "asynq:{bulk}:t:a", "asynq:{bulk}:scheduled"}},
		{
			"order and conflict",
			[]*payload.Job{newJob("a", ""), newJob("b", ""), newJob("a", ""), newJob("c", rohrpost.Critical), job("b", "", later), job("d", "", later)},
			[]string{
				"asynq:queues", "asynq:{default}:t:a", "asynq:{default}:t:b", "asynq:{default}:pending",
				"asynq:{critical}:t:c", "asynq:{critical}:pending", "asynq:{default}:t:d", "asynq:{default}:scheduled",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := redistest.Start(t).Client(t), redistest.Start(t).Client(t)
			tickets := record(t, ours, true, tt.jobs...)
			client := asynq.NewClientFromRedisClient(theirs)
			for i, j := range tt.jobs {
				_, err := client.EnqueueContext(t.Context(), queue.NewTask(j, []byte(j.ID)))
				if got, gotErr := tickets[i].Accepted(); gotErr != nil || got != (err == nil) {
					t.Errorf("job %d: %v, %v; asynq: %v", i, got, gotErr, err)
				}
			}
			got := snapshot(t, ours)
			if diff := cmp.Diff(snapshot(t, theirs), got); diff != "" {
				t.Error(diff)
			}
			for _, k := range tt.want {
				if got[k] == nil {
					t.Errorf("no key %s", k)
				}
			}
			if len(got) != len(tt.want) {
				t.Errorf("%d keys, want %d: %v", len(got), len(tt.want), got)
			}
		})
	}
}

// asynq's own client forgets to register its queue again (libraries.md, asynq 11).
func TestQueueIsRegisteredAfterFlush(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	record(t, rdb, false, newJob("a", rohrpost.Bulk))
	if err := rdb.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	record(t, rdb, false, newJob("b", rohrpost.Bulk))
	queues, err := asynq.NewInspectorFromRedisClient(rdb).Queues()
	if diff := cmp.Diff([]string{"bulk"}, queues); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// asynq cuts times to whole seconds, which would be too early.
func TestNeverBeforeNotBefore(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	whole := time.Now().Add(time.Hour).Truncate(time.Second)
	for name, at := range map[string]time.Time{"whole": whole, "ms": whole.Add(time.Millisecond), "ns": whole.Add(time.Second - 1)} {
		job := newJob(name, "")
		job.NotBefore = at
		record(t, rdb, false, job)
		score := int64(rdb.ZScore(t.Context(), key("default", "scheduled"), name).Val())
		if due := time.Unix(score, 0); due.Before(at) || due.Sub(at) >= time.Second {
			t.Errorf("%s: due %v for %v", name, due, at)
		}
	}
}

// The order is package lua's.
func TestWakeIsPublished(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	sub := rdb.Subscribe(t.Context(), "rohrpost:wake")
	defer func() { _ = sub.Close() }()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Redis knows no script yet, so that the tasks come in a second round trip.
	record(t, rdb, true, newJob("a", ""))
	await(t, "wake-up", sub.Channel())
	await(t, "wake-up", sub.Channel())
	if n := length(t, rdb, "pending"); n != 1 {
		t.Errorf("woken with %d tasks", n)
	}
	record(t, rdb, true, newJob("b", ""))
	await(t, "wake-up", sub.Channel())
	record(t, rdb, false, newJob("c", ""))
	select {
	case <-sub.Channel():
		t.Error("a wake-up nobody asked for")
	default:
	}
}

func TestAddRefusesWhatAsynqRefuses(t *testing.T) {
	t.Parallel()
	var batch lua.Batch
	_, err := queue.NewRecorder(&batch).Add(t.Context(), &payload.Job{Message: rohrpost.Message{Priority: " "}}, nil)
	if err == nil {
		t.Error("a job of no queue")
	}
}

func TestTicketOfALostBatch(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	server.Kill()
	var batch lua.Batch
	ticket, err := queue.NewRecorder(&batch).Add(t.Context(), newJob("a", ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Exec(t.Context(), rdb); err == nil {
		t.Error("a batch without Redis")
	}
	if ok, err := ticket.Accepted(); ok || err == nil {
		t.Errorf("accepted %v, %v", ok, err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	weights := queue.Weights()
	for i, p := range []rohrpost.Priority{rohrpost.Critical, rohrpost.Default, rohrpost.Bulk} {
		if name := queue.Name(p); name != queue.Names()[i] || weights[name] != []int{6, 3, 1}[i] {
			t.Errorf("%s: queue %s with weight %d", p, name, weights[name])
		}
	}
	if queue.Name("") != "default" || len(weights) != 3 || len(queue.Names()) != 3 {
		t.Error("the empty priority, or a fourth queue")
	}
}
