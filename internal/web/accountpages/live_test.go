package accountpages_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

// A line is one of a live response.
type line struct {
	Title, Verdict, Text, Page string
	Status                     int
}

// A listener reads a live response line by line.
type listener struct {
	*testing.T
	body *bufio.Scanner
}

// listen sends a form as a script does.
func (s *site) listen(who, path, form string) *listener {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.URL+path, strings.NewReader(form))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set(person, who)
	r.Header.Set("Accept", "application/x-ndjson")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = resp.Body.Close() })
	if kind, waits := resp.Header.Get("Content-Type"), resp.Header.Get("X-Accel-Buffering"); kind != "application/x-ndjson" || waits != "no" {
		s.Fatalf("%d %s, buffering %q", resp.StatusCode, kind, waits)
	}
	body := bufio.NewScanner(resp.Body)
	body.Buffer(nil, 1<<20)
	return &listener{s.T, body}
}

func (l *listener) next() line {
	l.Helper()
	if !l.body.Scan() {
		l.Fatalf("the response has ended: %v", l.body.Err())
	}
	if strings.Contains(l.body.Text(), "canary") {
		l.Errorf("a secret: %s", l.body.Text())
	}
	var got line
	if err := json.Unmarshal(l.body.Bytes(), &got); err != nil {
		l.Fatal(err)
	}
	return got
}

// until reads up to a step, and answers with the titles before it.
func (l *listener) until(title string) (before []string) {
	l.Helper()
	for {
		got := l.next()
		if got.Page != "" {
			l.Fatalf("%q is no step: %q", title, before)
		}
		if got.Title == title {
			return before
		}
		before = append(before, got.Title)
	}
}

// TestLive: a step is there before the next one is let go, and the page comes at the end.
func TestLive(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do, first, before, after, page string
		gate                           smtptest.Stage
	}{
		"test mail": {"test", "Verbindung", "Absender", "Übergabe", "Der Server hat die Testmail an anna@acme.example angenommen", smtptest.Dot},
		"doctor":    {"doctor", "Namensauflösung", "Anmeldung", "Absender", "Was geprüft wurde", smtptest.MAIL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, redisstore.Policy{})
			gate := make(chan struct{})
			letGo := sync.OnceFunc(func() { close(gate) })
			t.Cleanup(letGo) // the server waits for its sessions
			s.smtp.On(tt.gate, smtptest.Answer{}.Doing(func() { <-gate }))
			l := s.listen("anna", tenantPage+"?lang=de", s.filled(tt.do, "info@acme.example").Encode())
			l.until(tt.first)
			l.until(tt.before)
			letGo() // what follows comes after this alone
			l.until(tt.after)
			last := l.next()
			for last.Page == "" {
				last = l.next()
			}
			if last.Status != http.StatusOK || !strings.Contains(last.Page, tt.page) {
				t.Errorf("%d\n%s", last.Status, last.Page)
			}
			if _, err := s.store.Get(t.Context(), acme); err == nil {
				t.Error("it was stored")
			}
		})
	}
}

// TestLiveFailure: the step that fails is the last one, and without a script the page has
// the same steps.
func TestLiveFailure(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	form := s.filled("test", "info@acme.example")
	form.Set("smtp.password", "canary-wrong")
	l := s.listen("anna", tenantPage, form.Encode())
	l.until("Greeting")
	if got := l.next(); got.Title != "Login" || got.Verdict != "failed" {
		t.Errorf("%+v", got)
	}
	if got := l.next(); got.Page == "" || !strings.Contains(got.Page, "The test mail did not go out") {
		t.Errorf("%+v", got)
	}
	s.post("anna", tenantPage, form).has(t, "The test mail did not go out", "What was checked", `<th scope="row">Greeting</th>`, `<th scope="row">Login</th>`)
}

// TestLiveRefused: what is refused before anything is tried is a page of its own.
func TestLiveRefused(t *testing.T) {
	t.Parallel()
	s := open(t, redisstore.Policy{})
	form := s.filled("test", "no address")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+tenantPage, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(person, "anna")
	r.Header.Set("Accept", "application/x-ndjson")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnprocessableEntity || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
}
