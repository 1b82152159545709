package errorlog_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/errorlog"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

var ofAcme = errorlog.Filter{Tenant: "acme", OldestFirst: true}

func TestRollingWindow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		f := setupOn(t, client)
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "old"})

		f.clock.advance(23*time.Hour + 59*time.Minute)
		diff(t, "after 23:59", []string{"old"}, f.jobs(t, ofAcme))
		f.clock.advance(time.Minute)
		diff(t, "after 24:00", []string{"old"}, f.jobs(t, ofAcme))
		if n := f.length(t); n != 1 {
			t.Fatalf("Redis holds %d entries, want 1", n)
		}

		f.clock.advance(time.Minute)
		if tenants, err := f.Tenants(t.Context()); err != nil || len(tenants) != 0 {
			t.Errorf("tenants %q, %v", tenants, err)
		}
		diff(t, "after 24:01", []string{}, f.jobs(t, ofAcme))
		if n := f.length(t); n != 0 {
			t.Errorf("Redis holds %d entries, want none", n)
		}
		if left, err := f.redis.XRange(t.Context(), acme, "-", "+").Result(); err != nil || len(left) != 0 {
			t.Errorf("XRANGE: %v, %v", left, err)
		}
	})
}

// Nobody has to read for an entry to leave: a write does it, and so do metrics.
func TestRolledWithoutReading(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		act  func(*testing.T, fixture)
		want int64
	}{
		{"write", func(t *testing.T, f fixture) { f.append(t, errorlog.Entry{Tenant: "acme", JobID: "new"}) }, 1},
		{"size", func(t *testing.T, f fixture) {
			f.append(t, errorlog.Entry{Tenant: "other"})
			sizes, err := f.Size(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "sizes", map[string]int64{"acme": 1, "other": 1}, sizes)
		}, 1},
		{"too old on arrival", func(t *testing.T, f fixture) {
			f.append(t, errorlog.Entry{Tenant: "acme", Time: f.clock.now().Add(-24*time.Hour - time.Minute)})
			if f.redis.HExists(t.Context(), acme+":state", "lag").Val() {
				t.Error("it was in the log for a moment, and left its mark")
			}
		}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := setup(t)
			f.append(t, errorlog.Entry{Tenant: "acme", JobID: "old"})
			f.clock.advance(2 * time.Minute)
			if tt.name != "write" { // keeps the tenant in the index
				f.append(t, errorlog.Entry{Tenant: "acme", JobID: "kept"})
			}
			f.clock.advance(24*time.Hour - time.Minute)
			tt.act(t, f)
			if n := f.length(t); n != tt.want {
				t.Errorf("Redis holds %d entries, want %d", n, tt.want)
			}
		})
	}
}

// The keys of a tenant who falls silent end by themselves.
func TestSilentTenant(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	client := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{server.Addr()}})
	t.Cleanup(func() { _ = client.Close() })
	f := setupOn(t, client, maxEntries(2))
	for range 3 { // fills stream, late and state
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "late", Time: f.clock.now().Add(-time.Hour)}, errorlog.Entry{Tenant: "acme"})
		f.clock.advance(time.Second)
	}
	before := server.Keys()
	diff(t, "keys", []string{"rohrpost:errors:recipient", "rohrpost:errors:tenants", acme, acme + ":late", acme + ":state"}, before)
	server.FastForward(24*time.Hour - time.Second)
	diff(t, "keys after 23:59:59", before, server.Keys())
	server.FastForward(12 * time.Second)
	diff(t, "keys after 24:00:11", []string{"rohrpost:errors:recipient"}, server.Keys())
}

func TestTTLIsRenewedByWritesOnly(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.append(t, errorlog.Entry{Tenant: "acme"})
	for _, key := range []string{acme, "rohrpost:errors:tenants"} {
		if ttl := f.redis.PTTL(t.Context(), key).Val(); ttl < 24*time.Hour || ttl > 24*time.Hour+10*time.Second {
			t.Errorf("TTL of %s: %v", key, ttl)
		}
		f.redis.PExpire(t.Context(), key, time.Hour)
	}
	f.query(t, errorlog.Filter{AllTenants: true})
	for _, key := range []string{acme, "rohrpost:errors:tenants"} {
		if ttl := f.redis.PTTL(t.Context(), key).Val(); ttl > time.Hour {
			t.Errorf("reading made the TTL of %s %v", key, ttl)
		}
	}
}

// Entries that arrive out of order are kept, found by their own time, and leave by it.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		f := setupOn(t, client)
		now := f.clock.now()
		at := func(job string, age time.Duration) errorlog.Entry {
			return errorlog.Entry{Tenant: "acme", JobID: job, Time: now.Add(-age)}
		}
		f.append(t, at("ahead", -5*time.Minute))
		f.append(t, at("right", 0), at("behind", 5*time.Minute))
		f.append(t, at("found late", 20*time.Hour))
		diff(t, "all", []string{"ahead", "right", "behind", "found late"}, f.jobs(t, ofAcme))

		times := f.query(t, ofAcme)
		if !times[3].Time.Equal(now.Add(-20 * time.Hour).Truncate(time.Millisecond)) {
			t.Errorf("the entry's own time became %v", times[3].Time)
		}
		window := ofAcme
		window.From, window.To = now.Add(-6*time.Minute), now
		diff(t, "from and to", []string{"right", "behind"}, f.jobs(t, window))
		window.From, window.To = now.Add(-21*time.Hour), now.Add(-19*time.Hour)
		diff(t, "long ago", []string{"found late"}, f.jobs(t, window))

		f.clock.advance(4*time.Hour + time.Minute)
		diff(t, "4:01 later", []string{"ahead", "right", "behind"}, f.jobs(t, ofAcme))
		if tenants, err := f.Tenants(t.Context()); err != nil || len(tenants) != 1 {
			t.Errorf("4:01 later the tenants are %q, %v", tenants, err)
		}
		if n := f.length(t); n != 3 {
			t.Errorf("Redis holds %d entries, want 3", n)
		}
		f.clock.set(now.Add(23*time.Hour + 56*time.Minute))
		diff(t, "23:56 later", []string{"ahead", "right"}, f.jobs(t, ofAcme))
		f.clock.set(now.Add(24*time.Hour + 4*time.Minute))
		diff(t, "24:04 later", []string{"ahead"}, f.jobs(t, ofAcme))
		f.clock.set(now.Add(24*time.Hour + 6*time.Minute))
		f.jobs(t, ofAcme)
		if n := f.length(t); n != 0 {
			t.Errorf("Redis holds %d entries, want none", n)
		}
	})
}

// All ids of a stream may be gone and the next one must still be larger.
func TestSkewOnAnEmptiedStream(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		ahead, f := setupOn(t, client), setupOn(t, client)
		ahead.clock.advance(25 * time.Hour)
		ahead.append(t, errorlog.Entry{Tenant: "acme"})
		ahead.clock.advance(25 * time.Hour)
		ahead.jobs(t, ofAcme) // empties it
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "right"})
		diff(t, "entries", []string{"right"}, f.jobs(t, ofAcme))
	})
}

// A client repeats a call whose reply was lost.
func TestAppendedOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		f := setupOn(t, client)
		first := errorlog.Entry{Tenant: "acme", JobID: "1", Time: f.clock.now()}
		late := errorlog.Entry{Tenant: "acme", JobID: "2", Time: f.clock.now().Add(-time.Hour)}
		other := first
		other.Recipients = []string{"other@example.org"}
		for range 2 {
			f.append(t, first, late, other)
		}
		diff(t, "entries", []string{"1", "2", "1"}, f.jobs(t, ofAcme))
	})
}

func TestMaxEntries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		f := setupOn(t, client, maxEntries(3))
		start := f.clock.now()
		for i := range 5 {
			f.append(t, errorlog.Entry{Tenant: "acme", JobID: strconv.Itoa(i)}, errorlog.Entry{Tenant: "small", JobID: strconv.Itoa(i / 2)})
			f.clock.advance(time.Minute)
		}
		diff(t, "the newest stay", []string{"2", "3", "4"}, f.jobs(t, ofAcme))
		sum := f.export(t, ofAcme).summary
		want := []errorlog.Cut{{Tenant: "acme", Dropped: 2, Complete: start.Add(2 * time.Minute).Truncate(time.Millisecond)}}
		diff(t, "cut", want, sum.Cut)

		// Once all that was dropped would be too old anyway, nothing is missing.
		f.clock.set(start.Add(24*time.Hour + 2*time.Minute + time.Millisecond))
		sum = f.export(t, ofAcme).summary
		diff(t, "cut a day later", []errorlog.Cut{}, sum.Cut)
		diff(t, "entries a day later", []string{"3", "4"}, f.jobs(t, ofAcme))
	})
}

// The bookkeeping of late entries is bounded as the log is.
func TestMaxEntriesOfLateOnes(t *testing.T) {
	t.Parallel()
	f := setup(t, maxEntries(10))
	f.append(t, errorlog.Entry{Tenant: "acme"})
	for i := range 50 {
		f.append(t, errorlog.Entry{Tenant: "acme", Time: f.clock.now().Add(-time.Hour), JobID: strconv.Itoa(i)})
	}
	if n := f.redis.ZCard(t.Context(), acme+":late").Val(); n > 10 {
		t.Errorf("%d late entries are noted", n)
	}
	if n := f.length(t); n != 10 {
		t.Errorf("%d entries, want 10", n)
	}
}

// A Cluster refuses a script whose keys lie in several slots.
func TestCluster(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.TCP(), redistest.Args("--cluster-enabled", "yes"))
	node := server.Client(t)
	if err := node.Do(t.Context(), "CLUSTER", "ADDSLOTSRANGE", 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	cluster := openCluster(t, server.Addr())
	f := setupOn(t, cluster)
	for _, tenant := range []string{"", "acme", "müller & söhne", "}{"} {
		f.append(t, errorlog.Entry{Tenant: tenant, JobID: "1"}, errorlog.Entry{Tenant: tenant, JobID: "2", Time: f.clock.now().Add(-time.Hour)})
	}
	if n := len(f.query(t, errorlog.Filter{AllTenants: true})); n != 8 {
		t.Errorf("%d entries, want 8", n)
	}
	if n := f.export(t, errorlog.Filter{AllTenants: true}).summary.Written; n != 8 {
		t.Errorf("%d exported, want 8", n)
	}
}

// The bytes of the newest entries stay within the limit, to the entry, and whatever
// order they leave in.
func TestMaxBytes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, client redis.UniversalClient) {
		const limit = 20_000
		f := setupOn(t, client, func(o *errorlog.Options) { o.MaxBytes = limit })
		for i := range 200 {
			e := errorlog.Entry{Tenant: "acme", JobID: strconv.Itoa(i), Diagnostic: strings.Repeat("x", i*37%900)}
			if i%7 == 3 {
				e.Time = f.clock.now().Add(-time.Hour)
			}
			f.append(t, e)
			f.clock.advance(time.Second)
		}
		raw := f.redis.XRange(t.Context(), acme, "-", "+").Val()
		held := 0
		for _, m := range raw {
			held += len(m.Values["e"].(string))
		}
		if held > limit || held < limit-1200 {
			t.Errorf("%d bytes are held, want just below %d", held, limit)
		}
		if n := f.redis.ZCard(t.Context(), acme+":late").Val(); n > int64(len(raw)) {
			t.Errorf("%d late entries are noted of %d", n, len(raw))
		}
		jobs := f.jobs(t, ofAcme)
		diff(t, "the newest stays", "199", jobs[len(jobs)-1])
		cut := f.export(t, ofAcme).summary.Cut
		if len(cut) != 1 || cut[0].Dropped != int64(200-len(raw)) {
			t.Errorf("%+v with %d entries left", cut, len(raw))
		}
		for range 3 { // a lowered limit
			f.append(t, errorlog.Entry{Tenant: "acme", JobID: "last"})
		}
		small := setupOn(t, client, func(o *errorlog.Options) { o.MaxBytes = 8192 })
		small.clock.set(f.clock.now())
		if n := len(small.jobs(t, ofAcme)); n < 3 || n > 80 {
			t.Errorf("%d entries after the limit was lowered", n)
		}
	})
}

// The log of an older version has no sums: its entries go first.
func TestMaxBytesOfOldEntries(t *testing.T) {
	t.Parallel()
	f := setup(t, func(o *errorlog.Options) { o.MaxBytes = 8192 })
	old := `{"time":"` + f.clock.now().Format(time.RFC3339Nano) + `","job_id":"old"}`
	for i := range 300 {
		f.redis.XAdd(t.Context(), &redis.XAddArgs{
			Stream: acme, ID: strconv.FormatInt(f.clock.now().UnixMilli(), 10) + "-" + strconv.Itoa(i+1), Values: []any{"e", old},
		})
	}
	f.append(t, errorlog.Entry{Tenant: "acme", JobID: "new"})
	diff(t, "all are there", 301, len(f.jobs(t, ofAcme)))
	for range 12 {
		f.append(t, errorlog.Entry{Tenant: "acme", JobID: "new", Diagnostic: strings.Repeat("x", 900)})
		f.clock.advance(time.Second)
	}
	jobs := f.jobs(t, ofAcme)
	if n := len(jobs); n > 9 || n < 7 {
		t.Errorf("%d entries", n)
	}
	diff(t, "the oldest", "new", jobs[0])
}
