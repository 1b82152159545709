package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// Two workers have had the same task, since one was frozen. The other has put it off
// already: the earlier of their times counts, and a task that has ended stays ended.
func TestPutOffByTwo(t *testing.T) {
	t.Parallel()
	const own = time.Hour // of later
	for name, tt := range map[string]struct {
		other, want time.Duration // from now; 0: the task has ended
	}{
		"the other's is later":   {3 * time.Hour, own},
		"the other's is earlier": {time.Minute, time.Minute},
		"it has ended":           {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rdb := redistest.Start(t).Client(t)
			record(t, rdb, false, newJob("a", ""))
			retry, now := key("default", "retry"), time.Now()
			handled := make(chan struct{}, 1)
			server := asynq.NewServerFromRedisClient(queue.NewClient(rdb, 1), later(1))
			err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
				rdb.LRem(t.Context(), key("default", "active"), 0, "a")
				rdb.ZRem(t.Context(), key("default", "lease"), "a")
				if tt.other > 0 {
					rdb.ZAdd(t.Context(), retry, redis.Z{Score: float64(now.Add(tt.other).Unix()), Member: "a"})
				}
				handled <- struct{}{}
				return errors.New("later")
			}))
			if err != nil {
				t.Fatal(err)
			}
			await(t, "attempt", handled)
			server.Shutdown() // after the acknowledgement
			score, err := rdb.ZScore(t.Context(), retry, "a").Result()
			if tt.want == 0 {
				if !errors.Is(err, redis.Nil) {
					t.Errorf("it is back: %v, %v", score, err)
				}
				return
			}
			if got := time.Unix(int64(score), 0).Sub(now); err != nil || (got-tt.want).Abs() > 10*time.Second {
				t.Errorf("after %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}
