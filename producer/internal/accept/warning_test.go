package accept_test

import (
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer/internal/accept"
)

func TestUnsubscribing(t *testing.T) {
	t.Parallel()
	link := rohrpost.Unsubscribe{URL: "https://acme.example/out"}
	for name, tt := range map[string]struct {
		change func(*rohrpost.Message)
		warned bool
	}{
		"to one person":         {func(*rohrpost.Message) {}, false},
		"marketing":             {func(m *rohrpost.Message) { m.Category = rohrpost.Marketing }, true},
		"bulk":                  {func(m *rohrpost.Message) { m.Priority = rohrpost.Bulk }, true},
		"marketing with a link": {func(m *rohrpost.Message) { m.Category, m.Unsubscribe = rohrpost.Marketing, &link }, false},
		"bulk with its own link": {func(m *rohrpost.Message) {
			m.Priority, m.Headers = rohrpost.Bulk, []rohrpost.Header{{Name: "list-unsubscribe", Value: "<https://a.example/>"}}
		}, false},
	} {
		m := message("a")
		tt.change(m)
		if got := accept.Warning(m); got != "" != tt.warned {
			t.Errorf("%s: warning %q", name, got)
		}
		strict, err := accept.New(accept.Options{RequireUnsubscribe: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := strict.Job(m, time.Now()); err != nil != tt.warned {
			t.Errorf("%s, where it is required: %v", name, err)
		}
		lax, err := accept.New(accept.Options{})
		if err != nil {
			t.Fatal(err)
		}
		job, err := lax.Job(m, time.Now())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := accept.Warning(&job.Message); got != "" != tt.warned {
			t.Errorf("%s, of the job: %q", name, got)
		}
	}
}

func TestUnsubscribeBecomesFields(t *testing.T) {
	t.Parallel()
	m := message("a")
	m.Headers = []rohrpost.Header{{Name: "X-Run", Value: "7"}}
	m.Unsubscribe = &rohrpost.Unsubscribe{URL: "https://acme.example/out", OneClick: true}
	job, err := rules(t, 0, "").Job(m, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Headers) != 1 || job.Unsubscribe != nil || len(job.Headers) != 3 || job.Headers[1].Value != "<https://acme.example/out>" {
		t.Errorf("%v, %v of %v", job.Unsubscribe, job.Headers, m.Headers)
	}
}
