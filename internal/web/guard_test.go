package web_test

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{"/", "/errors", "/problems", "/t/acme/problems?view=log", "/t/acme/problems/export", "/nothing", "/healthz", "/readyz", "/metrics", "/queues/", "/queues/api/queues", "/queues/static/js/none.js", "/assets/style.css"} {
		for _, user := range []string{"", "olga"} {
			h := s.get(t, user, path).header
			for key, want := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			} {
				if got := h.Get(key); got != want {
					t.Errorf("%s %q: %s is %q", path, user, key, got)
				}
			}
			csp := h.Get("Content-Security-Policy")
			if !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src 'unsafe") {
				t.Errorf("%s %q: policy %q", path, user, csp)
			}
			if cache := h.Get("Cache-Control"); cache != "no-store" && path != "/assets/style.css" {
				t.Errorf("%s %q: Cache-Control %q", path, user, cache)
			}
		}
	}
}

func TestStylesheetHasItsType(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for path, want := range map[string]string{"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"} {
		if got := s.get(t, "", "/assets/"+path).header.Get("Content-Type"); got != want { // nosniff: nothing else is taken
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	got := s.get(t, "", "/t/acme/problems?view=log", "Accept-Language", "de")
	if want := `Basic realm="rohrpost", charset="UTF-8"`; got.header.Get("WWW-Authenticate") != want || !strings.Contains(got.body, "Bitte mit Name und Passwort") {
		t.Errorf("%v %s", got.header, got.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("olga", "wrong canary")
	if got := read(t, r); got.status != http.StatusUnauthorized || strings.Contains(got.body+s.lines.String(), "canary") {
		t.Errorf("%d: %s %s", got.status, got.body, s.lines.String())
	}
}

func TestAccessLogHasNoQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.get(t, "olga", "/problems?view=log&recipient=canary@example.org&job=canary")
	s.get(t, "olga", "/problems/export?recipient=canary@example.org")
	s.get(t, "olga", "/healthz")
	log := s.lines.String()
	if !strings.Contains(log, `"method":"GET","path":"/problems","status":200`) || !strings.Contains(log, `"path":"/problems/export","status":200`) {
		t.Errorf("no lines: %s", log)
	}
	if strings.Contains(log, "canary") {
		t.Errorf("a recipient: %s", log)
	}
}

// broken is an error log that panics.
type broken struct{ problempages.ErrorLog }

func (broken) Tenants(context.Context) ([]string, error) { panic("canary") }

func (broken) Query(context.Context, errorlog.Filter) iter.Seq2[errorlog.Entry, error] {
	panic("canary")
}

func TestPanic(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) { o.ErrorLog = broken{} })
	got := s.get(t, "olga", "/problems?view=log")
	if got.status != http.StatusInternalServerError || got.body != "Internal Server Error\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if log := s.lines.String(); !strings.Contains(log, `"panic":"canary"`) || !strings.Contains(log, "guard_test.go") || !strings.Contains(log, `"status":500`) {
		t.Errorf("log: %s", log)
	}
	if got := s.get(t, "olga", "/healthz"); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if got := s.get(t, "", "/readyz"); got.status != 200 || got.body != "ready\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.redis.Pause()
	if got := s.get(t, "", "/readyz"); got.status != http.StatusServiceUnavailable || got.body != "not ready\n" {
		t.Errorf("a black hole: %d %s", got.status, got.body)
	}
	if got := s.get(t, "", "/healthz"); got.status != 200 {
		t.Errorf("alive: %d", got.status)
	}
	s.redis.Resume()
	s.redis.Kill()
	if got := s.get(t, "", "/readyz"); got.status != http.StatusServiceUnavailable || got.body != "not ready\n" {
		t.Errorf("gone: %d %s", got.status, got.body)
	}
	for _, path := range []string{"/t/acme/problems?view=log", "/t/acme/problems", "/t/acme/problems/export"} {
		got := s.get(t, "adam", path)
		if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "cannot be read at the moment") || got.header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
	}
	s.redis.Start()
	if got := s.get(t, "", "/readyz"); got.status != 200 {
		t.Errorf("back: %d %s", got.status, got.body)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := web.New(web.Options{Language: "fr", Users: users(t)[:1]})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"no Redis", "no error log", `language "fr"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	bad := users(t)
	for name, change := range map[string]func(){
		"no tenant": func() { bad[1].Tenant = "" }, "no known role": func() { bad[0].Role = "root" },
	} {
		change()
		if _, err := web.New(web.Options{Users: bad}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
		bad = users(t)
	}
}
