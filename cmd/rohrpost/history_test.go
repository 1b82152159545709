package main

import (
	"encoding/json"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestQueueHistory(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	url := server.URL()
	if r := fine(t, call(t, "", "queue", "history", "--redis", url)); r.out != "nobody has done anything\n" {
		t.Errorf("%q", r.out)
	}
	for _, id := range []string{"a", "b", "c"} {
		fine(t, call(t, "", "send", "--redis", url, "--to", "kunde@example.org", "--text", "secret words", "--id", id, "--not-before", "1h"))
	}
	fine(t, call(t, "", "reschedule", "--redis", url, "a", "+2h"))
	fine(t, call(t, "", "retry", "--redis", url, "b"))
	fine(t, call(t, "", "retry", "--redis", url, "--category", "auth_failed"))
	fine(t, call(t, "", "retry", "--redis", url, "--category", "auth_failed", "--dry-run")) // does nothing
	if r := call(t, "", "cancel", "--redis", url, "c", "nobody"); r.code != exitFailed {
		t.Errorf("exit %d", r.code)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	line := func(action audit.Action, of, n int, ids ...string) audit.Record {
		r := audit.Record{Who: me.Username, Source: audit.CommandLine, Action: action, Outcome: audit.Done, Of: of, Count: n}
		for _, id := range ids {
			r.Mails = append(r.Mails, audit.Mail{ID: id})
		}
		return r
	}
	want := []audit.Record{
		line(audit.Reschedule, 1, 1, "a"), line(audit.Retry, 1, 1, "b"), line(audit.Retry, 0, 0), line(audit.Cancel, 2, 1, "c", "nobody"),
	}
	r := fine(t, call(t, "", "queue", "history", "--redis", url, "--json"))
	var got []audit.Record
	for text := range strings.Lines(r.out) {
		var record audit.Record
		if err := json.Unmarshal([]byte(text), &record); err != nil || time.Since(record.Time) > time.Minute {
			t.Errorf("%v in %q", err, text)
		}
		got = append(got, record)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(audit.Record{}, "Time")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r = fine(t, call(t, "", "queue", "history", "--redis", url, "--limit", "1"))
	if !strings.Contains(r.out, "cancel") || !strings.Contains(r.out, "1 of 2") || !strings.Contains(r.out, "c, nobody\n") || strings.Count(r.out, "\n") != 2 {
		t.Errorf("%q", r.out)
	}
	if strings.Contains(r.out, "example.org") || strings.Contains(r.out, "secret") {
		t.Errorf("something of a mail is in %q", r.out)
	}
	if r := call(t, "", "queue", "history", "--redis", url, "--limit", "0"); r.code != exitUsage {
		t.Errorf("exit %d", r.code)
	}

	// What cannot be written down is not done.
	if err := server.Client(t).Set(t.Context(), "rohrpost:audit", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if r := call(t, "", "cancel", "--redis", url, "a"); r.code != exitFailed || !strings.Contains(r.err, "nothing was done") {
		t.Errorf("%+v", r)
	}
	if r := fine(t, call(t, "", "status", "--redis", url, "a")); !strings.Contains(r.out, "scheduled") {
		t.Errorf("%q", r.out)
	}
}

func TestStatusOfAPausedQueue(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	url := server.URL()
	for _, id := range []string{"a", "b"} {
		fine(t, call(t, "", "send", "--redis", url, "--to", "kunde@example.org", "--text", "x", "--id", id))
	}
	fine(t, call(t, "", "cancel", "--redis", url, "b"))
	if err := asynq.NewInspectorFromRedisClient(server.Client(t)).PauseQueue("default"); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"a": true, "b": false} { // b has ended
		r := fine(t, call(t, "", "status", "--redis", url, id))
		if strings.Contains(r.out, "queue default since 20") != want || strings.Contains(r.out, " by ") {
			t.Errorf("%s: %q", id, r.out)
		}
		r = fine(t, call(t, "", "status", "--redis", url, "--json", id))
		if !strings.Contains(r.out, `"queue":"default"`) || strings.Contains(r.out, `"queue_paused_since":"20`) != want {
			t.Errorf("%s: %q", id, r.out)
		}
	}
}
