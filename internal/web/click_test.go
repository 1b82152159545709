package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// clicking is the site as olga sees it who is signed in, with a script in its pages
// that presses buttons: what each of its steps finds is clicked, in their order.
func clicking(t *testing.T, s *site, steps ...string) *httptest.Server {
	t.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.SetBasicAuth("olga", "pw")
		},
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
				return nil
			}
			page, err := io.ReadAll(r.Body)
			if err != nil {
				return err
			}
			page = []byte(strings.Replace(string(page), "</body>", `<script src="/click.js"></script></body>`, 1))
			r.Body = io.NopCloser(strings.NewReader(string(page)))
			r.ContentLength = int64(len(page))
			r.Header.Del("Content-Length")
			return nil
		},
	}
	script := `const steps = [` + strings.Join(steps, ",") + `];
setInterval(() => {
  const found = steps.length && steps[0]();
  if (found) { steps.shift(); found.click(); }
}, 50);`
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc("/click.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, script)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// shown is a page without what stands in its head.
func shown(dom string) string {
	_, body, _ := strings.Cut(dom, "<body>")
	return body
}

// What a person does and sees on asynqmon's page.
func TestClicks(t *testing.T) {
	t.Parallel()
	const (
		tab  = "/queues/queues/default?status=retry"
		id   = "invoice-2026-11-30-0001"
		row  = `() => document.querySelector("tbody tr td:last-child button")` // shows the row's buttons
		menu = `() => document.querySelector("tbody tr") && document.querySelector("button[aria-label=actions]")`
	)
	button := func(title string) string {
		return `() => [...document.querySelectorAll("button")].find(b => (b.title || b.getAttribute("aria-label")) === "` + title + `")`
	}
	item := func(label string) string {
		return `() => [...document.querySelectorAll("[role=menuitem]")].find(i => i.textContent === "` + label + `")`
	}
	for name, tt := range map[string]struct {
		steps []string
		state string
		said  string
	}{
		"delete":     {[]string{row, button("Delete")}, "canceled, no task", "1 of 1 mails canceled."},
		"archive":    {[]string{row, button("Archive")}, "deferred, retry", "Nothing was archived: nobody would send"},
		"delete all": {[]string{menu, item("Delete All")}, "deferred, retry", "Nothing was deleted: no click throws away"},
		"run":        {[]string{row, button("Run")}, "scheduled, scheduled", "1 of 1 mails are tried now."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.mail(t, id, "retry")
			got := browse(t, clicking(t, s, tt.steps...).URL+tab)
			if state := s.state(t, id); state != tt.state {
				t.Errorf("mail is %q, want %q", state, tt.state)
			}
			if !strings.Contains(got.dom, tt.said) {
				t.Errorf("%q is not said: %s", tt.said, shown(got.dom))
			}
			if tt.state == "deferred, retry" && !strings.Contains(got.dom, ">"+id+",acme<") {
				t.Errorf("the id is not shown whole: %s", shown(got.dom))
			}
		})
	}
}
