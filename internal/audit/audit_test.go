package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/audit"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop())
	m.Run()
}

// clock is a time that a test sets.
type clock struct{ now time.Time }

func newLog(t *testing.T) (*audit.Log, *redistest.Server, *clock) {
	t.Helper()
	server := redistest.Start(t)
	c := &clock{time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	log, err := audit.New(audit.Options{Redis: server.Client(t), Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	return log, server, c
}

func latest(t *testing.T, log *audit.Log, limit int) []audit.Record {
	t.Helper()
	list, err := log.Latest(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func xadd(text string) *redis.XAddArgs {
	return &redis.XAddArgs{Stream: "rohrpost:audit", Values: []any{"act", text}}
}

func TestLines(t *testing.T) {
	t.Parallel()
	log, _, c := newLog(t)
	ctx := t.Context()
	long := audit.Record{
		Who: "olga", Source: audit.Dashboard, Remote: "192.0.2.1", Action: audit.Retry, Queue: "bulk", Of: 7,
		Mails: []audit.Mail{{Tenant: "acme", ID: "1"}, {ID: "2"}, {ID: "3"}, {ID: "4"}, {ID: "5"}, {ID: "6"}, {ID: "7"}},
	}
	first, err := log.Begin(ctx, long)
	if err != nil {
		t.Fatal(err)
	}
	long.Time, long.Outcome, long.Mails = c.now, audit.Begun, long.Mails[:5]
	if diff := cmp.Diff([]audit.Record{long}, latest(t, log, 10)); diff != "" {
		t.Errorf("begun (-want +got):\n%s", diff)
	}
	c.now = c.now.Add(time.Second)
	refused := audit.Record{Who: strings.Repeat("x", 200), Source: audit.Dashboard, Action: audit.DeleteAll, Queue: "bulk"}
	refused.Mails = []audit.Mail{{Tenant: strings.Repeat("t", 600), ID: strings.Repeat("i", 1<<20)}}
	if err := log.Refuse(ctx, refused); err != nil {
		t.Fatal(err)
	}
	refused.Time, refused.Outcome, refused.Who = c.now, audit.Refused, refused.Who[:128]
	refused.Mails = []audit.Mail{{Tenant: strings.Repeat("t", 512), ID: strings.Repeat("i", 512)}}
	if err := first.Done(ctx, 6); err != nil {
		t.Fatal(err)
	}
	long.Outcome, long.Count = audit.Done, 6
	if diff := cmp.Diff([]audit.Record{long, refused}, latest(t, log, 10)); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if list := latest(t, log, 1); len(list) != 1 {
		t.Errorf("limit 1: %+v", list)
	}
}

func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	log, server, _ := newLog(t)
	rdb := server.Client(t)
	pipe := rdb.Pipeline()
	for i := range audit.MaxLines {
		pipe.XAdd(t.Context(), xadd(fmt.Sprintf(`{"who":"%d"}`, i)))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		entry, err := log.Begin(t.Context(), audit.Record{Who: "olga", Action: audit.Cancel})
		if err == nil {
			err = entry.Done(t.Context(), 1)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := rdb.XLen(t.Context(), "rohrpost:audit").Val(); n > audit.MaxLines {
		t.Errorf("%d lines", n)
	}
	if list := latest(t, log, 3); list[0].Who != "olga" {
		t.Errorf("the latest are %+v", list)
	}
}

func TestPausedBy(t *testing.T) {
	t.Parallel()
	log, _, c := newLog(t)
	line := func(who string, action audit.Action, queue string) {
		t.Helper()
		entry, err := log.Begin(t.Context(), audit.Record{Who: who, Action: action, Queue: queue})
		if err == nil {
			err = entry.Done(t.Context(), 1)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(time.Minute)
	}
	line("early", audit.Pause, "bulk")
	since := c.now.Truncate(time.Second).Add(time.Second)
	line("olga", audit.Pause, "bulk")
	line("adam", audit.Resume, "bulk")
	line("eve", audit.Pause, "default")
	for name, tt := range map[string]struct {
		queue string
		since time.Time
		want  string
	}{
		"a line":            {"bulk", since, "olga"},
		"by another tool":   {"bulk", since.Add(30 * time.Second), ""},
		"of another queue":  {"critical", since, ""},
		"of an unread time": {"bulk", time.Time{}, ""},
	} {
		if got, err := log.PausedBy(t.Context(), tt.queue, tt.since); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	if _, err := audit.New(audit.Options{}); err == nil {
		t.Error("no Redis, and no error")
	}
	log, server, _ := newLog(t)
	rdb := server.Client(t)
	if err := rdb.XAdd(t.Context(), xadd("no JSON")).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Latest(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "not one of rohrpost's") {
		t.Errorf("a foreign line: %v", err)
	}
	entry, err := log.Begin(t.Context(), audit.Record{})
	if err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), "rohrpost:audit", "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Begin(t.Context(), audit.Record{}); err == nil {
		t.Error("no line, and no error")
	}
	if err := entry.Done(t.Context(), 1); err == nil {
		t.Error("no outcome, and no error")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	log, server, c := newLog(t)
	pipe := server.Client(t).Pipeline()
	for i := range 1200 { // more than two portions
		who := []string{"olga", "max"}[i%2]
		action := []audit.Action{audit.Pause, audit.Resume, audit.Retry}[i%3]
		pipe.XAdd(t.Context(), xadd(fmt.Sprintf(`{"time":%q,"who":%q,"action":%q,"of":%d}`, c.now.Format(time.RFC3339), who, action, i)))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		query audit.Query
		want  int
	}{
		"all":            {audit.Query{}, 1200},
		"of olga":        {audit.Query{Who: "olga"}, 600},
		"pauses":         {audit.Query{Action: audit.Pause}, 400},
		"pauses of olga": {audit.Query{Who: "olga", Action: audit.Pause}, 200},
		"of nobody":      {audit.Query{Who: "olg"}, 0},
		"foreign cursor": {audit.Query{Before: "- + 1-0"}, 1200},
	} {
		q := tt.query
		q.Limit = 70
		seen, least := 0, 1200
		for {
			page, err := log.Page(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				if r.Of >= least || q.Who != "" && r.Who != q.Who || q.Action != "" && r.Action != q.Action {
					t.Fatalf("%s: %+v after %d", name, r, least)
				}
				least = r.Of
			}
			seen += len(page.Records)
			if q.Before = page.Next; q.Before == "" {
				break
			}
			if len(page.Records) != q.Limit {
				t.Fatalf("%s: %d records and more to come", name, len(page.Records))
			}
		}
		if seen != tt.want {
			t.Errorf("%s: %d records, want %d", name, seen, tt.want)
		}
	}
}
