package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestQueueCheck(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb, url := server.Client(t), server.URL()
	check := func(args ...string) result {
		t.Helper()
		return call(t, "", append([]string{"queue", "check", "--redis", url, "--pause", "20ms"}, args...)...)
	}
	has := func(r result, code int, words ...string) {
		t.Helper()
		if r.code != code {
			t.Errorf("exit %d, want %d: %s%s", r.code, code, r.out, r.err)
		}
		for _, word := range words {
			if !strings.Contains(r.out+r.err, word) {
				t.Errorf("%q is not in %q", word, r.out+r.err)
			}
		}
	}
	has(check(), exitDone, "0 mails on the way, each in exactly one place\n")
	for i := range 3 {
		fine(t, call(t, "", "send", "--redis", url, "--to", "a@example.org", "--tenant", "acme", "--text", "secret words", "--id", fmt.Sprint("mail-", i)))
	}
	has(check(), exitDone, "3 mails on the way, each in exactly one place\n")

	ctx := t.Context()
	harm := func(args ...any) {
		t.Helper()
		if err := rdb.Do(ctx, args...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	harm("LREM", "asynq:{default}:pending", 0, "mail-0,acme") // orphaned
	harm("DEL", "rohrpost:job:{mail-1},acme")                 // unrecorded
	harm("ZADD", "asynq:{default}:lease", 1, "nobody")        // a phantom
	r := check()
	has(r, exitFailed, "orphaned  acme  mail-0  queue default  queued\n", "→ rohrpost queue check --repair", "unrecorded  acme  mail-1", "phantom",
		"2 mails on the way; not in order: 1 orphaned, 1 phantom, 1 unrecorded\n", "rohrpost: 2 findings remain\n")
	if strings.Contains(r.out, "secret") || strings.Contains(r.out, "example.org") {
		t.Errorf("something of the mail is in %q", r.out)
	}

	r = check("--json")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var sum tally
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil || len(lines) != 4 || sum.OnTheWay != 2 || sum.Remain != 2 || sum.Wrong != 2 {
		t.Errorf("%v in %q", err, r.out)
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %q", line)
		}
	}
	if r.code != exitFailed {
		t.Errorf("exit %d", r.code)
	}

	has(check("--repair"), exitFailed, "→ repaired", "repaired: 2\n", "1 finding remains")
	harm("LREM", "asynq:{default}:pending", 0, "mail-1,acme")
	harm("DEL", "asynq:{default}:t:mail-1,acme")
	has(check(), exitDone, "2 mails on the way, each in exactly one place\n")

	harm("SREM", "asynq:queues", "default") // harmless
	has(check(), exitDone, "forgotten  queue default\n", "each in exactly one place; harmless: 1 forgotten\n")
	has(check("--repair", "--json"), exitDone, `"repaired":true`, `"remain":0`)
	has(check("everything"), exitUsage)
	has(call(t, "", "queue", "chekc"), exitUsage)
}
