package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost/internal/web"
)

func TestWhoMaySeeWhat(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.append(t, entry("acme", "a-1"), entry("beta", "b-1"), entry("", "p-1"))
	const anybody = "" // no login
	tests := []struct {
		path string
		want map[string]int
	}{
		{"/healthz", map[string]int{anybody: 200, "olga": 200, "adam": 200, "rita": 200}},
		{"/readyz", map[string]int{anybody: 200, "olga": 200}},
		{"/assets/style.css", map[string]int{anybody: 200}},
		{"/assets/icon.svg", map[string]int{anybody: 200}},
		{"/assets/errors.html", map[string]int{anybody: 401, "olga": 404}},
		{"/", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200, "nobody": 401}},
		{"/errors", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200, "nobody": 401}},
		{"/errors?tenant=acme", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200}},
		{"/errors?tenant=beta", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/errors?tenant=@platform", map[string]int{"olga": 200, "adam": 403, "rita": 403}},
		{"/errors?tenant=@@platform", map[string]int{"olga": 200, "adam": 403}},
		{"/errors/export", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200}},
		{"/errors/export?tenant=acme&format=csv", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200}},
		{"/errors/export?tenant=beta", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/errors/export?format=xlsx", map[string]int{"olga": 400, "adam": 400}},
		{"/errors/export?order=random", map[string]int{"olga": 400}},
		{"/queues", map[string]int{"olga": 301}},
		{"/queues/", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/queues/api/queues", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/queues/api/redis_info", map[string]int{anybody: 401, "olga": 200, "adam": 403}},
		{"/metrics", map[string]int{anybody: 200, "olga": 200, "adam": 200}}, // from this machine
		{"/nothing", map[string]int{anybody: 401, "olga": 404, "adam": 404}},
	}
	for _, tt := range tests {
		for user, want := range tt.want {
			t.Run(tt.path+" "+user, func(t *testing.T) {
				t.Parallel()
				if got := s.get(t, user, tt.path); got.status != want {
					t.Errorf("%d, want %d", got.status, want)
				}
			})
		}
	}
}

func TestMetricsFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for user, want := range map[string]int{"": 401, "olga": 200, "adam": 403} {
		if got := s.get(t, user, "/metrics", "X-Forwarded-For", "192.0.2.1"); got.status != want {
			t.Errorf("%s: %d, want %d", user, got.status, want)
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.append(t, entry("acme", "own-1"), entry("beta", "foreign-1"), entry("", "platform-1"))
	for _, user := range []string{"adam", "rita"} {
		for _, path := range []string{
			"/errors", "/errors?job=foreign-1", "/errors?recipient=kunde@example.org",
			"/errors/export", "/errors/export?format=csv", "/errors/export?format=text&recipient=kunde@example.org",
		} {
			got := s.get(t, user, path)
			if got.status != 200 || strings.Contains(got.body, "foreign-1@") || strings.Contains(got.body, "platform-1") {
				t.Errorf("%s %s: %d, another tenant's entry", user, path, got.status)
			}
			if strings.Contains(got.body, "own-1@") == strings.Contains(path, "foreign") { // in the Message-ID
				t.Errorf("%s %s: own entry", user, path)
			}
			if strings.Contains(got.body, "beta") {
				t.Errorf("%s %s: names another tenant", user, path)
			}
		}
	}
	all := s.get(t, "olga", "/errors")
	for _, want := range []string{"own-1@", "foreign-1@", "platform-1@", `<option value="beta">beta</option>`, `<option value="@platform">Platform</option>`} {
		if !strings.Contains(all.body, want) {
			t.Errorf("operator: %s is missing", want)
		}
	}
	platform := s.get(t, "olga", "/errors?tenant=@platform")
	if !strings.Contains(platform.body, "platform-1") || strings.Contains(platform.body, "own-1") {
		t.Error("operator: not the platform's own")
	}
}

func TestWithoutUsersOnlyThisMachine(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	s := newSite(t, func(o *web.Options) {
		o.Users = nil
		server, err := web.New(*o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		handler = server.Handler()
	})
	tests := map[string]struct {
		remote, host string
		header       [2]string
		want         int
	}{
		"this machine":         {remote: "127.0.0.1:999", host: "127.0.0.1:8080", want: 200},
		"by name":              {remote: "127.0.0.1:999", host: "localhost", want: 200},
		"IPv6":                 {remote: "[::1]:999", host: "[::1]:8080", want: 200},
		"IPv6 without port":    {remote: "[::1]:999", host: "[::1]", want: 200},
		"another machine":      {remote: "192.0.2.1:999", host: "127.0.0.1:8080", want: 403},
		"rebound name":         {remote: "127.0.0.1:999", host: "evil.example:8080", want: 403},
		"rebound, looks local": {remote: "127.0.0.1:999", host: "127.0.0.1.evil.example", want: 403},
		"no host":              {remote: "127.0.0.1:999", host: "", want: 403},
		"no address":           {remote: "@", host: "localhost", want: 403},
		"behind a proxy":       {remote: "127.0.0.1:999", host: "127.0.0.1", header: [2]string{"X-Forwarded-For", "192.0.2.1"}, want: 403},
		"behind RFC 7239":      {remote: "127.0.0.1:999", host: "127.0.0.1", header: [2]string{"Forwarded", "for=192.0.2.1"}, want: 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/errors", "/errors/export", "/queues/", "/queues/api/queues"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.RemoteAddr, r.Host = tt.remote, tt.host
				if tt.header[0] != "" {
					r.Header.Set(tt.header[0], tt.header[1])
				}
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				if w.Code != tt.want {
					t.Errorf("%s: %d, want %d", path, w.Code, tt.want)
				}
			}
		})
	}
	if got := s.get(t, "", "/errors"); got.status != 200 || !strings.Contains(got.body, "this machine · operator") {
		t.Errorf("over TCP: %d", got.status)
	}
}

// A page elsewhere makes the operator's browser, which adds the login, pause a queue.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	client := s.redis.Client(t)
	if _, err := asynq.NewClientFromRedisClient(client).Enqueue(asynq.NewTask("mail", nil)); err != nil {
		t.Fatal(err)
	}
	paused := func() bool {
		info, err := asynq.NewInspectorFromRedisClient(client).GetQueueInfo("default")
		if err != nil {
			t.Fatal(err)
		}
		return info.Paused
	}
	const pause = "/queues/api/queues/default:pause"
	for name, header := range map[string][]string{
		"another site":     {"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
		"another origin":   {"Origin", "https://evil.example", "Content-Type", "text/plain"},
		"no origin at all": {"Origin", "null"},
		"sister site":      {"Sec-Fetch-Site", "same-site"},
	} {
		if got := s.do(t, "olga", http.MethodPost, pause, "", header...); got.status != http.StatusForbidden || paused() {
			t.Errorf("%s: %d, paused %v", name, got.status, paused())
		}
	}
	if got := s.do(t, "adam", http.MethodPost, pause, "", "Sec-Fetch-Site", "same-origin"); got.status != http.StatusForbidden || paused() {
		t.Errorf("admin: %d", got.status)
	}
	if got := s.do(t, "olga", http.MethodPost, pause, "", "Sec-Fetch-Site", "same-origin"); got.status >= 300 || !paused() {
		t.Errorf("operator: %d, paused %v", got.status, paused())
	}
	line := regexp.MustCompile(`"method":"POST","path":"/queues/api/queues/default:pause","status":20\d,[^}]*"user":"olga"`)
	if log := s.lines.String(); !line.MatchString(log) {
		t.Errorf("not in the access log: %s", log)
	}
}
