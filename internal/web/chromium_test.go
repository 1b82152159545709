package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/chromiumtest"
)

// A visit with a real browser: what the page became, what its console said, and
// which hosts it asked for other than this machine.
type browsed struct {
	dom     string
	console []string
	outside []string
}

func browse(t *testing.T, page string) browsed {
	t.Helper()
	// The browser's own errands end here: nothing leaves this machine.
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer proxy.Close()
	netLog := filepath.Join(t.TempDir(), "net.json")
	ran := chromiumtest.Do(t, "--proxy-server="+proxy.URL, "--enable-logging=stderr", "--log-net-log="+netLog, "--virtual-time-budget=8000", "--dump-dom", page)
	out := browsed{dom: ran.Stdout, outside: outside(t, netLog)}
	for line := range strings.Lines(ran.Stderr) {
		if strings.Contains(line, "CONSOLE") {
			out.console = append(out.console, line)
		}
	}
	return out
}

// outside reads from Chromium's network log which other hosts a page asked for.
// What the browser does by itself has no page as its initiator.
func outside(t *testing.T, netLog string) []string {
	t.Helper()
	text, err := os.ReadFile(netLog)
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Events []struct {
			Params struct{ URL, Initiator string }
		}
	}
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	var out []string
	seen := false
	for _, e := range log.Events {
		u, err := url.Parse(e.Params.URL)
		if err != nil || !strings.HasPrefix(e.Params.Initiator, "http://127.0.0.1:") {
			continue
		}
		if seen = true; u.Scheme != "data" && u.Hostname() != "127.0.0.1" {
			out = append(out, u.Hostname())
		}
	}
	if !seen {
		t.Fatal("the network log of this Chromium cannot be read")
	}
	return out
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t, noUsers)
	fillStates(t, s.redis.Client(t))
	s.append(t, entry("acme", "job-1"))
	for path, want := range map[string][]string{
		"/queues/":                               {"Tasks Processed", ">default</a>", "paused"},
		"/queues/queues/default?status=archived": {"v1 archived: ", "rcpt: 550 5.1.1", "***@***"},
		"/queues/redis":                          {"Redis Info"},
		"/problems?view=log&lang=de":             {"Fehler der letzten 24 Stunden", "Den Empfänger gibt es", "job-1"},
	} {
		t.Run(path, func(t *testing.T) {
			got := browse(t, s.pages.Link(s.URL+path))
			for _, w := range want {
				if !strings.Contains(got.dom, w) {
					t.Errorf("%s is missing in %s", w, got.dom)
				}
			}
			if strings.Contains(got.dom, "canary") {
				t.Error("a mail is shown")
			}
			if len(got.console) > 0 || len(got.outside) > 0 {
				t.Errorf("console %q, requests to %q", got.console, got.outside)
			}
		})
	}
}

// browse sees what it should see.
func TestBrowserNotices(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
		_, _ = io.WriteString(w, `<script>document.title = "ran"</script><img src="http://fonts.outside.example/x.png">`)
	}))
	t.Cleanup(bad.Close)
	got := browse(t, bad.URL)
	if len(got.outside) == 0 || got.outside[0] != "fonts.outside.example" {
		t.Errorf("requests to %q", got.outside)
	}
	if len(got.console) == 0 || !strings.Contains(got.console[0], "Content Security Policy") {
		t.Errorf("console %q", got.console)
	}
}
