package attack

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// platform is a server through which everybody's mails leave.
func platform(t *testing.T, s *site) *smtptest.Server {
	t.Helper()
	server := smtptest.Start(t, smtptest.Options{})
	s.write("accounts.yaml", fmt.Sprintf("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}\n", server.Port()))
	return server
}

// jsonMail is a message as the command line reads it.
func jsonMail(t *testing.T, tenant string, attached int, notBefore time.Time) string {
	t.Helper()
	m := map[string]any{
		"tenant": tenant, "to": []map[string]string{{"address": "kunde@example.org"}}, "subject": "Rechnung", "text": "Guten Tag",
	}
	if attached > 0 {
		content := []byte(strings.Repeat(strconv.FormatInt(time.Now().UnixNano(), 10), attached/19+1))[:attached]
		m["attachments"] = []map[string]string{{"name": "a.bin", "content": base64.StdEncoding.EncodeToString(content)}}
	}
	if !notBefore.IsZero() {
		m["not_before"] = notBefore.Format(time.RFC3339)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// memory is what Redis uses, in MiB.
func memory(t *testing.T, rdb redis.UniversalClient) float64 {
	t.Helper()
	for line := range strings.Lines(rdb.Info(t.Context(), "memory").Val()) {
		if n, ok := strings.CutPrefix(line, "used_memory:"); ok {
			bytes, _ := strconv.ParseFloat(strings.TrimSpace(n), 64)
			return bytes / (1 << 20)
		}
	}
	t.Fatal("no used_memory")
	return 0
}

// H5: one tenant fills Redis with large mails for the next century. It is stopped before
// the last tenth, by name, and the other tenant's mails leave and are settled.
func TestH5FillRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, "log: {level: info}\n", redistest.Args("--maxmemory", "64mb"))
	server := platform(t, s)
	rdb := s.redis.Client(t)
	const others = 50
	var batch strings.Builder
	for range others {
		batch.WriteString(jsonMail(t, "other", 0, time.Time{}))
	}
	s.run(batch.String(), "send", "--batch")
	before := memory(t, rdb)

	if _, problem, err := s.try(jsonMail(t, "evil", 18<<20, time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)), "send"); err == nil ||
		!strings.Contains(problem, "not_before") || !strings.Contains(problem, "limits.not_before_max") {
		t.Fatalf("a mail for 2099: %v %s", err, problem)
	}
	accepted := 0
	for _, bytes := range []int{18 << 20, 4 << 20, 1 << 20, 100 << 10} {
		for refused := 0; refused < 2; {
			_, problem, err := s.try(jsonMail(t, "evil", bytes, time.Now().Add(80*24*time.Hour)), "send")
			if err == nil {
				accepted++
				continue
			}
			refused++
			if !strings.Contains(problem, "the memory of redis is full") || !strings.Contains(problem, "maxmemory") {
				t.Fatalf("refused with %s", problem)
			}
		}
	}
	t.Logf("redis used %.1f MiB of 64 before, %.1f with %d mails of the attacker", before, memory(t, rdb), accepted)
	if n := len(rdb.Keys(t.Context(), "rohrpost:job:*").Val()); n != others+accepted {
		t.Errorf("%d records of %d mails: what was refused has left something", n, others+accepted)
	}

	w := s.start("worker")
	waitFor(t, "the other tenant's mails have left", func() bool { return server.Taken() == others })
	waitFor(t, "they are settled", func() bool {
		settled := 0
		for _, key := range rdb.Keys(t.Context(), "rohrpost:job:*").Val() {
			if h := rdb.HMGet(t.Context(), key, "t", "s").Val(); h[0] == "other" && h[1] == "accepted" {
				settled++
			}
		}
		return settled == others
	})
	waitFor(t, "they no longer count", func() bool { return !rdb.HExists(t.Context(), "rohrpost:quota:{waiting}:mails", "other").Val() })
	waitFor(t, "a warning", func() bool { return strings.Contains(w.said.String(), "the memory of redis is full to") })
	resp, err := http.Get("http://" + w.addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if text := string(metrics); !strings.Contains(text, "rohrpost_redis_memory_used_ratio 0.8") && !strings.Contains(text, "rohrpost_redis_memory_used_ratio 0.9") {
		t.Error("no metric of the memory of redis")
	}
	t.Logf("redis uses %.1f MiB after the other tenant's mails", memory(t, rdb))
}

// H5: the quotas of a tenant are its own, exact, and named.
func TestH5Quotas(t *testing.T) {
	t.Parallel()
	s := newSite(t, "limits: {waiting_mails_per_tenant: 5, waiting_bytes_per_tenant: 30MiB}\n")
	send := func(tenant string, bytes int) string {
		_, problem, _ := s.try(jsonMail(t, tenant, bytes, time.Now().Add(time.Hour)), "send")
		return problem
	}
	for i := range 8 {
		if problem := send("evil", 0); (problem != "") != (i >= 5) || problem != "" && !strings.Contains(problem, "limits.waiting_mails_per_tenant is 5") {
			t.Errorf("mail %d: %s", i, problem)
		}
	}
	for i := range 3 {
		if problem := send("heavy", 18<<20); (problem != "") != (i >= 1) || problem != "" && !strings.Contains(problem, "limits.waiting_bytes_per_tenant is 30.0 MiB") {
			t.Errorf("large mail %d: %s", i, problem)
		}
	}
	if problem := send("other", 0); problem != "" {
		t.Errorf("the other tenant: %s", problem)
	}
	if n := len(s.redis.Client(t).Keys(t.Context(), "rohrpost:job:*").Val()); n != 7 {
		t.Errorf("%d records of 7 mails", n)
	}
}

// H5: mails that have ended do not fill Redis, neither those that a tenant's own server
// accepts nor those that it refuses; of the latter the bound of the tenant stays.
func TestH5EndedMails(t *testing.T) {
	t.Parallel()
	for what, refused := range map[string]bool{"accepted": false, "refused": true} {
		s := newSite(t, "log: {level: info}\nlimits: {max_message_size: 4MiB, failed_bytes_per_tenant: 4MiB}\n", redistest.Args("--maxmemory", "64mb"))
		server := platform(t, s)
		if refused {
			server.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 unknown"))
		}
		rdb := s.redis.Client(t)
		s.start("worker")
		before := memory(t, rdb)
		const rounds, mails = 8, 10 // together more than Redis has room for
		for i := range rounds {
			var batch strings.Builder
			for range mails {
				batch.WriteString(jsonMail(t, "evil", 1<<20, time.Time{}))
			}
			s.run(batch.String(), "send", "--batch")
			waitFor(t, "round "+strconv.Itoa(i)+" has ended", func() bool {
				return !rdb.HExists(t.Context(), "rohrpost:quota:{waiting}:mails", "evil").Val()
			})
		}
		most := 2.0 // MiB
		if refused {
			most += 4
		}
		waitFor(t, "what the mails consisted of is gone", func() bool { return memory(t, rdb) < before+most })
		t.Logf("%s: redis used %.1f MiB before, %.1f after %d mails of a megabyte", what, before, memory(t, rdb), rounds*mails)
	}
}
