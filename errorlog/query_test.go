package errorlog_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	f := setup(t)
	start := f.clock.now()
	for _, e := range []errorlog.Entry{
		{Tenant: "acme", JobID: "1", Category: "mailbox_full", Recipients: []string{"Max.Muster@Example.org", "b@example.org"}},
		{Tenant: "beta", JobID: "2", Category: "mailbox_full"},
		{Tenant: "acme", JobID: "3", Category: "auth_failed", Recipients: []string{"b@example.org"}},
		{Tenant: "", JobID: "4", Category: "auth_failed"},
		{Tenant: "acme", JobID: "3", Category: "mailbox_full"},
	} {
		f.append(t, e)
		f.clock.advance(time.Minute)
	}
	minutes := func(n int) time.Time { return start.Add(time.Duration(n) * time.Minute) }
	tests := []struct {
		name   string
		filter errorlog.Filter
		want   string
	}{
		{"platform", errorlog.Filter{}, "4"},
		{"tenant, newest first", errorlog.Filter{Tenant: "acme"}, "3 3 1"},
		{"tenant, oldest first", errorlog.Filter{Tenant: "acme", OldestFirst: true}, "1 3 3"},
		{"nobody", errorlog.Filter{Tenant: "nobody"}, ""},
		{"all, newest first", errorlog.Filter{AllTenants: true}, "3 4 3 2 1"},
		{"all, oldest first", errorlog.Filter{AllTenants: true, OldestFirst: true}, "1 2 3 4 3"},
		{"limit", errorlog.Filter{AllTenants: true, Limit: 2}, "3 4"},
		{"limit, oldest first", errorlog.Filter{AllTenants: true, OldestFirst: true, Limit: 2}, "1 2"},
		{"from is inclusive", errorlog.Filter{AllTenants: true, From: minutes(2)}, "3 4 3"},
		{"to is inclusive", errorlog.Filter{AllTenants: true, To: minutes(2)}, "3 2 1"},
		{"from and to", errorlog.Filter{AllTenants: true, From: minutes(1), To: minutes(3), OldestFirst: true}, "2 3 4"},
		{"between entries", errorlog.Filter{AllTenants: true, From: minutes(1).Add(time.Second), To: minutes(2).Add(-time.Second)}, ""},
		{"before the log began", errorlog.Filter{AllTenants: true, To: start.Add(-time.Hour)}, ""},
		{"from the future", errorlog.Filter{AllTenants: true, From: start.Add(time.Hour)}, ""},
		{"category", errorlog.Filter{AllTenants: true, Category: "auth_failed"}, "4 3"},
		{"category of a tenant", errorlog.Filter{Tenant: "acme", Category: "auth_failed"}, "3"},
		{"job", errorlog.Filter{Tenant: "acme", JobID: "3"}, "3 3"},
		{"job of another tenant", errorlog.Filter{Tenant: "acme", JobID: "2"}, ""},
		{"recipient", errorlog.Filter{Tenant: "acme", Recipient: "b@example.org"}, "3 1"},
		{"recipient in other case", errorlog.Filter{Tenant: "acme", Recipient: " max.muster@EXAMPLE.org "}, "1"},
		{"a mask is no recipient", errorlog.Filter{Tenant: "acme", Recipient: "b***@example.org"}, ""},
		{"all at once", errorlog.Filter{Tenant: "acme", Category: "mailbox_full", JobID: "1", Recipient: "b@example.org", Limit: 5}, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := strings.Fields(tt.want)
			diff(t, "query", want, f.jobs(t, tt.filter))
			got := f.export(t, tt.filter)
			if n := int64(len(want)); got.summary.Entries != n || got.summary.Written != n || strings.Count(got.text, "\n") != len(want)+1 {
				t.Errorf("exported %d of %d, want %d:\n%s", got.summary.Written, got.summary.Entries, n, got.text)
			}
		})
	}
}

func TestFilterContradicts(t *testing.T) {
	t.Parallel()
	f := setup(t)
	tests := map[string]errorlog.Filter{
		"tenant and all": {Tenant: "acme", AllTenants: true},
		"negative limit": {Limit: -1},
		"from after to":  {From: f.clock.now(), To: f.clock.now().Add(-time.Second)},
	}
	for name, filter := range tests {
		t.Run(name, func(t *testing.T) {
			n := 0
			for e, err := range f.Query(t.Context(), filter) {
				if n++; !errors.Is(err, errorlog.ErrFilter) {
					t.Errorf("%v, %v", e, err)
				}
			}
			if n != 1 {
				t.Errorf("%d errors, want 1", n)
			}
		})
	}
}

// Every field comes back as it went in.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	f := setup(t, showRecipients)
	want := errorlog.Entry{
		Time: f.clock.now().Truncate(time.Millisecond), Tenant: "acme", User: "max", JobID: "invoice-4711",
		MessageID: "<1@acme.example>", Attempt: 3, Account: "tenant:acme", Level: "tenant", Host: "192.0.2.7:465",
		Stage: string(failure.StageRcpt), Code: 550, Enhanced: "5.1.1", Diagnostic: "no such user <Max@Example.org>, Grüße",
		Category: "recipient_unknown", Class: string(failure.Permanent), Recipients: []string{"Max@Example.org", "ü@bücher.example"},
		NextAttempt: f.clock.now().Add(time.Hour).Truncate(time.Millisecond), Final: true,
		Metadata: map[string]string{"invoice": "4711", "": "=x"}, Rule: 17,
	}
	f.append(t, want)
	got := f.query(t, errorlog.Filter{Tenant: "acme"})
	diff(t, "entries", []errorlog.Entry{want}, got)
	if zone, _ := got[0].Time.Zone(); zone != "CET" {
		t.Errorf("zone %s, want the clock's", zone)
	}
}

// Names of tenants are data: none may lead into another one's log.
func TestOddTenants(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		f := setupOn(t, client)
		names := []string{
			"", " ", "@platform", "{}", "}", "{", "a", "A", "a:late", "a}:late", "tenants", "recipient", "a b", "a+b", "a%20b",
			"müller & söhne", "日本", "*", "?", "a\nb", "a\x00b", "\xff", strings.Repeat("x", 2000),
		}
		for i, name := range names {
			f.append(t, errorlog.Entry{Tenant: name, JobID: strconv.Itoa(i)}, errorlog.Entry{Tenant: name, JobID: strconv.Itoa(i), Time: f.clock.now().Add(-time.Minute)})
		}
		for i, name := range names {
			got := f.query(t, errorlog.Filter{Tenant: name})
			if len(got) != 2 || got[0].JobID != strconv.Itoa(i) || got[1].JobID != strconv.Itoa(i) || got[0].Tenant != name {
				t.Errorf("tenant %q sees %v", name, got)
			}
		}
		listed, err := f.Tenants(t.Context())
		if err != nil || len(listed) != len(names) {
			t.Errorf("%d of %d tenants are listed, %v", len(listed), len(names), err)
		}
		sizes, err := f.Size(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if sizes[name] != 2 {
				t.Errorf("size of %q: %d, want 2", name, sizes[name])
			}
		}
		if n := len(f.query(t, errorlog.Filter{AllTenants: true})); n != 2*len(names) {
			t.Errorf("all tenants: %d entries, want %d", n, 2*len(names))
		}
	})
}

// More entries than a page holds, more tenants than pages, and a caller who has enough.
func TestPages(t *testing.T) {
	t.Parallel()
	f := setup(t)
	const tenants, each = 40, 60
	var batch []errorlog.Entry
	for i := range tenants * each {
		f.clock.advance(time.Millisecond)
		batch = append(batch, errorlog.Entry{Tenant: strconv.Itoa(i * 7 % tenants), JobID: strconv.Itoa(i), Time: f.clock.now()})
	}
	for i := range 1100 {
		batch = append(batch, errorlog.Entry{Tenant: "acme", JobID: strconv.Itoa(i), Time: f.clock.now()})
	}
	f.append(t, batch...)
	for _, oldestFirst := range []bool{true, false} {
		for filter, want := range map[errorlog.Filter]int{
			{Tenant: "acme", OldestFirst: oldestFirst}:   1100,
			{AllTenants: true, OldestFirst: oldestFirst}: tenants*each + 1100,
		} {
			got := f.query(t, filter)
			if len(got) != want {
				t.Fatalf("%d entries, want %d", len(got), want)
			}
			for i := 1; i < len(got); i++ {
				if c := got[i-1].Time.Compare(got[i].Time); c != 0 && (c < 0) != oldestFirst {
					t.Fatalf("entry %d is out of order", i)
				}
			}
		}
	}
	for e, err := range f.Query(t.Context(), ofAcme) {
		if err != nil || e.JobID != "0" {
			t.Errorf("%v, %v", e, err)
		}
		break
	}
}

func TestUnreadableEntry(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.append(t, errorlog.Entry{Tenant: "acme", JobID: "1"})
	for _, values := range [][]any{{"e", "{"}, {"x", "y"}, {"e", `{"time":7}`}} {
		f.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: acme, ID: strconv.FormatInt(f.clock.now().UnixMilli(), 10) + "-*", Values: values})
	}
	got := f.query(t, ofAcme)
	if len(got) != 4 || got[0].JobID != "1" {
		t.Fatalf("%d entries: %v", len(got), got)
	}
	for _, e := range got[1:] {
		if e.Category != "unreadable" || e.Tenant != "acme" || !e.Time.Equal(got[0].Time) {
			t.Errorf("%+v", e)
		}
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t)
	logs := []fixture{setupOn(t, client), setupOn(t, client)}
	logs[1].clock.advance(-30 * time.Second)
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			f := logs[w%2]
			for i := range each {
				job := strconv.Itoa(w) + "/" + strconv.Itoa(i)
				if err := f.Append(t.Context(), errorlog.Entry{Tenant: "acme", JobID: job, Recipients: []string{"a@example.org"}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range logs[0].query(t, errorlog.Filter{Tenant: "acme", Recipient: "A@example.org"}) {
		seen[e.JobID] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d different entries, want %d", len(seen), writers*each)
	}
}

func TestRedisGone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := setupOn(t, server.Client(t))
	f.append(t, errorlog.Entry{Tenant: "acme"})
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := f.Append(ctx, errorlog.Entry{Tenant: "acme"}); err == nil {
		t.Error("Append: no error")
	}
	if _, err := f.Tenants(ctx); err == nil {
		t.Error("Tenants: no error")
	}
	if _, err := f.Size(ctx); err == nil {
		t.Error("Size: no error")
	}
	var wg sync.WaitGroup
	for name, seq := range map[string]func(func(errorlog.Entry, error) bool){
		"Query":  f.Query(ctx, ofAcme),
		"Follow": f.Follow(ctx, ofAcme),
	} {
		wg.Go(func() {
			n := 0
			for _, err := range seq {
				if n++; err == nil {
					t.Errorf("%s: no error", name)
				}
			}
			if n != 1 {
				t.Errorf("%s yields %d times, want once", name, n)
			}
		})
	}
	wg.Wait()
}

// A refused write is an error, whatever the other ones became.
func TestAppendRefused(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.redis.Set(t.Context(), acme, "no stream", 0)
	err := f.Append(t.Context(), errorlog.Entry{Tenant: "acme"}, errorlog.Entry{Tenant: "beta", JobID: "1"})
	if err == nil || !strings.Contains(err.Error(), "WRONGTYPE") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want one line with WRONGTYPE", err)
	}
	diff(t, "the other tenant", []string{"1"}, f.jobs(t, errorlog.Filter{Tenant: "beta"}))
}

func TestNew(t *testing.T) {
	t.Parallel()
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{"127.0.0.1:1"}})
	t.Cleanup(func() { _ = client.Close() })
	tests := []struct {
		name string
		o    errorlog.Options
		want []string // parts of the error; none: it is fine
	}{
		{"defaults", errorlog.Options{Redis: client}, nil},
		{"nothing", errorlog.Options{}, []string{"Redis"}},
		{"all wrong", errorlog.Options{Retention: -time.Hour, MaxEntries: -1}, []string{"Redis", "retention", "max_entries"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := errorlog.New(tt.o)
			if (err == nil) != (tt.want == nil) {
				t.Fatal(err)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
		})
	}
}
