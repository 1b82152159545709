package errorlog_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
)

// Whatever a server says and an application hands in, an entry has at most 8 KiB.
func TestEntryIsBounded(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"letters": strings.Repeat("x", 5000), "quotes": strings.Repeat(`"\`, 5000), "markup": strings.Repeat("<&>", 5000),
		"wide": strings.Repeat("漢👍", 5000), "broken": strings.Repeat("\xff", 5000), "lines": strings.Repeat("\r\n\u2028x", 5000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, change := range [][]func(*errorlog.Options){nil, {showRecipients}} {
				f := setup(t, change...)
				e := errorlog.Entry{
					Tenant: "acme", User: text, JobID: text, MessageID: text, Attempt: 1 << 40, Account: text, Level: text, Host: text,
					Stage: text, Code: 1 << 40, Enhanced: text, Diagnostic: text, Category: text, Class: text,
					NextAttempt: f.clock.now(), Final: true, Delayed: time.Hour, Rule: 1 << 40, Metadata: map[string]string{},
				}
				for i := range 1000 {
					e.Recipients = append(e.Recipients, fmt.Sprintf("%d%.200s@%.200s", i, text, text))
					e.Metadata[strconv.Itoa(i)+text] = text
				}
				f.append(t, e)
				raw := f.redis.XRange(t.Context(), acme, "-", "+").Val()[0].Values["e"].(string)
				if len(raw) > 8<<10 {
					t.Errorf("%d bytes", len(raw))
				}
				got := f.query(t, errorlog.Filter{Tenant: "acme", JobID: text, Category: text})
				if len(got) != 1 || len(got[0].Recipients) != 20 || got[0].MoreRecipients != 980 {
					t.Fatalf("%d entries: %+v", len(got), got)
				}
			}
		})
	}
}

func TestManyRecipients(t *testing.T) {
	t.Parallel()
	f := setup(t, showRecipients)
	e := errorlog.Entry{Tenant: "acme", JobID: "1"}
	for i := range 1000 {
		e.Recipients = append(e.Recipients, fmt.Sprintf("%d@example.org", i))
	}
	f.append(t, e)
	for format, want := range map[errorlog.Format][2]string{
		errorlog.Text:  {"19@example.org … and 980 more\n", "19@example.org … und 980 weitere\n"},
		errorlog.CSV:   {"19@example.org … and 980 more,980,", "19@example.org … und 980 weitere;980;"},
		errorlog.JSONL: {`"19@example.org"],"recipients_more":980,`, `"19@example.org"],"recipients_more":980,`},
	} {
		for i, lang := range []string{"en", "de"} {
			if text := f.exportAs(t, ofAcme, format, lang).text; !strings.Contains(text, want[i]) {
				t.Errorf("%s, %s: no %q in\n%s", format, lang, want[i], text)
			}
		}
	}
	byRecipient := ofAcme
	byRecipient.Recipient = "19@example.org"
	diff(t, "found by the twentieth", []string{"1"}, f.jobs(t, byRecipient))
	if got := f.query(t, ofAcme)[0].ConcernedRecipients("de"); !strings.HasSuffix(got, "18@example.org, 19@example.org … und 980 weitere") {
		t.Error(got)
	}
}

// Metadata are kept in the order of their keys while there is room, with a mark.
func TestLongMetadata(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("v", 600)
	tests := []struct {
		name     string
		in, want map[string]string
	}{
		{"short", map[string]string{"a": "1", "b": ""}, map[string]string{"a": "1", "b": ""}},
		{"one is too long", map[string]string{"a": strings.Repeat("v", 4000)}, map[string]string{"a": strings.Repeat("v", 1002) + "…"}},
		{"the second is cut", map[string]string{"a": long, "b": long}, map[string]string{"a": long, "b": strings.Repeat("v", 395) + "…"}},
		{"no room for the others", map[string]string{"a": strings.Repeat("v", 950), "b": long, "c": long}, map[string]string{"a": strings.Repeat("v", 950), "…": "+2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.append(t, errorlog.Entry{Tenant: "acme", Metadata: tt.in})
			diff(t, "metadata", tt.want, f.query(t, ofAcme)[0].Metadata)
		})
	}
}
