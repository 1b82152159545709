package metrics_test

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/metrics"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// waiting are metrics of mails that wait: two for a connection since a minute, one each
// for a parked account, for a server that is down, and for one that is slow no more.
func waiting(t *testing.T) *metrics.Metrics {
	t.Helper()
	rdb := redistest.Start(t).Client(t)
	now := time.Now().Add(-time.Minute)
	mails := backlog.New(rdb, func() time.Time { return now })
	states, err := breaker.New(breaker.Options{Redis: rdb, Backlog: mails})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range [][3]string{{"tenant/a", "1", "busy"}, {"tenant/a", "2", "busy"}, {"tenant/b", "3", "busy"}, {"tenant/c", "4", "down"}, {"tenant/d", "5", "slow"}} {
		if err := mails.Enqueue(t.Context(), m[0], queue.Ref{Queue: "bulk", ID: m[1]}, now, m[2]); err != nil {
			t.Fatal(err)
		}
	}
	refused := failure.Classify(failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535}})
	if err := states.Park(t.Context(), "tenant/b", "1", refused); err != nil {
		t.Fatal(err)
	}
	m := metrics.New(metrics.Options{Version: "v1", Queues: &queues{}, ErrorLog: entries{}})
	m.Waiting(mails, states.States)
	return m
}

// TestWaiting: what waits shows with its reason, and nothing that a tenant chooses.
func TestWaiting(t *testing.T) {
	t.Parallel()
	lines := scrape(t, waiting(t))
	has(t, lines,
		`rohrpost_backlog_mails{reason="busy"} 3`, `rohrpost_backlog_mails{reason="rate"} 0`, `rohrpost_backlog_mails{reason="parked"} 1`,
		`rohrpost_backlog_mails{reason="slow"} 0`, `rohrpost_backlog_mails{reason="down"} 1`, `rohrpost_backlog_oldest_seconds{reason="rate"} 0`,
		`rohrpost_accounts{state="parked"} 1`, `rohrpost_accounts{state="slow"} 0`, `rohrpost_accounts{state="settings"} 0`, `rohrpost_servers{state="down"} 0`,
	)
	text := strings.Join(lines, "\n")
	if strings.Contains(text, "tenant/") || !strings.Contains(text, `rohrpost_backlog_oldest_seconds{reason="busy"} 6`) {
		t.Error(text)
	}
}

// TestPromtool: Prometheus's own check has nothing to say.
func TestPromtool(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (Debian: prometheus)")
	}
	m := waiting(t)
	m.Attempt("tenant")
	m.Accepted("tenant", time.Second)
	m.Deferred("greylisted", "tenant")
	m.Failed("mailbox_full", "user")
	m.Uncertain("user")
	m.Waits("busy", "user")
	m.Worker(1, func() int { return 1 })
	m.Connections(func() int { return 1 }, func() int { return 1 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	check := exec.CommandContext(t.Context(), tool, "check", "metrics")
	check.Stdin = bytes.NewReader(w.Body.Bytes())
	if out, err := check.CombinedOutput(); err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
