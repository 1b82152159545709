package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/web"
)

// canaryJob has "canary" in all that nobody may see.
func canaryJob(t *testing.T, id string) *asynq.Task {
	t.Helper()
	job := &payload.Job{
		Message: rohrpost.Message{
			ID: id, User: rohrpost.User{ID: "canary", Address: "canary@a.example"}, From: rohrpost.Address{Address: "canary@b.example"},
			To: []rohrpost.Address{{Name: "canary", Address: "canary@c.example"}}, Subject: "canary", Text: "canary", HTML: "<p>canary",
			Headers: []rohrpost.Header{{Name: "X-Canary", Value: "canary"}}, Metadata: map[string]string{"canary": "canary"},
		},
		Files:     []payload.File{{Name: "canary.pdf", Size: 1234, Digest: "canary"}},
		MessageID: "<canary@d.example>", EnqueuedAt: time.Now(),
	}
	content, err := payload.Encode(job)
	if err != nil {
		t.Fatal(err)
	}
	return queue.NewTask(job, content)
}

// fillStates puts a task into each of asynq's states.
func fillStates(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	tasks := asynq.NewClientFromRedisClient(client)
	enqueue := func(id string, opts ...asynq.Option) {
		if _, err := tasks.Enqueue(canaryJob(t, id), opts...); err != nil {
			t.Fatal(err)
		}
	}
	enqueue("active")
	enqueue("retry")
	enqueue("archived")
	enqueue("completed", asynq.Retention(time.Hour))
	done := make(chan string, 4)
	release := make(chan struct{})
	server := asynq.NewServerFromRedisClient(client, asynq.Config{
		Concurrency: 4, Queues: map[string]int{"default": 1}, LogLevel: asynq.FatalLevel, TaskCheckInterval: 10 * time.Millisecond,
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
	})
	err := server.Start(asynq.HandlerFunc(func(ctx context.Context, task *asynq.Task) error {
		id, _ := asynq.GetTaskID(ctx)
		defer func() { done <- id }()
		refused := errors.New("rcpt: 550 5.1.1 <canary@c.example>: no such user canary@c.example; canary@[192.0.2.1]")
		switch id {
		case "active":
			done <- id
			<-release
		case "retry":
			return refused
		case "archived":
			return fmt.Errorf("%w: %w", refused, asynq.SkipRetry)
		}
		_, err := task.ResultWriter().Write([]byte("canary"))
		return err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	t.Cleanup(func() { close(release) })
	for range 4 {
		<-done
	}
	enqueue("scheduled", asynq.ProcessIn(time.Hour))
	inspector := asynq.NewInspectorFromRedisClient(client)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for { // the acknowledgements
		info, err := inspector.GetQueueInfo("default")
		if err != nil {
			t.Fatal(err)
		}
		if info.Active == 1 && info.Retry == 1 && info.Archived == 1 && info.Completed == 1 && info.Scheduled == 1 {
			break
		}
		<-ticker.C
	}
	if err := inspector.PauseQueue("default"); err != nil {
		t.Fatal(err)
	}
	enqueue("pending")
}

func TestMailsAreRedacted(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	fillStates(t, s.redis.Client(t))
	states := []string{"active", "pending", "scheduled", "retry", "archived", "completed"}
	paths := []string{"/queues/api/queues", "/queues/api/queues/default", "/queues/api/servers", "/queues/api/queue_stats", "/queues/api/scheduler_entries"}
	for _, state := range states {
		list := "/queues/api/queues/default/" + state + "_tasks"
		one := "/queues/api/queues/default/tasks/" + state
		paths = append(paths, list, one)
		for _, path := range []string{list, one} {
			body := s.get(t, "olga", path).body
			if want := "v1 " + state + ": "; !strings.Contains(body, want) || !strings.Contains(body, "1 recipients, text 6 bytes, HTML 9 bytes, 1 attachments of 1234 bytes") {
				t.Errorf("%s: no summary in %s", path, body)
			}
		}
	}
	for _, path := range paths {
		got := s.get(t, "olga", path)
		if got.status != 200 || strings.Contains(strings.ToLower(got.body), "canary") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if body := s.get(t, "olga", "/queues/api/queues/default/archived_tasks").body; !strings.Contains(body, "rcpt: 550 5.1.1") || !strings.Contains(body, "***@***") {
		t.Errorf("the error should stay readable: %s", body)
	}
	if body := s.get(t, "olga", "/queues/api/queues/default/completed_tasks").body; !strings.Contains(body, "6 bytes") {
		t.Errorf("the result should have a size: %s", body)
	}
}

func TestQueuesPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{"/queues/", "/queues/servers", "/queues/queues/default/tasks/a.map", "/queues/none.png"} {
		got := s.get(t, "olga", path)
		if got.status != 200 || strings.Contains(got.body, "https://") || strings.Contains(got.body, "manifest") || !strings.Contains(got.body, `<div id="root">`) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if csp := got.header.Get("Content-Security-Policy"); strings.Count(csp, "'sha256-") != 2 || !strings.Contains(csp, "script-src 'self' 'sha256-") {
			t.Errorf("%s: %s", path, csp)
		}
	}
	for path, want := range map[string]struct {
		status int
		mime   string
		cache  string
	}{
		"/queues/static/js/main.5adda2da.chunk.js":     {200, "text/javascript; charset=utf-8", "private, max-age=31536000, immutable"},
		"/queues/static/js/main.5adda2da.chunk.js.map": {404, "text/plain; charset=utf-8", "no-store"},
		"/queues/static/media/logo-color.c2b0c1f3.svg": {200, "image/svg+xml", "private, max-age=31536000, immutable"},
		"/queues/favicon.ico":                          {200, "image/", "no-store"},
		"/queues/api/metrics":                          {404, "text/plain; charset=utf-8", "no-store"},
		"/queues/api/queues":                           {200, "application/json; charset=utf-8", "no-store"},
	} {
		got := s.get(t, "olga", path)
		if got.status != want.status || !strings.HasPrefix(got.header.Get("Content-Type"), want.mime) || got.header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
	if got := s.do(t, "olga", http.MethodPost, "/queues/", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("POST to the page: %d", got.status)
	}
}

func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tasks := asynq.NewClientFromRedisClient(s.redis.Client(t))
	for i := range 120 {
		if _, err := tasks.Enqueue(canaryJob(t, fmt.Sprintf("job-%d", i))); err != nil {
			t.Fatal(err)
		}
	}
	for query, want := range map[string]int{
		"": 20, "?size=7": 7, "?size=100000": 100, "?size=-5": 1, "?size=0": 1, "?size=x": 1, "?size=100&page=2": 20, "?size=100&page=-1": 100,
		"?page=99999999999999999999": 20,
	} {
		got := s.get(t, "olga", "/queues/api/queues/default/pending_tasks"+query)
		if n := strings.Count(got.body, `"max_retry":`); got.status != 200 || n != want {
			t.Errorf("%s: %d, %d tasks, want %d", query, got.status, n, want)
		}
	}
}

func TestRedisThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	calls := 0
	_, err := web.New(web.Options{Redis: s.redis.Client(t), ErrorLog: s.log, Problems: s.problems(t, s.redis.Client(t)), Mails: s.mails, OpenRedis: func() (redis.UniversalClient, error) {
		if calls++; calls == 2 {
			return nil, errors.New("no second one")
		}
		return s.redis.Client(t), nil
	}})
	if err == nil || !strings.Contains(err.Error(), "no second one") {
		t.Errorf("%v", err)
	}
}
