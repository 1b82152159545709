package metrics_test

import (
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost/internal/metrics"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// scrape is what Prometheus would read, rohrpost's own lines only.
func scrape(t *testing.T, m *metrics.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	var out []string
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "rohrpost_") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func has(t *testing.T, lines []string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(lines, w) {
			t.Errorf("%s is missing in\n%s", w, strings.Join(lines, "\n"))
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Options{Version: "v1.2.3"})
	m.Attempt("tenant")
	m.Attempt("")
	m.Accepted("tenant", 30*time.Millisecond)
	m.Accepted("tenant", 2*time.Hour)
	m.Deferred("greylisted", "platform")
	m.Failed("mailbox_full", "user")
	m.Failed("mailbox_full", "user")
	m.Uncertain("user")
	m.Worker(50, func() int { return 3 })
	m.Connections(func() int { return 4 }, func() int { return 5 })
	lines := scrape(t, m)
	has(t, lines,
		`rohrpost_attempts_total{level="tenant"} 1`,
		`rohrpost_attempts_total{level="none"} 1`,
		`rohrpost_mails_accepted_total{level="tenant"} 2`,
		`rohrpost_accept_latency_seconds_bucket{level="tenant",le="0.025"} 0`,
		`rohrpost_accept_latency_seconds_bucket{level="tenant",le="0.05"} 1`,
		`rohrpost_accept_latency_seconds_bucket{level="tenant",le="7200"} 2`,
		`rohrpost_mails_deferred_total{category="greylisted",level="platform"} 1`,
		`rohrpost_mails_failed_total{category="mailbox_full",level="user"} 2`,
		`rohrpost_mails_uncertain_total{level="user"} 1`,
		`rohrpost_worker_slots 50`,
		`rohrpost_worker_in_flight 3`,
		`rohrpost_connections{state="busy"} 4`,
		`rohrpost_connections{state="idle"} 5`,
	)
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, `rohrpost_build_info{go="go1`) }) {
		t.Error("no build info")
	}
}

func TestLabelsAreClosed(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Options{})
	m.Failed("max@acme.example", "acme")
	m.Deferred("550 5.1.1 <max@acme.example>", "tenant:acme")
	m.Failed(strings.Repeat("a", 41), "")
	text := strings.Join(scrape(t, m), "\n")
	if strings.Contains(text, "acme") || strings.Contains(text, "aaaa") {
		t.Error(text)
	}
	has(t, scrape(t, m), `rohrpost_mails_failed_total{category="other",level="other"} 1`)
}

// queues counts how often it is asked.
type queues struct {
	mu    sync.Mutex
	asked int
	err   error
}

func (q *queues) Queues(context.Context) ([]queue.Info, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked++
	return []queue.Info{{Queue: "critical", Tasks: map[queue.State]int{queue.Pending: q.asked}}}, q.err
}

// entries is an error log of two tenants, or its error.
type entries struct{ err error }

func (e entries) Size(context.Context) (map[string]int64, error) {
	return map[string]int64{"acme": 3, "": 4}, e.err
}

func TestRedisIsAskedOnceASecond(t *testing.T) {
	t.Parallel()
	q, now := &queues{}, time.Unix(0, 0)
	m := metrics.New(metrics.Options{Queues: q, Now: func() time.Time { return now }})
	first := scrape(t, m)
	now = now.Add(time.Second - 1)
	if diff := cmp.Diff(first, scrape(t, m)); diff != "" || q.asked != 1 {
		t.Errorf("asked %d times: %s", q.asked, diff)
	}
	now = now.Add(1)
	has(t, scrape(t, m), `rohrpost_queue_tasks{queue="critical",state="pending"} 2`, "rohrpost_redis_up 1")
}

func TestRedisIsAway(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	tests := map[string]metrics.Options{
		"queues":    {Queues: &queues{err: away}, ErrorLog: entries{}},
		"error log": {Queues: &queues{}, ErrorLog: entries{away}},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := scrape(t, metrics.New(o))
			has(t, lines, "rohrpost_redis_up 0")
			shown := strings.Contains(strings.Join(lines, "\n"), "rohrpost_queue_tasks")
			if shown != (name == "error log") {
				t.Errorf("queue sizes shown: %v", shown)
			}
			if slices.Contains(lines, "rohrpost_errorlog_entries 7") != (name == "queues") {
				t.Error("size of the error log is wrong")
			}
		})
	}
}

func TestRealQueue(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	tasks := asynq.NewClientFromRedisClient(client)
	for range 2 {
		if _, err := tasks.Enqueue(asynq.NewTask("mail", nil), asynq.Queue("bulk")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tasks.Enqueue(asynq.NewTask("mail", nil), asynq.Queue("default"), asynq.ProcessIn(time.Hour)); err != nil {
		t.Fatal(err)
	}
	inspector := queue.NewInspector(client)
	if err := inspector.Pause("bulk"); err != nil {
		t.Fatal(err)
	}
	m := metrics.New(metrics.Options{Queues: inspector, ErrorLog: entries{}})
	has(t, scrape(t, m),
		`rohrpost_queue_tasks{queue="bulk",state="pending"} 2`,
		`rohrpost_queue_tasks{queue="default",state="scheduled"} 1`,
		`rohrpost_queue_tasks{queue="critical",state="pending"} 0`,
		`rohrpost_queue_paused{queue="bulk"} 1`,
		`rohrpost_queue_paused{queue="critical"} 0`,
		"rohrpost_errorlog_entries 7", "rohrpost_redis_up 1")
}
