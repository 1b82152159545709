package errorlog_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample fills a log of at most four entries a tenant.
func sample(t *testing.T) fixture {
	t.Helper()
	f := setup(t, maxEntries(4))
	start := f.clock.now()
	for i := range 2 { // these are dropped
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: strconv.Itoa(i), Time: start.Add(-time.Hour)})
	}
	f.append(t, errorlog.Entry{
		Tenant: "acme", User: "max", JobID: "invoice-4711", MessageID: "<1@acme.example>", Attempt: 1, Account: "info@acme.example", Level: "tenant",
		Host: "192.0.2.7:465", Stage: string(failure.StageAuth), Code: 535, Enhanced: "5.7.8", Diagnostic: "Username and Password not accepted",
		Category: "auth_failed", Class: string(failure.Config), Recipients: []string{"kunde@example.org", "zweite@example.org"},
		Metadata: map[string]string{"invoice": "4711", "amount": "=1+1; @x"}, Rule: 30,
	})
	f.clock.advance(time.Minute)
	f.append(t, errorlog.Entry{
		Tenant: "acme", JobID: "=2", Attempt: 2, Host: "smtp.example.org:587", Stage: string(failure.StageRcpt), Code: 452, Enhanced: "4.2.2",
		Diagnostic: "@mailbox \"full\";=cmd\r\nfor <kunde@example.org>, Grüße", Category: "mailbox_full", Class: string(failure.Transient),
		Recipients: []string{"kunde@example.org"}, NextAttempt: f.clock.now().Add(2 * time.Minute), Rule: 50, Delayed: 15 * time.Minute,
	})
	f.clock.advance(time.Minute)
	f.append(t,
		errorlog.Entry{Tenant: "acme", JobID: "3", Stage: string(failure.StageWorker), Diagnostic: "time is up", Category: "expired", Class: string(failure.Expired), Final: true, Level: "platform"},
		errorlog.Entry{Tenant: "acme"},
		errorlog.Entry{JobID: "4", Category: "dns_failure", Level: "user", Delayed: time.Hour, Metadata: map[string]string{"k": "v"}, Rule: 1},
	)
	f.clock.advance(time.Minute)
	return f
}

func TestGolden(t *testing.T) {
	t.Parallel()
	f := sample(t)
	for _, lang := range []string{"en", "de"} {
		for _, format := range []errorlog.Format{errorlog.JSONL, errorlog.CSV, errorlog.Text} {
			for name, filter := range map[string]errorlog.Filter{
				"all":    {AllTenants: true, OldestFirst: true},
				"filter": {Tenant: "acme", Recipient: "zweite@example.org", Category: "auth_failed", JobID: "invoice-4711", Limit: 5, From: f.clock.now().Add(-time.Hour)},
			} {
				file := name + "." + lang + format.Extension()
				t.Run(file, func(t *testing.T) {
					text := f.exportAs(t, filter, format, lang).text
					for _, rule := range []int{0, 1, 30, 50} { // the hints have tests of their own
						hint, name := failure.Hint(rule, lang), "hint "+strconv.Itoa(rule)+" "+lang
						text = strings.NewReplacer(`,"`+hint+`"`, ","+name, `;"`+hint+`"`, ";"+name, hint, name).Replace(text)
					}
					golden(t, file, text)
				})
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, path, string(want), got)
}

// A program finds every key in every entry, and the same values in both formats.
func TestFormatsAgree(t *testing.T) {
	t.Parallel()
	f := sample(t)
	all := errorlog.Filter{AllTenants: true}
	lines := strings.Split(strings.TrimSpace(f.exportAs(t, all, errorlog.JSONL, "de").text), "\n")
	table := strings.TrimPrefix(f.exportAs(t, all, errorlog.CSV, "de-AT").text, "\uFEFF")
	if rest := strings.ReplaceAll(table, "\r\n", ""); strings.ContainsAny(rest, "\r\n") {
		t.Error("a line of the CSV does not end in CR LF")
	}
	r := csv.NewReader(strings.NewReader(table))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(rows) || len(rows) != 6 {
		t.Fatalf("%d lines and %d rows, want 6", len(lines), len(rows))
	}
	for i, row := range rows[1:] {
		var e map[string]any
		if err := json.Unmarshal([]byte(lines[i+1]), &e); err != nil {
			t.Fatal(err)
		}
		if len(e) != len(row) {
			t.Errorf("%d keys, %d columns", len(e), len(row))
		}
		for c, name := range rows[0] {
			value, known := e[name]
			if !known {
				t.Errorf("the JSON has no %s", name)
			}
			if text, ok := value.(string); ok && text != strings.TrimPrefix(strings.ReplaceAll(row[c], ",'", ","), "'") {
				t.Errorf("%s: %q in JSON, %q in CSV", name, text, row[c])
			}
		}
	}
}

// A spreadsheet of either language finds the columns in the first row, and nothing that
// it would compute, whichever separator it takes.
func TestSpreadsheets(t *testing.T) {
	t.Parallel()
	f := sample(t)
	for lang, comma := range map[string]rune{"en": ',', "de": ';'} {
		text := strings.TrimPrefix(f.exportAs(t, errorlog.Filter{AllTenants: true, OldestFirst: true}, errorlog.CSV, lang).text, "\uFEFF")
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		rows, err := r.ReadAll() // of one width
		if err != nil || len(rows) != 6 || rows[0][0] != "time" || len(rows[0]) != 22 {
			t.Fatalf("%s: %d rows, %v", lang, len(rows), err)
		}
		if id := rows[2][3]; id != "'=2" {
			t.Errorf("%s: job id %q", lang, id)
		}
	}
}

// A file shows times in the zone of whoever reads it.
func TestZone(t *testing.T) {
	t.Parallel()
	f := sample(t)
	tokyo := time.FixedZone("JST", 9*60*60)
	text := f.exportAs(t, errorlog.Filter{AllTenants: true, Zone: tokyo}, errorlog.Text, "en").text
	if strings.Contains(text, "+01:00") || !strings.Contains(text, "(JST +09:00)") || strings.Count(text, "+09:00") < 9 {
		t.Error(text)
	}
}

func TestUnknownFormat(t *testing.T) {
	t.Parallel()
	f := setup(t)
	var b bytes.Buffer
	if _, err := f.Export(t.Context(), &b, errorlog.Filter{}, "xml", "en"); !errors.Is(err, errorlog.ErrFormat) || b.Len() > 0 {
		t.Errorf("%v, %d bytes", err, b.Len())
	}
	if err := errorlog.Write(&b, errorlog.Entry{}, "", "en"); !errors.Is(err, errorlog.ErrFormat) {
		t.Error(err)
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for format, want := range map[errorlog.Format][2]string{
		errorlog.JSONL: {"application/x-ndjson", ".jsonl"},
		errorlog.CSV:   {"text/csv; charset=utf-8", ".csv"},
		errorlog.Text:  {"text/plain; charset=utf-8", ".txt"},
	} {
		diff(t, string(format), want, [2]string{format.MediaType(), format.Extension()})
	}
}

// fill appends n entries of tenant acme, a millisecond apart.
func fill(t *testing.T, f fixture, n int) {
	t.Helper()
	batch := make([]errorlog.Entry, n)
	for i := range batch {
		f.clock.advance(time.Millisecond)
		batch[i] = errorlog.Entry{Tenant: "acme", JobID: strconv.Itoa(i), Time: f.clock.now(), Diagnostic: strings.Repeat("x", 500)}
	}
	f.append(t, batch...)
}

// The header says what was looked at, not what was asked for.
func TestHeaderWindow(t *testing.T) {
	t.Parallel()
	f := setup(t)
	now := f.clock.now().Truncate(time.Millisecond)
	ahead := now.Add(time.Minute)
	f.append(t, errorlog.Entry{Tenant: "ahead", Time: ahead})
	tests := []struct {
		name     string
		filter   errorlog.Filter
		from, to time.Time
	}{
		{"all", errorlog.Filter{}, now.Add(-24 * time.Hour), now},
		{"more than there is", errorlog.Filter{From: now.Add(-48 * time.Hour), To: now.Add(time.Hour)}, now.Add(-24 * time.Hour), now},
		{"less", errorlog.Filter{From: now.Add(-time.Hour), To: now.Add(-time.Minute)}, now.Add(-time.Hour), now.Add(-time.Minute)},
		{"an entry of a clock that is ahead", errorlog.Filter{AllTenants: true}, now.Add(-24 * time.Hour), ahead},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := f.export(t, tt.filter).summary.Header
			diff(t, "window", [2]time.Time{tt.from, tt.to}, [2]time.Time{h.From, h.To})
		})
	}
}

// A full disk takes so many bytes and no more.
type fullDisk struct {
	bytes.Buffer
	room int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) <= d.room {
		d.room -= len(p)
		return d.Buffer.Write(p)
	}
	n, _ := d.Buffer.Write(p[:d.room])
	d.room = 0
	return n, syscall.ENOSPC
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	f := setup(t)
	fill(t, f, 1000)
	for _, room := range []int{0, 10, 100_000, 300_000} {
		t.Run(strconv.Itoa(room), func(t *testing.T) {
			disk := &fullDisk{room: room}
			sum, err := f.Export(t.Context(), disk, ofAcme, errorlog.JSONL, "en")
			if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want one line with ENOSPC", err)
			}
			if sum.Bytes != int64(disk.Len()) || sum.Bytes != int64(room) || sum.Entries != 1000 {
				t.Errorf("summary: %d bytes of %d entries, the disk has %d", sum.Bytes, sum.Entries, disk.Len())
			}
			if whole := int64(strings.Count(disk.String(), "\n")) - 1; sum.Written > max(whole, 0) || room > chunkOfExport && sum.Written == 0 {
				t.Errorf("summary: %d entries written, the disk has %d", sum.Written, whole)
			}
		})
	}
}

const chunkOfExport = 66 << 10 // 64 KiB, and one entry more

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestShortWrite(t *testing.T) {
	t.Parallel()
	f := setup(t)
	if sum, err := f.Export(t.Context(), shortWriter{}, ofAcme, errorlog.Text, "en"); !errors.Is(err, io.ErrShortWrite) || sum.Bytes == 0 {
		t.Errorf("%v, %d bytes", err, sum.Bytes)
	}
}

// during runs act at the first write.
type during struct {
	bytes.Buffer
	act func()
}

func (d *during) Write(p []byte) (int, error) {
	if d.act != nil {
		d.act()
		d.act = nil
	}
	return d.Buffer.Write(p)
}

func TestAppendedDuringExport(t *testing.T) {
	t.Parallel()
	f := setup(t)
	fill(t, f, 1000)
	file := &during{act: func() {
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "same millisecond"})
		fill(t, f, 300)
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "behind", Time: f.clock.now().Add(-time.Second)})
	}}
	sum, err := f.Export(t.Context(), file, ofAcme, errorlog.JSONL, "en")
	if err != nil || sum.Entries != 1000 || sum.Written != 1000 {
		t.Errorf("%d of %d entries, %v", sum.Written, sum.Entries, err)
	}
	if n := strings.Count(file.String(), "\n"); n != 1001 {
		t.Errorf("%d lines, want 1001", n)
	}
}

// What leaves the log during the export is missing, and the file says so.
func TestDroppedDuringExport(t *testing.T) {
	t.Parallel()
	tests := []struct {
		format errorlog.Format
		last   string
	}{
		{errorlog.JSONL, `{"footer":{"missing":%d}}` + "\n"},
		{errorlog.Text, "%d Einträge verließen das Protokoll, während diese Datei geschrieben wurde\n"},
	}
	for _, tt := range tests {
		t.Run(string(tt.format), func(t *testing.T) {
			t.Parallel()
			f := setup(t, maxEntries(1000))
			fill(t, f, 1000)
			file := &during{act: func() { fill(t, f, 900) }}
			sum, err := f.Export(t.Context(), file, errorlog.Filter{Tenant: "acme"}, tt.format, "de")
			if err != nil || sum.Entries != 1000 || sum.Written >= 1000 || sum.Written < 100 {
				t.Fatalf("%d of %d entries, %v", sum.Written, sum.Entries, err)
			}
			if want := fmt.Sprintf(tt.last, sum.Entries-sum.Written); !strings.HasSuffix(file.String(), want) {
				t.Errorf("the file ends in %q, want %q", file.String()[max(file.Len()-200, 0):], want)
			}
		})
	}
}

// What was read before Redis went away is in the file.
func TestRedisGoneDuringExport(t *testing.T) {
	t.Parallel()
	f := setup(t)
	fill(t, f, 1000)
	file := &during{act: func() {
		if err := f.redis.Close(); err != nil {
			t.Error(err)
		}
	}}
	sum, err := f.Export(t.Context(), file, ofAcme, errorlog.JSONL, "en")
	if page := int64(512); err == nil || sum.Written != page {
		t.Errorf("%d entries, %v; want the %d of the first page", sum.Written, err, page)
	}
	if n := int64(strings.Count(file.String(), "\n")); n != sum.Written+1 {
		t.Errorf("the file has %d lines, the summary says %d entries", n, sum.Written)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	f := sample(t)
	entries := f.query(t, errorlog.Filter{AllTenants: true})
	for _, format := range []errorlog.Format{errorlog.JSONL, errorlog.CSV, errorlog.Text} {
		var b bytes.Buffer
		for _, e := range entries {
			if err := errorlog.Write(&b, e, format, "en"); err != nil {
				t.Fatal(err)
			}
		}
		if file := f.exportAs(t, errorlog.Filter{AllTenants: true}, format, "en").text; !strings.HasSuffix(file, b.String()) {
			t.Errorf("%s: entry by entry it reads\n%s", format, &b)
		}
		if err := errorlog.Write(&fullDisk{}, entries[0], format, "en"); !errors.Is(err, syscall.ENOSPC) {
			t.Error(err)
		}
	}
}

func TestLanguages(t *testing.T) {
	t.Parallel()
	f := setup(t)
	isGerman := func(lang string) bool {
		return strings.Contains(f.exportAs(t, errorlog.Filter{}, errorlog.Text, lang).text, "Fehlerprotokoll")
	}
	german := []string{"de", "DE", "de-AT", "de_DE.UTF-8"}
	for _, lang := range slices.Concat(german, []string{"", "en", "fr", "den"}) {
		if got, want := isGerman(lang), slices.Contains(german, lang); got != want {
			t.Errorf("%q: German %v, want %v", lang, got, want)
		}
	}
}
