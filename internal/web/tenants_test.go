package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// Whatever a tenant is called, the dashboard finds its task by the path that asynqmon's
// page asks for, which has the key as it is.
func TestTasksOfAnyTenant(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tasks := asynq.NewClientFromRedisClient(s.redis.Client(t))
	for _, tenant := range []string{"acme", "Müller & Söhne", "a/b", "100%25", "a?b#c", "..", "it@acme.example", "{a}", `"<b>"`} {
		job := &payload.Job{Message: rohrpost.Message{ID: "invoice-4711", Tenant: tenant, Text: "x"}, EnqueuedAt: time.Now()}
		content, err := payload.Encode(job)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tasks.Enqueue(queue.NewTask(job, content)); err != nil {
			t.Fatal(err)
		}
		got := s.get(t, "olga", "/queues/api/queues/default/tasks/"+string(job.Key()))
		if got.status != 200 || !strings.Contains(got.body, `"id":"`+string(job.Key())+`"`) || !strings.Contains(got.body, "v2 invoice-4711: ") {
			t.Errorf("%q: %d %s", tenant, got.status, got.body)
		}
	}
}
