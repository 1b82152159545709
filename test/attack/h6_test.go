package attack

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// H6: a server refuses a thousand long recipients, over and over. An entry of the error
// log stays small and says how many there are more, and the tenant's log is bounded.
func TestH6RefusedRecipients(t *testing.T) {
	t.Parallel()
	s := newSite(t, "errorlog: {max_bytes: 64KiB}\n")
	server := platform(t, s)
	server.On(smtptest.RCPT, smtptest.Reply(550, `5.1.1 "nobody" here`))
	const mails = 20
	domain := strings.Repeat(strings.Repeat("d", 60)+".", 3) + "example"
	var batch strings.Builder
	for range mails {
		m := map[string]any{"tenant": "acme", "subject": "x", "text": "x", "metadata": map[string]string{"a": strings.Repeat("m", 2000), "b": strings.Repeat("m", 2000)}}
		var to []map[string]string
		for i := range 1000 {
			to = append(to, map[string]string{"address": fmt.Sprintf("%040d@%s", i, domain)})
		}
		m["to"] = to
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		batch.Write(append(text, '\n'))
	}
	s.run(batch.String(), "send", "--batch")
	s.start("worker", "ROHRPOST_WORKER_CONCURRENCY=4")
	rdb := s.redis.Client(t)
	waitFor(t, "all have failed", func() bool {
		n := 0
		for _, key := range rdb.Keys(t.Context(), "rohrpost:job:*").Val() {
			if rdb.HGet(t.Context(), key, "s").Val() == "failed" {
				n++
			}
		}
		return n == mails
	})
	total, largest := 0, 0
	entries := rdb.XRange(t.Context(), "rohrpost:errors:{acme}", "-", "+").Val()
	for _, e := range entries {
		n := len(e.Values["e"].(string))
		total, largest = total+n, max(largest, n)
	}
	t.Logf("%d mails to 1,000 refused recipients each: %d entries are kept, the largest has %d bytes, all have %d", mails, len(entries), largest, total)
	if len(entries) == 0 || largest > 8<<10 || total > 64<<10 {
		t.Error("the log is empty, an entry has more than 8 KiB, or the log more than 64")
	}
	for lang, want := range map[string]string{"en": "… and 980 more", "de": "… und 980 weitere"} {
		if out := s.run("", "errors", "list", "--tenant", "acme", "--limit", "1", "--lang", lang); !strings.Contains(out, want) {
			t.Errorf("no %q in %.300s", want, out)
		}
	}
}
