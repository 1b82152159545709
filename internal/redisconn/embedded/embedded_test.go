package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redisconn/embedded"
)

func start(t *testing.T) redis.UniversalClient {
	t.Helper()
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client, err := redisconn.Open(redisconn.Options{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := redisconn.Ping(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestKeysEnd(t *testing.T) {
	t.Parallel()
	client, ctx := start(t), t.Context()
	if err := client.Set(ctx, "k", "v", 500*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	if ttl := client.PTTL(ctx, "k").Val(); ttl <= 0 || ttl > 500*time.Millisecond {
		t.Fatalf("TTL %v", ttl)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		err := client.Get(ctx, "k").Err()
		if errors.Is(err, redis.Nil) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// asynq's scripts and lists run on it, blocking reads end with the server.
func TestTask(t *testing.T) {
	t.Parallel()
	redisClient := start(t)
	client := asynq.NewClientFromRedisClient(redisClient)
	if _, err := client.Enqueue(asynq.NewTask("x", nil), asynq.TaskID("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Enqueue(asynq.NewTask("x", nil), asynq.TaskID("1")); !errors.Is(err, asynq.ErrTaskIDConflict) {
		t.Fatalf("%v, want a conflict", err)
	}
}

func TestNoWarningsWithoutConfig(t *testing.T) {
	t.Parallel()
	if got := redisconn.Warnings(t.Context(), start(t)); got != nil {
		t.Errorf("%q", got)
	}
}
