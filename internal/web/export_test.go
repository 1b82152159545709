package web_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/web"
	"github.com/rohrpost/rohrpost/internal/web/problempages"
)

func TestExport(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	older := entry("acme", "job-1")
	older.Time = older.Time.Add(-time.Minute)
	s.append(t, older, entry("acme", "job-2"))
	tests := map[string]struct{ path, mime, name, has string }{
		"default": {"/t/acme/problems/export", "application/x-ndjson", "acme", `"job_id":"job-2"`},
		"CSV":     {"/t/acme/problems/export?format=csv", "text/csv; charset=utf-8", "acme", "job-2"},
		"text":    {"/t/acme/problems/export?format=text&lang=de", "text/plain; charset=utf-8", "acme", "Den Empfänger gibt es"},
	}
	endings := map[string]string{"default": "jsonl", "CSV": "csv", "text": "txt"}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := s.get(t, "adam", tt.path)
			if got.status != 200 || got.header.Get("Content-Type") != tt.mime || !strings.Contains(got.body, tt.has) {
				t.Errorf("%d %v\n%s", got.status, got.header, got.body)
			}
			want := `^attachment; filename="rohrpost-errors-` + tt.name + `-\d{8}T\d{6}Z\.` + endings[name] + `"$`
			if d := got.header.Get("Content-Disposition"); !regexp.MustCompile(want).MatchString(d) {
				t.Errorf("Content-Disposition %s", d)
			}
		})
	}
	newest := s.get(t, "adam", "/t/acme/problems/export").body
	oldest := s.get(t, "adam", "/t/acme/problems/export?order=oldest").body
	if strings.Index(newest, "job-2") > strings.Index(newest, "job-1") || strings.Index(oldest, "job-1") > strings.Index(oldest, "job-2") {
		t.Errorf("order: %s\n%s", newest, oldest)
	}
}

// exporter is an error log whose export a test scripts.
type exporter struct {
	problempages.ErrorLog
	export func(ctx context.Context, w io.Writer) error
	got    chan errorlog.Filter
}

func (e exporter) Export(ctx context.Context, w io.Writer, f errorlog.Filter, _ errorlog.Format, _ string) (errorlog.Summary, error) {
	if e.got != nil {
		e.got <- f
	}
	return errorlog.Summary{}, e.export(ctx, w)
}

func TestExportFilter(t *testing.T) {
	t.Parallel()
	got := make(chan errorlog.Filter, 1)
	s := newSite(t, func(o *web.Options) {
		o.ErrorLog = exporter{got: got, export: func(context.Context, io.Writer) error { return nil }}
	})
	zone := time.UTC
	tests := map[string]struct {
		user, path string
		want       errorlog.Filter
	}{
		"own":                {"adam", "/t/acme/problems/export", errorlog.Filter{Tenant: "acme"}},
		"everything":         {"olga", "/problems/export", errorlog.Filter{AllTenants: true}},
		"the platform's":     {"olga", "/t/@platform/problems/export", errorlog.Filter{}},
		"a tenant with an @": {"olga", "/t/@@platform/problems/export", errorlog.Filter{Tenant: "@platform"}},
		"all parts": {"rita", "/t/acme/problems/export?category=mailbox_full&job=7&recipient=a@b.example&order=oldest", errorlog.Filter{
			Tenant: "acme", Category: "mailbox_full", JobID: "7", Recipient: "a@b.example", OldestFirst: true,
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s.get(t, tt.user, tt.path)
			filter := <-got
			if filter.Zone != zone {
				t.Errorf("zone %v", filter.Zone)
			}
			filter.Zone = nil
			if diff := cmp.Diff(tt.want, filter); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The first piece is read while the second is not written yet, and the whole
// takes longer than the server's time for an answer.
func TestExportStreams(t *testing.T) {
	t.Parallel()
	const patience = 150 * time.Millisecond
	next := make(chan struct{})
	s := newSite(t, func(o *web.Options) {
		o.ErrorLog = exporter{export: func(_ context.Context, w io.Writer) error {
			piece := strings.Repeat("x", 64<<10) + "\n"
			for range 4 {
				if _, err := io.WriteString(w, piece); err != nil {
					return err
				}
				<-next
			}
			return nil
		}}
	}, func(server *http.Server) { server.WriteTimeout = patience })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/t/acme/problems/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("adam", "pw")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewReader(resp.Body)
	ticker := time.NewTicker(patience / 2)
	defer ticker.Stop()
	for range 4 {
		if line, err := lines.ReadString('\n'); err != nil || len(line) != 64<<10+1 {
			t.Fatalf("%d bytes, %v", len(line), err)
		}
		<-ticker.C
		next <- struct{}{}
	}
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Errorf("%v, want the end", err)
	}
}

func TestExportThatBreaks(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *web.Options) {
		o.ErrorLog = exporter{export: func(_ context.Context, w io.Writer) error {
			_, _ = io.WriteString(w, strings.Repeat("x", 64<<10))
			return errors.New("redis went away")
		}}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/t/acme/problems/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("adam", "pw")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("half a log looks like a whole one")
	}
	if log := s.lines.String(); !strings.Contains(log, "redis went away") {
		t.Errorf("log: %s", log)
	}
}
