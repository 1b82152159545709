package web_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/hibiken/asynq"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/secret"
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
		{"/", map[string]int{anybody: 401, "olga": 200, "adam": 303, "rita": 303, "nobody": 401}},
		{"/problems", map[string]int{anybody: 401, "olga": 200, "adam": 303, "rita": 303, "nobody": 401}},
		{"/problems?tenant=acme", map[string]int{anybody: 401, "olga": 303, "adam": 303}},
		{"/problems?view=log", map[string]int{anybody: 401, "olga": 200, "adam": 303, "rita": 303}},
		{"/t/acme/", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200, "nobody": 401}},
		{"/t/beta/", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/t/acme/problems", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200}},
		{"/t/acme/problems?view=log&tenant=beta", map[string]int{"olga": 200, "adam": 200, "rita": 200}},
		{"/t/beta/problems", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/t/beta/problems?view=log", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/t/@platform/problems", map[string]int{"olga": 200, "adam": 403, "rita": 403}},
		{"/t/@@platform/problems", map[string]int{"olga": 200, "adam": 403}},
		{"/problems/export", map[string]int{anybody: 401, "olga": 200, "adam": 303, "rita": 303}},
		{"/t/acme/problems/export?format=csv", map[string]int{anybody: 401, "olga": 200, "adam": 200, "rita": 200}},
		{"/t/beta/problems/export", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/problems/export?format=xlsx", map[string]int{"olga": 400}},
		{"/t/acme/problems/export?order=random", map[string]int{"olga": 400, "adam": 400}},
		{"/errors", map[string]int{anybody: 401, "olga": 301, "adam": 301, "nobody": 401}},
		{"/errors/export?tenant=acme", map[string]int{anybody: 401, "olga": 301, "adam": 301}},
		{"/queues", map[string]int{"olga": 301}},
		{"/queues/", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/queues/api/queues", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
		{"/queues/api/redis_info", map[string]int{anybody: 401, "olga": 200, "adam": 403}},
		{"/metrics", map[string]int{anybody: 401, "olga": 200, "adam": 403, "rita": 403}},
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

func TestMetricsToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { o.MetricsToken = secret.New("measure") })
	for name, tt := range map[string]struct {
		user, path string
		token      string
		want       int
	}{
		"nobody":             {"", "/metrics", "", 401},
		"the token":          {"", "/metrics", "measure", 200},
		"another":            {"", "/metrics", "Measure", 401},
		"opens nothing else": {"", "/problems", "measure", 401},
		"operator":           {"olga", "/metrics", "", 200},
		"admin":              {"adam", "/metrics", "", 403},
	} {
		var header []string
		if tt.token != "" {
			header = []string{"Authorization", "Bearer " + tt.token}
		}
		if got := s.get(t, tt.user, tt.path, header...); got.status != tt.want {
			t.Errorf("%s: %d, want %d", name, got.status, tt.want)
		}
	}
}

// What a worker alone offers.
func TestProbes(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x 1\n")) })
	for name, tt := range map[string]struct {
		token, given string
		want         []int // of each try in a row
	}{
		"no token":      {"", "", []int{200}},
		"without it":    {"measure", "", []int{401, 401, 401, 401, 401, 401, 401}},
		"with it":       {"measure", "measure", []int{200, 200, 200, 200, 200, 200}},
		"with another":  {"measure", "other", []int{401, 401, 401, 401, 401, 429}},
		"with too much": {"", "other", []int{200}},
	} {
		h, err := web.Probes(client, metrics, secret.New(tt.token), zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		for n, want := range tt.want {
			r, w := httptest.NewRequest(http.MethodGet, "/metrics", nil), httptest.NewRecorder()
			if tt.given != "" {
				r.Header.Set("Authorization", "Bearer "+tt.given)
			}
			h.ServeHTTP(w, r)
			if w.Code != want || w.Code == 429 && w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s, try %d: %d %v", name, n, w.Code, w.Header())
			}
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != 200 {
				t.Errorf("%s: %s: %d", name, path, w.Code)
			}
		}
	}
}

func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.append(t, entry("acme", "own-1"), entry("beta", "foreign-1"), entry("", "platform-1"))
	for _, user := range []string{"adam", "rita"} {
		for _, path := range []string{
			"/t/acme/problems?view=log", "/t/acme/problems?view=log&job=foreign-1", "/t/acme/problems?view=log&recipient=kunde@example.org",
			"/t/acme/problems/export", "/t/acme/problems/export?format=csv", "/t/acme/problems/export?format=text&recipient=kunde@example.org",
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
	all := s.get(t, "olga", "/problems?view=log")
	for _, want := range []string{"own-1@", "foreign-1@", "platform-1@", `<option value="beta">beta</option>`, `<option value="@platform">Platform</option>`} {
		if !strings.Contains(all.body, want) {
			t.Errorf("operator: %s is missing", want)
		}
	}
	platform := s.get(t, "olga", "/t/@platform/problems?view=log")
	if !strings.Contains(platform.body, "platform-1") || strings.Contains(platform.body, "own-1") {
		t.Error("operator: not the platform's own")
	}
}

// Without users no address and no header lets anybody in, but the link does.
func TestWithoutUsersByLinkAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, noUsers)
	paths := []string{"/", "/problems", "/problems/export", "/queues/", "/queues/api/queues", "/metrics", "/nothing"}
	for name, header := range map[string][]string{
		"this machine": nil,
		"by name":      {"Host", "localhost"},
		"a proxy":      {"X-Forwarded-For", "127.0.0.1"},
		"RFC 7239":     {"Forwarded", "for=127.0.0.1"},
		"a password":   {"Authorization", "Basic b2xnYTpwdw=="},
	} {
		for _, path := range paths {
			got := s.get(t, "", path, header...)
			if got.status != 401 || got.header.Get("WWW-Authenticate") != `Bearer realm="rohrpost"` || len(got.header.Values("Set-Cookie")) > 0 {
				t.Errorf("%s %s: %d %v", name, path, got.status, got.header)
			}
		}
	}
	opened := read(t, s.request(t, s.pages.Link("/problems")))
	cookie, _, _ := strings.Cut(opened.header.Get("Set-Cookie"), ";")
	if opened.status != http.StatusSeeOther || opened.header.Get("Location") != "/problems" || cookie == "" {
		t.Fatalf("%d %v", opened.status, opened.header)
	}
	_, token, _ := strings.Cut(s.pages.Link("/"), "token=")
	for _, path := range paths {
		want := map[string]int{"/nothing": 404}[path]
		for _, header := range [][]string{{"Cookie", cookie}, {"Authorization", "Bearer " + token}} {
			if got := s.get(t, "", path, header...); got.status != max(want, 200) {
				t.Errorf("%s %v: %d", path, header, got.status)
			}
		}
	}
	if got := s.get(t, "", "/problems", "Cookie", cookie); !strings.Contains(got.body, "link</a> · operator") {
		t.Error("it does not say how one came in")
	}
	if log := s.lines.String(); strings.Contains(log, token) || strings.Contains(log, strings.TrimPrefix(cookie, "rohrpost")) || !strings.Contains(log, `"user":"link"`) {
		t.Errorf("log: %s", log)
	}
	// Another site's form, which SameSite keeps the cookie from, were there no protection at all.
	got := s.do(t, "", http.MethodPost, "/queues/api/queues/default:pause", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site")
	if got.status != http.StatusForbidden {
		t.Errorf("another site: %d", got.status)
	}
}

// Whoever guesses is told when to come again.
func TestGuesserIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var got answered
	for range 6 {
		r := s.request(t, "/problems")
		r.SetBasicAuth("olga", "wrong")
		got = read(t, r)
	}
	if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "1" || !strings.Contains(got.body, "too many wrong passwords") {
		t.Errorf("%d %v", got.status, got.header)
	}
	r := s.request(t, "/problems")
	r.SetBasicAuth("olga", strings.Repeat("x", 73))
	if got := read(t, r); got.status != 401 || !strings.Contains(got.body, "72 octets") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestTLSInFront(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for proto, want := range map[string]string{"https": "max-age=2592000", "http": "", "": ""} {
		if got := s.get(t, "olga", "/", "X-Forwarded-Proto", proto).header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%q: %q", proto, got)
		}
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
