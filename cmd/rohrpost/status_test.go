package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

var update = flag.Bool("update", false, "write golden files anew")

// longStory is a mail with a history of everything.
func longStory() rohrpost.Status {
	start := time.Date(2026, 3, 1, 7, 59, 59, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	next := at(1600)
	refused := func(minutes, attempt int, state rohrpost.State) rohrpost.Event {
		return rohrpost.Event{
			Time: at(minutes), State: state, Attempt: attempt, Account: "tenant/acme", Level: "tenant",
			Why: "automatic mail: the tenant's account comes first", Host: "smtp.acme.example:587",
			Stage: "rcpt", Category: "greylisted", Class: "transient", Code: 451, Enhanced: "4.7.1", Diagnostic: "4.7.1 Greylisted, come back later",
			NextAttempt: at(minutes + 5),
		}
	}
	expired := refused(1440, 2, rohrpost.Expired)
	expired.NextAttempt, expired.Category, expired.Class = time.Time{}, "mailbox_full", "permanent"
	expired.Code, expired.Diagnostic = 552, "5.2.2 Mailbox full"
	return rohrpost.Status{
		ID: "invoice-4711", MessageID: "<invoice-4711@acme.example>", Tenant: "acme", State: rohrpost.Scheduled, Attempts: 2,
		EnqueuedAt: start, NextAttempt: &next, Account: "tenant/acme", Why: "automatic mail: the tenant's account comes first", MaybeTwice: true,
		Recipients: []rohrpost.RecipientStatus{
			{Address: "a@example.org", State: rohrpost.RecipientAccepted, Code: 250, Enhanced: "2.0.0", Diagnostic: "2.0.0 Ok: queued as 4711"},
			{Address: "kundin@bücher.example", State: rohrpost.RecipientWaiting},
		},
		Metadata: map[string]string{"invoice": "4711", "a": "b", "z": "ü"},
		History: []rohrpost.Event{
			refused(0, 1, rohrpost.Deferred),
			{Time: at(5), State: rohrpost.Parked, Account: "tenant/acme", Why: "automatic mail: the tenant's account comes first", Stage: "auth", Category: "auth_failed", Diagnostic: "535 5.7.8 wrong password", NextAttempt: at(65)},
			expired,
			{Time: at(1500), State: rohrpost.Queued, By: rohrpost.ByOperator},
			{Time: at(1501), State: rohrpost.Scheduled, By: rohrpost.ByOperator, NextAttempt: next},
		},
	}
}

func TestPrintedStatus(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	st, zone := longStory(), time.FixedZone("CET", 3600)
	if err := printStatus(&out, st, zone); err != nil {
		t.Fatal(err)
	}
	if err := printHistory(&out, st.History, zone); err != nil {
		t.Fatal(err)
	}
	const path = "testdata/status.golden"
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), out.String()); diff != "" {
		t.Errorf("(-golden +printed):\n%s", diff)
	}
	for line := range strings.Lines(out.String()) {
		if strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
			t.Errorf("spaces at the end of %q", line)
		}
	}
}

// lines are the JSON lines that a command printed.
func lines(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.Lines(out) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

// enqueue sends a mail that no worker takes.
func enqueue(t *testing.T, url string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		fine(t, call(t, "", "send", "--redis", url, "--tenant", "acme", "--to", "kunde@example.org", "--text", "x", "--id", id, "--expires", "48h"))
	}
}

func TestReschedule(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	enqueue(t, url, "a")
	before := time.Now().Truncate(time.Second)
	for _, when := range []string{"+2h", "2h", before.Add(2*time.Hour + time.Second).Format(time.RFC3339)} {
		if r := fine(t, call(t, "", "reschedule", "--redis", url, "a", when)); !strings.HasPrefix(r.out, "a waits until 20") {
			t.Errorf("%s: %q", when, r.out)
		}
		var st rohrpost.Status
		r := fine(t, call(t, "", "status", "--redis", url, "--json", "a"))
		if err := json.Unmarshal([]byte(r.out), &st); err != nil || st.State != rohrpost.Scheduled || st.NextAttempt.Sub(before) < 2*time.Hour || len(st.History) == 0 {
			t.Errorf("%s: %q, %v", when, r.out, err)
		}
	}
	r := fine(t, call(t, "", "reschedule", "--redis", url, "--json", "a", "+3h"))
	if diff := cmp.Diff([]map[string]any{{"id": "a", "state": "scheduled"}}, lines(t, r.out)); diff != "" {
		t.Error(diff)
	}
	if r := fine(t, call(t, "", "status", "--redis", url, "a")); !strings.Contains(r.out, "operator") {
		t.Errorf("status %q", r.out)
	}
	for _, tt := range []struct {
		args []string
		code int
		word string
	}{
		{[]string{"a", "tomorrow"}, exitUsage, "tomorrow"},
		{[]string{"a"}, exitUsage, "arg"},
		{[]string{"a", "+72h"}, exitFailed, "not_before: is not before expires"},
		{[]string{"a", "2020-01-01T00:00:00Z"}, exitFailed, "not_before: is in the past"},
		{[]string{"nobody", "+1h"}, exitFailed, "no such job"},
	} {
		r := call(t, "", append([]string{"reschedule", "--redis", url}, tt.args...)...)
		if r.code != tt.code || !strings.Contains(r.err, tt.word) || strings.Count(r.err, "\n") != 1 || r.out != "" {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	enqueue(t, url, "a", "b", "c")
	fine(t, call(t, "", "cancel", "--redis", url, "b"))
	if r := fine(t, call(t, "", "retry", "--redis", url, "a")); r.out != "a sent on its way again\n" {
		t.Errorf("%q", r.out)
	}
	r := fine(t, call(t, "", "retry", "--redis", url, "--json", "a", "c"))
	if diff := cmp.Diff([]map[string]any{{"id": "a", "state": "queued"}, {"id": "c", "state": "queued"}}, lines(t, r.out)); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		args []string
		code int
		word string
	}{
		{nil, exitUsage, "--tenant"},
		{[]string{"--dry-run"}, exitUsage, "--tenant"},
		{[]string{"a", "--account", "tenant/acme"}, exitUsage, "either"},
		{[]string{"a", "--tenant", "globex"}, exitFailed, `job "a": no such job`},
		{[]string{"a", "--dry-run"}, exitUsage, "either"},
		{[]string{"nobody"}, exitFailed, `job "nobody": no such job`},
		{[]string{"b"}, exitFailed, "nobody is left to send it to: canceled"},
	} {
		r := call(t, "", append([]string{"retry", "--redis", url}, tt.args...)...)
		if r.code != tt.code || !strings.Contains(r.err, tt.word) || strings.Count(r.err, "\n") != 1 || r.out != "" {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
}

func TestRetryByFilter(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	url, rdb := server.URL(), server.Client(t)
	if r := fine(t, call(t, "", "retry", "--redis", url, "--tenant", "acme")); r.out != "0 mails sent on their way again\n" {
		t.Errorf("%q", r.out)
	}
	enqueue(t, url, "a", "b", "c")
	for _, id := range []string{"a", "b", "c"} { // as if they had failed
		rdb.LRem(t.Context(), "asynq:{default}:pending", 0, id+",acme")
		rdb.ZAdd(t.Context(), "asynq:{default}:archived", redis.Z{Score: 1, Member: id + ",acme"})
		rdb.HSet(t.Context(), "asynq:{default}:t:"+id+",acme", "state", "archived")
		rdb.HSet(t.Context(), "rohrpost:job:{"+id+"},acme", "s", "failed")
	}
	rdb.HSet(t.Context(), "rohrpost:job:{c},acme", "ac", "user/acme/max")
	if r := fine(t, call(t, "", "retry", "--redis", url, "--tenant", "acme", "--dry-run")); r.out != "a\nb\nc\n3 mails would be sent again\n" {
		t.Errorf("%q", r.out)
	}
	r := fine(t, call(t, "", "retry", "--redis", url, "--account", "user/acme/max", "--dry-run", "--json"))
	if diff := cmp.Diff([]map[string]any{{"id": "c", "dry_run": true}}, lines(t, r.out)); diff != "" {
		t.Error(diff)
	}
	r = fine(t, call(t, "", "retry", "--redis", url, "--account", "user/acme/max", "--json"))
	if diff := cmp.Diff([]map[string]any{{"id": "c", "state": "queued"}}, lines(t, r.out)); diff != "" {
		t.Error(diff)
	}
	rdb.Del(t.Context(), "asynq:{default}:t:b,acme") // the archive was full
	r = call(t, "", "retry", "--redis", url, "--tenant", "acme")
	if r.code != exitFailed || r.out != "a sent on its way again\n1 mails sent on their way again\n" ||
		r.err != "rohrpost: 1 of 2 mails: its content is not kept any more\n" {
		t.Errorf("%+v", r)
	}
}

func TestCancelSeveral(t *testing.T) {
	t.Parallel()
	url := redistest.Start(t).URL()
	enqueue(t, url, "a", "b", "c")
	r := call(t, "", "cancel", "--redis", url, "a", "nobody", "b")
	if r.code != exitFailed || r.out != "a canceled\nb canceled\n" ||
		r.err != "rohrpost: job \"nobody\": no such job\nrohrpost: 1 of 3 mails were not canceled\n" {
		t.Errorf("%+v", r)
	}
	r = call(t, "", "cancel", "--redis", url, "--json", "nobody", "c")
	want := []map[string]any{{"id": "nobody", "error": `job "nobody": no such job`}, {"id": "c", "state": "canceled"}}
	if diff := cmp.Diff(want, lines(t, r.out)); diff != "" || r.code != exitFailed {
		t.Errorf("%+v %s", r, diff)
	}
	if r := call(t, "", "cancel", "--redis", url); r.code != exitUsage {
		t.Errorf("%+v", r)
	}
}
