package queue_test

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestPaused(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	paused := func() []queue.Pause {
		t.Helper()
		list, err := queue.Paused(t.Context(), rdb)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := paused(); len(list) != 0 {
		t.Errorf("%+v", list)
	}
	inspector := asynq.NewInspectorFromRedisClient(rdb)
	for _, name := range []string{"bulk", "critical", "foreign"} {
		if err := inspector.PauseQueue(name); err != nil {
			t.Fatal(err)
		}
	}
	list := paused()
	if len(list) != 2 || list[0].Queue != "critical" || list[1].Queue != "bulk" || time.Since(list[0].Since).Abs() > time.Minute {
		t.Errorf("%+v", list)
	}
	if err := rdb.Set(t.Context(), "asynq:{bulk}:paused", "by hand", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if list := paused(); len(list) != 2 || !list[1].Since.IsZero() {
		t.Errorf("%+v", list)
	}
	rdb.Del(t.Context(), "asynq:{critical}:paused") // the error is not the first of the pipeline
	if err := rdb.LPush(t.Context(), "asynq:{default}:paused", "x").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Paused(t.Context(), rdb); err == nil {
		t.Error("what cannot be read is no error")
	}
}
