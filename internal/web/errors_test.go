package web_test

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var jobInPage = regexp.MustCompile(`<dt>Job</dt><dd><a href="[^"]*">([^<]*)</a>`)

func jobs(body string) []string {
	var out []string
	for _, m := range jobInPage.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestErrorsPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	now := time.Now()
	greylisted := entry("acme", "job-2")
	greylisted.Category, greylisted.Final, greylisted.NextAttempt = "greylisted", false, now.Add(time.Hour)
	greylisted.Recipients = []string{"other@example.org"}
	first, old := entry("acme", "job-1"), entry("acme", "too-old")
	old.Time, first.Time, greylisted.Time = now.Add(-24*time.Hour-time.Minute), now.Add(-23*time.Hour-59*time.Minute), now.Add(-time.Minute)
	first.Diagnostic = `5.1.1 <script>alert("x")</script>`
	first.Metadata = map[string]string{"invoice": "4711"}
	s.append(t, old, first, greylisted)

	got := s.get(t, "adam", "/t/acme/problems?view=log")
	if diff := cmp.Diff([]string{"job-2", "job-1"}, jobs(got.body)); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{
		"Errors of the last 24 hours", "The recipient does not exist", "failed for good", "is not known", "k***@example.org",
		"550 5.1.1", "<dt>invoice</dt><dd>4711</dd>", "&lt;script&gt;", "Download the full log", "adam</a> · administrator",
		`href="/t/acme/problems/export?format=csv"`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, never := range []string{"<script", "kunde@example.org", "too-old", `name="tenant"`, "/queues/"} {
		if strings.Contains(got.body, never) {
			t.Errorf("%s is there", never)
		}
	}
	if hint, details := strings.Index(got.body, "The recipient does not exist"), strings.Index(got.body, "Reply code"); hint > details {
		t.Error("the hint does not come first")
	}
	for query, want := range map[string][]string{
		"category=greylisted": {"job-2"}, "job=job-1": {"job-1"}, "recipient=kunde@example.org": {"job-1"}, "recipient=+KUNDE@example.org": {"job-1"},
		"category=expired": nil, "tenant=beta&category=greylisted": {"job-2"}, // the path says whose
	} {
		body := s.get(t, "adam", "/t/acme/problems?view=log&"+query).body
		if diff := cmp.Diff(want, jobs(body)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
		if want == nil && !strings.Contains(body, "No error fits this choice.") || !strings.Contains(body, "Download this selection") {
			t.Errorf("%s: wrong words", query)
		}
	}
}

func TestNothingFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if body := s.get(t, "adam", "/t/acme/problems?view=log").body; !strings.Contains(body, "Nothing has failed.") {
		t.Error(body)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.append(t, entry("acme", "job-1"))
	for _, tt := range []struct{ accept, query, want string }{
		{"", "", "en"},
		{"de-AT,de;q=0.9,en;q=0.8", "", "de"},
		{"fr,de;q=0.5", "", "de"},
		{"en,de", "", "en"},
		{"ja", "", "en"},
		{"en", "&lang=de", "de"},
		{"de", "&lang=en", "en"},
		{"de", "&lang=xx", "de"},
		{"\x7f;;q=x", "", "en"},
	} {
		got := s.get(t, "adam", "/t/acme/problems?view=log"+tt.query, "Accept-Language", strings.TrimLeft(tt.accept, "\x7f"))
		words := map[string]string{"en": "The recipient does not exist", "de": "Den Empfänger gibt es"}
		if got.header.Get("Content-Language") != tt.want || !strings.Contains(got.body, words[tt.want]) || !strings.Contains(got.body, `<html lang="`+tt.want+`"`) {
			t.Errorf("%+v: %s", tt, got.header.Get("Content-Language"))
		}
	}
}

// TestNoCodes: where the language has a word, nobody reads a code.
func TestNoCodes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	e := entry("acme", "job-1")
	e.Stage, e.Class, e.Category, e.Account, e.Level = "dot", "permanent", "content_rejected", "tenant/acme", "tenant"
	s.append(t, e)
	codes := regexp.MustCompile(`>[^<]*(content_rejected|[a-z]+_[a-z]+|\bdot\b|rcpt|permanent|tenant/acme|\(tenant\))[^<]*<`)
	for lang, want := range map[string][]string{
		"de": {"Inhalt abgelehnt", "nach dem Senden des Inhalts", "endgültig", "Mandant acme"},
		"en": {"content refused", "after the content was sent", "for good", "tenant acme"},
	} {
		body := s.get(t, "olga", "/problems?view=log&lang="+lang).body
		for _, word := range want {
			if !strings.Contains(body, word) {
				t.Errorf("%s: %q is missing", lang, word)
			}
		}
		if code := codes.FindString(body); code != "" && lang == "de" {
			t.Errorf("%s: there is %s", lang, code)
		}
	}
}

// Entries that arrive while somebody turns pages neither repeat nor hide others.
func TestPaging(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var want []string
	begin := time.Now().Add(-time.Hour)
	for i := range 120 {
		e := entry("acme", fmt.Sprintf("job-%03d", i))
		e.Time = begin.Add(time.Duration(i) * time.Second)
		s.append(t, e)
		want = append(want, e.JobID)
	}
	slices.Reverse(want)
	older := regexp.MustCompile(`<a class="button quiet" href="([^"]*)">Older</a>`)
	var got []string
	path := "/t/acme/problems?view=log&category=recipient_unknown"
	for page := 1; ; page++ {
		body := s.get(t, "adam", path).body
		got = append(got, jobs(body)...)
		if newer := strings.Contains(body, ">Newer</a>"); newer != (page > 1) {
			t.Errorf("page %d: newer %v", page, newer)
		}
		link := older.FindStringSubmatch(body)
		if link == nil {
			break
		}
		path = html.UnescapeString(link[1])
		late := entry("acme", "late")
		late.Time = time.Now().Add(time.Second)
		s.append(t, late)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if body := s.get(t, "adam", "/t/acme/problems?view=log&page=-3").body; len(jobs(body)) != 50 {
		t.Errorf("%d entries on page -3", len(jobs(body)))
	}
}
