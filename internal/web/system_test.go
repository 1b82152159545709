package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/web"
)

// post is a click of olga's, which leads to a page.
func (s *site) post(t *testing.T, path string) answered {
	t.Helper()
	got := s.do(t, "olga", http.MethodPost, path, "")
	if got.status != http.StatusSeeOther && got.status != http.StatusOK {
		t.Errorf("POST %s: %d %s", path, got.status, got.body)
	}
	return got
}

// wants looks that a page has some texts, and none of others, which follow "".
func wants(t *testing.T, got answered, texts ...string) {
	t.Helper()
	if got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	}
	has := true
	for _, text := range texts {
		switch {
		case text == "":
			has = false
		case strings.Contains(got.body, text) != has:
			t.Errorf("%q is in it: %v, in %s", text, !has, got.body)
		}
	}
}

func TestSystemIsForOperators(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, tt := range []struct{ method, path string }{
		{http.MethodGet, "/system"},
		{http.MethodGet, "/system/check"},
		{http.MethodGet, "/system/check/repair"},
		{http.MethodGet, "/system/history"},
		{http.MethodPost, "/system/check"},
		{http.MethodPost, "/system/check/repair"},
		{http.MethodPost, "/system/queues/bulk/pause"},
		{http.MethodPost, "/system/queues/bulk/resume"},
	} {
		for user, want := range map[string]int{"": 401, "adam": 403, "rita": 403} {
			if got := s.do(t, user, tt.method, tt.path, ""); got.status != want {
				t.Errorf("%s %s as %q: %d, want %d", tt.method, tt.path, user, got.status, want)
			}
		}
		if tt.method == http.MethodGet {
			for _, lang := range []string{"en", "de"} {
				got := s.get(t, "olga", tt.path+"?lang="+lang)
				if got.status != http.StatusOK || strings.Contains(got.body, "%!") || !strings.Contains(got.body, `aria-current="page">System`) {
					t.Errorf("%s in %s: %d %s", tt.path, lang, got.status, got.body)
				}
			}
		}
	}
	if keys := s.redis.Client(t).Keys(t.Context(), "rohrpost:*").Val(); len(keys) > 0 {
		t.Errorf("the refused have left %q", keys)
	}
	if got := s.do(t, "olga", http.MethodPost, "/system/queues/bulk/pause", "", "Sec-Fetch-Site", "cross-site"); got.status != http.StatusForbidden {
		t.Errorf("from another site: %d", got.status)
	}
	for _, path := range []string{"/system/queues/none/pause", "/system/queues/bulk/delete", "/system/queues/bulk/"} {
		if got := s.do(t, "olga", http.MethodPost, path, ""); got.status != http.StatusNotFound && got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestSystemPausesAQueue(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	wants(t, s.get(t, "olga", "/system"), `action="/system/queues/bulk/pause"`, "", `/bulk/resume"`, "is paused")
	got := s.post(t, "/system/queues/bulk/pause")
	wants(t, s.get(t, "olga", got.header.Get("Location")), `role="status"`, "is paused", "by olga", `action="/system/queues/bulk/resume"`)
	if pauses, err := queue.Paused(t.Context(), s.redis.Client(t)); err != nil || len(pauses) != 1 || pauses[0].Queue != "bulk" {
		t.Errorf("%+v %v", pauses, err)
	}
	if list := s.history(t, audit.Pages); len(list) != 1 || list[0].Action != audit.Pause || list[0].Queue != "bulk" || list[0].Count != 1 || list[0].Outcome != audit.Done {
		t.Errorf("history %+v", list)
	}
	s.post(t, "/system/queues/bulk/pause") // is paused already
	s.post(t, "/system/queues/bulk/resume")
	wants(t, s.get(t, "olga", "/system?done=%3Cb%3E&queue=%3Cb%3E"), `/bulk/pause"`, "", "is paused", "<b>&", `role="status"`)
	list := s.history(t, audit.Pages)
	if len(list) != 3 || list[1].Count != 0 || list[2].Action != audit.Resume || list[2].Count != 1 {
		t.Errorf("history %+v", list)
	}
}

func TestSystemShowsWorkers(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	wants(t, s.get(t, "olga", "/system"), `role="alert"><b>No worker is running`)
	wants(t, s.get(t, "olga", "/system?lang=de"), "Kein Worker läuft")
	worker := func(id, host string, ago time.Duration) {
		t.Helper()
		rdb := s.redis.Client(t)
		rdb.HSet(t.Context(), "rohrpost:{workers}:about", id, fmt.Sprintf(`{"host":%q,"pid":7,"version":"v9","slots":50,"since":"2026-11-30T10:00:00Z"}`, host))
		if err := rdb.ZAdd(t.Context(), "rohrpost:{workers}:seen", redis.Z{Score: float64(time.Now().Add(-ago).UnixMilli()), Member: id}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	worker("a", "mail-1", 0)
	worker("b", "mail-2<script>alert(1)</script>", time.Minute)
	wants(t, s.get(t, "olga", "/system"), "One worker is running. It sends up to 50 mails", "mail-1", "v9", "silent for", "mail-2&lt;script&gt;", "", "<script>alert", "No worker")
	worker("b", "mail-2", 0)
	wants(t, s.get(t, "olga", "/system"), "2 workers are running. Together they send up to 100 mails")
}

func TestSystemShowsBacklogs(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	store := backlog.New(s.redis.Client(t), nil)
	for account, mails := range map[string]int{"platform": 1, "tenant/acme": 3, "user/acme/max%2F1": 2, "<b>own</b>": 1} {
		for i := range mails {
			ref := queue.Ref{Queue: "bulk", ID: fmt.Sprint(account, i)}
			if err := store.Enqueue(t.Context(), account, ref, time.Now().Add(time.Hour), string(dispatch.Rate)); err != nil {
				t.Fatal(err)
			}
		}
	}
	redistest.Until(t, "they are counted", func() bool {
		return strings.Contains(s.get(t, "olga", "/system").body, "Waiting mails: 7, accounts: 4")
	})
	got := s.get(t, "olga", "/system")
	wants(t, got, `<a href="/t/acme/accounts/tenant">tenant acme</a>`, `<a href="/t/acme/accounts/user/max%2F1">user max/1 (acme)</a>`,
		`<a href="/system/account">platform</a>`, "&lt;b&gt;own&lt;/b&gt;", "", "<b>own", "being counted")
	if strings.Index(got.body, ">tenant acme<") > strings.Index(got.body, ">user max/1") {
		t.Error("the longest backlog should come first")
	}
}

func TestSystemShowsRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	wants(t, s.get(t, "olga", "/system"), "CONFIG SET appendonly yes", "CONFIG SET maxmemory 4gb", "Redis deletes nothing to make room", "The clocks of Redis")
	rdb := s.redis.Client(t)
	for key, value := range map[string]string{"maxmemory-policy": "allkeys-lru", "appendonly": "yes", "maxmemory": "1gb"} {
		if err := rdb.ConfigSet(t.Context(), key, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	redistest.Until(t, "the memory is read again", func() bool { return strings.Contains(s.get(t, "olga", "/system").body, "of 1.0 GiB") })
	wants(t, s.get(t, "olga", "/system?lang=de"), "CONFIG SET maxmemory-policy noeviction", "zu beheben", "allkeys-lru", "Redis hält die Mails auf der Platte", "von 1,0 GiB")
}

func TestSystemHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	log, err := audit.New(audit.Options{Redis: s.redis.Client(t)})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, s.get(t, "olga", "/system/history"), "Nobody has done anything yet")
	const evil = "<script>alert(1)</script>"
	for i := range 60 {
		r := audit.Record{Who: "max", Source: audit.CommandLine, Action: audit.Cancel, Of: 7, Mails: []audit.Mail{{Tenant: "acme", ID: fmt.Sprintf("a/%d", i)}}}
		if i == 0 {
			r = audit.Record{Who: evil, Source: evil, Remote: evil, Action: evil, Queue: evil, Mails: []audit.Mail{{Tenant: evil, ID: evil}, {ID: evil}}}
		}
		entry, err := log.Begin(t.Context(), r)
		if err == nil {
			err = entry.Done(t.Context(), 5)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	first := s.get(t, "olga", "/system/history", "Cookie", "rohrpost-zone-"+s.port()+"=Europe/Berlin")
	wants(t, first, `href="/t/acme/mails/a%2F59"`, "5 of 7", "and 6 more", " CET", "", evil, `href="/t/acme/mails/a%2F9"`)
	older := regexp.MustCompile(`href="(/system/history\?[^"]*before=[^"]*)"`).FindStringSubmatch(first.body)
	if len(older) == 0 {
		t.Fatal("no older page")
	}
	wants(t, s.get(t, "olga", strings.ReplaceAll(older[1], "&amp;", "&")), `a%2F9"`, "&lt;script&gt;", "", evil, `a%2F10"`, ">Older<")
	wants(t, s.get(t, "olga", "/system/history?who=max&act=pause"), "No act fits", `value="max"`, `<option value="pause" selected>`)
	wants(t, s.get(t, "olga", "/system/history?who=max&act=cancel"), "a%2F59", "who=max", "", evil)
	wants(t, s.get(t, "olga", "/system/history?who=%3Cscript%3E&act=x&before=x"), "", "<script>")
}

func TestSystemChecks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	wants(t, s.get(t, "olga", "/system/check"), "There was no check", "Check now", "", "Repair…")
	s.mail(t, "well", "pending")
	s.mail(t, "stray", "scheduled")
	rdb := s.redis.Client(t)
	// Nobody takes this one, and the other tells of a mail that is not there.
	rdb.ZRem(t.Context(), "asynq:{default}:scheduled", rdb.ZRange(t.Context(), "asynq:{default}:scheduled", 0, 0).Val()[0])
	rdb.ZAdd(t.Context(), "asynq:{default}:retry", redis.Z{Score: 1, Member: "phantom"})
	if err := backlog.New(rdb, nil).Enqueue(t.Context(), "<b>own</b>", queue.Ref{Queue: "default", ID: "ghost"}, time.Now(), "busy"); err != nil {
		t.Fatal(err)
	}
	ended := func() bool { return !strings.Contains(s.get(t, "olga", "/system/check").body, "is under way") }

	s.post(t, "/system/check")
	if got := s.do(t, "olga", http.MethodPost, "/system/check/repair", ""); got.status != http.StatusConflict || !strings.Contains(got.body, "under way") {
		t.Errorf("two at a time: %d %s", got.status, got.body)
	}
	redistest.Until(t, "the check has ended", ended)
	wants(t, s.get(t, "olga", "/system/check"), "Mails on their way: 2. Not in order: 1", "in no queue", "entry without a mail", `href="/t/acme/mails/stray"`, "&lt;b&gt;own", "Harmless: 2",
		`href="/system/check/repair"`, "", "<b>own")
	wants(t, s.get(t, "olga", "/system/check/repair?lang=de"), "Warteschlangen reparieren?", "3 Dinge", "Jetzt reparieren")
	if len(s.history(t, audit.Pages)) != 0 {
		t.Error("a check alone is no act")
	}

	s.post(t, "/system/check/repair")
	redistest.Until(t, "the repair has ended", ended)
	wants(t, s.get(t, "olga", "/system/check"), "Latest repair", "Repaired: 3", "Repaired.")
	if list := s.history(t, audit.Pages); len(list) != 1 || list[0].Action != audit.Repair || list[0].Count != 3 || list[0].Outcome != audit.Done {
		t.Errorf("history %+v", list)
	}
	s.post(t, "/system/check")
	redistest.Until(t, "the second check has ended", ended)
	wants(t, s.get(t, "olga", "/system/check"), "Mails on their way: 2, each in exactly one place")
}

// Redis that does not answer costs no page more than three seconds, and each part says
// what is missing.
func TestSystemWithAFrozenRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.redis.Pause()
	defer s.redis.Resume()
	for _, tt := range []struct {
		method, path string
		status       int
		unread       int
	}{
		{http.MethodGet, "/system", 200, 5},
		{http.MethodGet, "/system/check", 200, 1},
		{http.MethodGet, "/system/history", 200, 1},
		{http.MethodPost, "/system/queues/bulk/pause", 503, 0},
		{http.MethodPost, "/system/check", 503, 0},
		{http.MethodPost, "/system/check/repair", 503, 0},
	} {
		begun := time.Now()
		got := s.do(t, "olga", tt.method, tt.path, "")
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s %s took %v", tt.method, tt.path, took)
		}
		if n := strings.Count(got.body, "Redis has not told this"); got.status != tt.status || n < tt.unread {
			t.Errorf("%s %s: %d, %d parts are missing: %s", tt.method, tt.path, got.status, n, got.body)
		}
	}
}

// BenchmarkSystem is the page with a million mails in queues and 100,000 accounts, all of
// them with backlogs.
func BenchmarkSystem(b *testing.B) {
	redisServer := redistest.Start(b)
	fill(b, redisServer.Client(b))
	server := benchServer(b, redisServer)
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/system", nil)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body)
		}
	}
}

func fill(b *testing.B, rdb redis.UniversalClient) {
	b.Helper()
	const mailsOfOne = 10
	accounts := 100_000
	if testing.Short() {
		accounts = 1000
	}
	pipe := rdb.Pipeline()
	for i := range accounts {
		account := fmt.Sprintf("tenant/t%d", i)
		waiting := make([]redis.Z, mailsOfOne)
		for k := range waiting {
			waiting[k] = redis.Z{Score: 1e13 + float64(time.Now().UnixMilli()), Member: fmt.Sprintf("default/%d-%d", i, k)}
		}
		pipe.ZAdd(b.Context(), backlog.Key(account), waiting...)
		pipe.ZAdd(b.Context(), "asynq:{default}:scheduled", waiting...)
		pipe.ZAdd(b.Context(), "rohrpost:backlog:index", redis.Z{Score: float64(time.Now().UnixMilli()), Member: account})
		if i%100 == 99 {
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func benchServer(b *testing.B, redisServer *redistest.Server) http.Handler {
	b.Helper()
	client := redisServer.Client(b)
	log, err := errorlog.New(errorlog.Options{Redis: client})
	if err != nil {
		b.Fatal(err)
	}
	server, err := web.New(web.Options{
		OpenRedis: func() (redis.UniversalClient, error) {
			return redisconn.Open(redisconn.Options{URL: redisServer.URL()})
		},
		Redis: client, ErrorLog: log, Problems: (&site{log: log}).problems(b, client), Mails: counter{}, Socket: true, Logger: zerolog.Nop(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	return server.Handler()
}
