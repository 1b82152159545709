package browser

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// scripted are addresses to which scripts of the pages send by POST.
func scripted() []form {
	return []form{
		{"/api/accounts/test", `{"tenant": "acme"}`},
		{"/api/accounts/doctor", `{"tenant": "acme"}`},
		{"/queues/api/queues/default:pause", ""},
		{"/queues/api/queues/default/retry_tasks:delete_all", ""},
	}
}

// crossOrigin sends each form of each page from another site, with everything that a
// browser sends along: none is taken. The forms are found on the pages, so that a new
// one is tried, too.
func crossOrigin(t *testing.T, s *site) {
	tried, robots := map[string]bool{}, map[person]*robot{}
	for _, v := range views() {
		if v.status != 0 || v.foreign || v.who == nobody {
			continue
		}
		if robots[v.who] == nil {
			robots[v.who] = s.robot(t, v.who)
		}
		_, forms := robots[v.who].forms(s.pathOf(v))
		for _, f := range append(forms, scripted()...) {
			key := v.who.name + " " + f.Action + " " + f.Body
			if tried[key] {
				continue
			}
			tried[key] = true
			for from, header := range map[string][]string{
				"another site":   {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
				"an old browser": {"Origin", "https://evil.example"},
				"a subdomain":    {"Origin", "https://evil.127.0.0.1", "Sec-Fetch-Site", "same-site"},
				"a file":         {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
			} {
				if status := robots[v.who].post(f, header...); status != http.StatusForbidden {
					t.Errorf("%s as %s from %s: status %d", f.Action, v.who.name, from, status)
				}
			}
		}
	}
	const least = 40 // of all forms and buttons, for each person
	if len(tried) < least {
		t.Errorf("only %d forms were found", len(tried))
	}
}

// TestForgedForm: a page of another site that sends a form by itself does nothing here,
// in a browser whose person is signed in.
func TestForgedForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteOptions{})
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<form method="post" action="http://`+s.addr+`/queues/api/queues/default:pause"></form><script>document.forms[0].submit()</script>`)
	}))
	t.Cleanup(evil.Close)
	u, err := url.Parse(evil.URL)
	if err != nil {
		t.Fatal(err)
	}
	b := s.open(t, olga)
	b.base = "http://evil.localhost:" + u.Port()
	b.visit("/")
	b.wait("the form is refused", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.refused
	})
	b.base = "http://" + s.addr
	b.visit("/")
	b.misses("angehalten")
	// The same from a page of here is taken.
	s.robot(t, olga).post(form{Action: "/queues/api/queues/default:pause"}, "Origin", b.base, "Sec-Fetch-Site", "same-origin")
	b.visit("/")
	b.sees("angehalten")
}
