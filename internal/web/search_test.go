package web_test

import (
	"context"
	"fmt"
	"html"
	"io"
	"iter"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/web"
)

// slow is an error log in which each entry that fits takes as long as a page may
// search. A search for "held" and an export find nothing, when they may leave.
type slow struct {
	*errorlog.Log
	entered chan struct{} // somebody searches
	leave   chan struct{} // closed: they may go on
}

func (s slow) Query(ctx context.Context, f errorlog.Filter) iter.Seq2[errorlog.Entry, error] {
	if f.JobID == "" {
		return s.Log.Query(ctx, f)
	}
	s.entered <- struct{}{}
	<-s.leave
	if f.JobID == "held" {
		return func(func(errorlog.Entry, error) bool) {}
	}
	return func(yield func(errorlog.Entry, error) bool) {
		for e, err := range s.Log.Query(ctx, f) {
			if err == nil {
				<-ctx.Done()
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s slow) Export(ctx context.Context, _ io.Writer, _ errorlog.Filter, _ errorlog.Format, _ string) (errorlog.Summary, error) {
	s.entered <- struct{}{}
	<-s.leave
	return errorlog.Summary{}, nil
}

// TestSearchEndsInTime: a page shows what it has found, says how far it came, and
// its link finds the rest.
func TestSearchEndsInTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) {
		leave := make(chan struct{})
		close(leave)
		o.ErrorLog = slow{o.ErrorLog.(*errorlog.Log), make(chan struct{}, 100), leave}
	})
	var entries []errorlog.Entry
	for i := range 1500 { // several round trips
		e := entry("acme", fmt.Sprint("other-", i))
		e.Time = time.Now().Add(time.Duration(i-1500) * time.Second)
		if i%700 == 99 {
			e.JobID = "job-1"
		}
		entries = append(entries, e)
	}
	s.append(t, entries...)
	further := regexp.MustCompile(`href="([^"]*)">Search further</a>`)
	path, found := "/t/acme/problems?view=log&job=job-1", 0
	for round := 1; ; round++ {
		begin := time.Now()
		got := s.get(t, "adam", path)
		if took := time.Since(begin); got.status != http.StatusOK || took > 10*time.Second {
			t.Fatalf("%d after %v", got.status, took)
		}
		found += len(jobs(got.body))
		link := further.FindStringSubmatch(got.body)
		if link == nil {
			break
		}
		if round == 10 {
			t.Fatal("it comes no further")
		}
		if !strings.Contains(got.body, "came back to") || strings.Contains(got.body, "No error fits") {
			t.Error("it does not say how far it came")
		}
		path = html.UnescapeString(link[1])
	}
	if found != 3 {
		t.Errorf("%d of 3 found", found)
	}
}

// TestFewSearchAtATime: two of a tenant, four of all; the others are told to come
// again, and pages that search nothing are answered.
func TestFewSearchAtATime(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(o *web.Options) { o.ErrorLog = slow{o.ErrorLog.(*errorlog.Log), entered, leave} })
	var wg sync.WaitGroup
	busy := func(user, path string) {
		t.Helper()
		got := s.get(t, user, path)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "under way already") {
			t.Errorf("%s %s: %d", user, path, got.status)
		}
	}
	search := func(user, path string) {
		wg.Go(func() {
			if got := s.get(t, user, path); got.status != http.StatusOK {
				t.Errorf("%s %s: %d", user, path, got.status)
			}
		})
		<-entered
	}
	search("adam", "/t/acme/problems?view=log&job=held")
	search("rita", "/t/acme/problems/export")
	busy("rita", "/t/acme/problems?view=log&job=held")
	busy("adam", "/t/acme/problems/export?format=csv")
	search("olga", "/problems?view=log&job=held")
	search("olga", "/problems/export")
	busy("olga", "/problems?view=log&job=held")
	if got := s.get(t, "rita", "/t/acme/problems?view=log"); got.status != http.StatusOK {
		t.Errorf("without a search: %d", got.status)
	}
	close(leave)
	wg.Wait()
	search("adam", "/t/acme/problems?view=log&job=held")
	wg.Wait()
}
