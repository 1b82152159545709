package errorlog_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/errorlog"
)

// What the masking hides must not lie anywhere in Redis.
func TestRecipientsAreMasked(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.append(t, errorlog.Entry{
		Tenant: "acme", Recipients: []string{"max.muster@example.org", "Örtel@bücher.example", "x@example.org", "no address"},
		Diagnostic: "550 <max.muster@example.org>: unknown, see https://p.example/?r=max.muster%40example.org",
	})
	got := f.query(t, ofAcme)[0]
	diff(t, "recipients", []string{"m***@example.org", "Ö***@bücher.example", "x***@example.org", "n***"}, got.Recipients)
	if strings.Contains(got.Diagnostic, "uster") || !strings.Contains(got.Diagnostic, "m***@example.org") {
		t.Errorf("diagnostic %q", got.Diagnostic)
	}
	raw, err := f.redis.XRange(t.Context(), acme, "-", "+").Result()
	if err != nil || len(raw) != 1 {
		t.Fatal(raw, err)
	}
	if text := raw[0].Values["e"].(string); strings.Contains(text, "uster") || strings.Contains(text, "rtel") {
		t.Errorf("Redis holds %s", text)
	}
	diff(t, "found by its address", 1, len(f.query(t, errorlog.Filter{Tenant: "acme", Recipient: "MAX.Muster@example.org"})))
	if text := f.export(t, errorlog.Filter{Tenant: "acme", Recipient: "max.muster@example.org"}).text; strings.Contains(text, "uster") {
		t.Errorf("the file names the recipient:\n%s", text)
	}
}

func TestRecipientsAreShown(t *testing.T) {
	t.Parallel()
	f := setup(t, showRecipients)
	want := errorlog.Entry{Tenant: "acme", Recipients: []string{"max@example.org"}, Diagnostic: "<max@example.org> unknown"}
	f.append(t, want)
	got := f.query(t, errorlog.Filter{Tenant: "acme", Recipient: "max@example.org"})
	if len(got) != 1 {
		t.Fatalf("%d entries", len(got))
	}
	diff(t, "recipients", want.Recipients, got[0].Recipients)
	diff(t, "diagnostic", want.Diagnostic, got[0].Diagnostic)
}

// The key belongs to the installation: every process has the same, no other one has it.
func TestRecipientKey(t *testing.T) {
	t.Parallel()
	byMax := errorlog.Filter{Tenant: "acme", Recipient: "max@example.org"}
	toMax := errorlog.Entry{Tenant: "acme", Recipients: []string{"max@example.org"}}
	f, stranger := setup(t), setup(t)
	f.append(t, toMax)
	stranger.append(t, toMax)
	second := setupOn(t, f.redis)
	diff(t, "another process finds it", 1, len(second.query(t, byMax)))

	own, foreign := f.redis.XRange(t.Context(), acme, "-", "+").Val(), stranger.redis.XRange(t.Context(), acme, "-", "+").Val()
	if own[0].Values["e"] == foreign[0].Values["e"] {
		t.Error("two installations have the same HMAC")
	}

	// Redis loses its data. The writer brings the key back, the reader takes it over.
	f.redis.FlushAll(t.Context())
	f.clock.advance(time.Minute)
	f.append(t, toMax)
	diff(t, "found after the loss", 1, len(setupOn(t, f.redis).query(t, byMax)))
	diff(t, "found by the old process", 1, len(second.query(t, byMax)))
}

func TestLogInjection(t *testing.T) {
	t.Parallel()
	const evil = "a\r\n2026-03-01T10:00:00Z forged\x1b[31m\u2028b\u202e\x00c"
	f := setup(t)
	f.append(t, errorlog.Entry{
		Tenant: evil, User: evil, JobID: evil, MessageID: evil, Account: evil, Level: evil, Host: evil, Stage: evil,
		Enhanced: evil, Diagnostic: evil, Category: evil, Class: evil, Recipients: []string{evil}, Metadata: map[string]string{evil: evil},
	})
	for _, format := range []errorlog.Format{errorlog.JSONL, errorlog.CSV, errorlog.Text} {
		t.Run(string(format), func(t *testing.T) {
			got := f.exportAs(t, errorlog.Filter{Tenant: evil, JobID: evil}, format, "en")
			if got.summary.Written != 1 {
				t.Errorf("%d entries, want 1", got.summary.Written)
			}
			text := got.text
			if format == errorlog.JSONL { // there the tenant is data, escaped as JSON does it
				text = strings.ReplaceAll(text, "\u202e", "")
			}
			for line := range strings.Lines(text) {
				if strings.HasPrefix(line, "2026-03-01T10:00:00Z forged") {
					t.Errorf("a forged line:\n%s", text)
				}
			}
			if strings.ContainsAny(text, "\x00\x1b\u2028\u202e") || format != errorlog.CSV && strings.Contains(text, "\r") {
				t.Errorf("control characters: %q", text)
			}
		})
	}
}

func TestLongTexts(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.append(t, errorlog.Entry{Tenant: "acme", Diagnostic: strings.Repeat("ü", 999) + " max@example.org"})
	got := f.query(t, ofAcme)[0].Diagnostic
	if n := len([]rune(got)); n != 1000 {
		t.Errorf("%d characters, want 1000", n)
	}
	if want := "ü…"; !strings.HasSuffix(got, want) {
		t.Errorf("it ends in %q, want %q", got[len(got)-8:], want)
	}
}
