package attack

import (
	"net/http"
	"strings"
	"testing"
)

// TestX3Metrics: numbers are for operators, and for whoever has the token for them,
// also of a worker alone. Health stays open and tells nothing.
func TestX3Metrics(t *testing.T) {
	t.Parallel()
	s := newSite(t, "accounts: {store: redis}\n")
	s.users("olga")
	const token = "ROHRPOST_WEB_METRICS_TOKEN=a-token-for-prometheus"
	pages, worker := s.start("web", token), s.start("worker", token)
	for name, tt := range map[string]struct {
		addr   string
		header []string
		want   int
	}{
		"pages, nobody":             {pages.addr, nil, 401},
		"pages, forwarded":          {pages.addr, []string{"X-Forwarded-For", "127.0.0.1", "Host", "localhost"}, 401},
		"pages, operator":           {pages.addr, []string{"Authorization", basic("olga", goodPassword)}, 200},
		"pages, the token":          {pages.addr, []string{"Authorization", "Bearer a-token-for-prometheus"}, 200},
		"pages, another token":      {pages.addr, []string{"Authorization", "Bearer a-token-for-Prometheus"}, 401},
		"worker, nobody":            {worker.addr, nil, 401},
		"worker, the token":         {worker.addr, []string{"Authorization", "Bearer a-token-for-prometheus"}, 200},
		"worker, a part of the one": {worker.addr, []string{"Authorization", "Bearer a-token"}, 401},
	} {
		v := visitor{t, tt.addr}
		if got := v.ask(http.MethodGet, "/metrics", tt.header...); got.status != tt.want || (tt.want == 200) != strings.Contains(got.body, "rohrpost_") {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	for _, addr := range []string{pages.addr, worker.addr} {
		v := visitor{t, addr}
		if got := v.ask(http.MethodGet, "/healthz"); got.status != 200 || got.body != "ok\n" {
			t.Errorf("%d %s", got.status, got.body)
		}
		if got := v.ask(http.MethodGet, "/readyz"); got.status != 200 || got.body != "ready\n" {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
	if said := pages.said.String() + worker.said.String(); strings.Contains(said, "a-token") {
		t.Error("the token is in a log")
	}
}

// TestX3OpenWorker: a worker whose numbers everybody may read says so.
func TestX3OpenWorker(t *testing.T) {
	t.Parallel()
	s := newSite(t, "worker: {addr: \"0.0.0.0:9091\"}\naccounts: {store: redis}\n")
	if out := s.run("", "config", "check"); !strings.Contains(out, "warning: worker.addr 0.0.0.0:9091") {
		t.Error(out)
	}
}
