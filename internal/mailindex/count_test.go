package mailindex_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/mailindex"
)

func TestHours(t *testing.T) {
	t.Parallel()
	s := open(t)
	begin := s.now.Truncate(24 * time.Hour).Add(23 * time.Hour)
	s.now = begin
	s.add(s.mail("1"), s.mail("2"))
	g := mailindex.NewGatherer(s.Index)
	g.Count("acme", rohrpost.Accepted)
	g.Count("acme", rohrpost.Deferred)
	g.Count("initech", rohrpost.Accepted)
	s.now = begin.Add(time.Hour)
	g.Count("acme", rohrpost.Accepted)
	g.Count("acme", rohrpost.Accepted)
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.add(s.mail("3"))
	got, err := s.Hours(t.Context(), "acme", begin.Add(-time.Hour), begin.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []mailindex.Hour{
		{Time: begin.Add(-time.Hour), States: map[rohrpost.State]int64{}},
		{Time: begin, Enqueued: 2, States: map[rohrpost.State]int64{rohrpost.Accepted: 1, rohrpost.Deferred: 1}},
		{Time: begin.Add(time.Hour), Enqueued: 1, States: map[rohrpost.State]int64{rohrpost.Accepted: 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err = s.HoursOfAll(t.Context(), begin, begin.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want = []mailindex.Hour{
		{Time: begin, States: map[rohrpost.State]int64{rohrpost.Accepted: 2, rohrpost.Deferred: 1}},
		{Time: begin.Add(time.Hour), States: map[rohrpost.State]int64{rohrpost.Accepted: 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all tenants (-want +got):\n%s", diff)
	}
}

// TestCountedOnce: what Redis has refused is counted later, and what it took is not again.
func TestCountedOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	g := mailindex.NewGatherer(s.Index)
	s.rdb.Set(t.Context(), fmt.Sprintf("rohrpost:mails:{acme}:counts:%d", s.now.Unix()/86400), "in the way", 0)
	g.Count("acme", rohrpost.Accepted)
	g.Count("initech", rohrpost.Accepted)
	if err := g.Flush(t.Context()); err == nil {
		t.Error("no error")
	}
	s.rdb.Del(t.Context(), fmt.Sprintf("rohrpost:mails:{acme}:counts:%d", s.now.Unix()/86400))
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	count := func(hours []mailindex.Hour, err error) int64 {
		t.Helper()
		if err != nil || len(hours) != 1 {
			t.Fatalf("%v, %v", hours, err)
		}
		return hours[0].States[rohrpost.Accepted]
	}
	if n := count(s.HoursOfAll(t.Context(), s.now, s.now)); n != 2 {
		t.Errorf("of all tenants: %d", n)
	}
	for _, tenant := range []string{"acme", "initech"} {
		if n := count(s.Hours(t.Context(), tenant, s.now, s.now)); n != 1 {
			t.Errorf("%s: %d", tenant, n)
		}
	}
}

// TestEnds: everything but the key of the installation and the names of tenants ends.
func TestEnds(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.add(s.mail("1"))
	s.note(s.mail("1"), rohrpost.Failed, s.now.Add(time.Hour))
	g := mailindex.NewGatherer(s.Index)
	g.Count("acme", rohrpost.Failed)
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := s.rdb.Keys(t.Context(), "*").Val()
	if len(keys) != 7 {
		t.Errorf("keys: %q", keys)
	}
	for _, key := range keys {
		if ends := s.rdb.TTL(t.Context(), key).Val() > 0; ends != strings.Contains(key, "{") {
			t.Errorf("%s: ends %v", key, ends)
		}
	}
	// A Redis that has lost its data does not keep a block for ever.
	s.rdb.FlushAll(t.Context())
	s.now = s.now.Add(time.Minute)
	s.add(s.mail("2"))
	g.Count("acme", rohrpost.Failed)
	if err := g.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range s.rdb.Keys(t.Context(), "rohrpost:mails:{*").Val() {
		if s.rdb.TTL(t.Context(), key).Val() <= 0 {
			t.Errorf("%s never ends", key)
		}
	}
}

// TestTotals: what the sums say is what the entries are.
func TestTotals(t *testing.T) {
	t.Parallel()
	s := open(t)
	begin := s.now
	for i := range 400 {
		s.now = begin.Add(time.Duration(i) * 11 * time.Minute) // 73 hours
		s.add(s.mail("new-" + strconv.Itoa(i)))
		if i%50 == 0 {
			s.note(s.mail("new-"+strconv.Itoa(i)), rohrpost.Parked, begin.Add(1000*time.Hour))
		}
	}
	end := s.now
	sure := end.Add(-mailindex.DefaultKeep)
	for i := range 200 {
		var q mailindex.Query
		q.Tenant = "acme"
		from := end.Add(-time.Duration(rand.N(40*3600)) * time.Second)
		switch {
		case i > 3: // within what is sure
			q.From, q.To = from, from.Add(time.Duration(rand.N(60*3600))*time.Second)
		case i > 2:
			q.From = sure
		}
		var want int64
		if err := s.Walk(t.Context(), q, mailindex.Cursor{}, func(e mailindex.Entry) bool {
			if !e.EnqueuedAt.Before(sure) || e.EnqueuedAt.Before(sure.Add(-2*time.Hour)) {
				want++
			}
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if n, exact, err := s.Count(t.Context(), q); n != want || exact == q.From.IsZero() || err != nil {
			t.Fatalf("%v to %v: counted %d, exact %v, %v; want %d", q.From, q.To, n, exact, err, want)
		}
	}
}

// TestMost: a reading that has looked at enough says how far it came, and goes on there.
func TestMost(t *testing.T) {
	t.Parallel()
	s := open(t)
	begin := s.now
	var want []string
	for i := range 30 { // the first 10 are older than the journal
		s.now = begin.Add(time.Duration(i) * 10 * time.Hour)
		m := s.mail(fmt.Sprintf("%02d", i), func(m *mailindex.Mail) { m.User = strconv.Itoa(i % 3) })
		s.add(m, m)
		s.note(m, rohrpost.Parked, begin.Add(10_000*time.Hour))
	}
	var journal int
	for i := range 30 {
		if i%3 == 1 {
			want = append(want, fmt.Sprintf("%02d", i))
		}
		if s.now.Sub(begin.Add(time.Duration(i)*10*time.Hour)) < mailindex.DefaultKeep {
			journal++
		}
	}
	slices.Reverse(want)
	for _, state := range []rohrpost.State{"", rohrpost.Parked} {
		for _, most := range []int{1, 4, 7, 1000} {
			var got []string
			var cursor mailindex.Cursor
			steps := 0
			for ; ; steps++ {
				err := s.Walk(t.Context(), mailindex.Query{Tenant: "acme", State: state, User: "1", Most: most}, cursor, func(e mailindex.Entry) bool {
					got = append(got, e.ID)
					return true
				})
				if err == nil {
					break
				}
				ended, ok := errors.AsType[*mailindex.Unfinished](err)
				if !ok || ended.Next == cursor || ended.At.IsZero() {
					t.Fatal(err)
				}
				cursor = ended.Next
			}
			slices.Sort(got)
			got = slices.Compact(got)
			slices.Reverse(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q, %d at a time (-want +got):\n%s", state, most, diff)
			}
			if entries := 30 + journal; steps > entries/most+1 || steps < 25/most-1 {
				t.Errorf("%q, %d at a time: %d steps", state, most, steps)
			}
		}
	}
}

func TestTenants(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, tenant := range []string{"b", "a", "ab", "ß", ""} {
		m := s.mail("1")
		m.Tenant = tenant
		s.add(m)
	}
	for _, tt := range []struct {
		prefix, after string
		n             int
		want          []string
	}{
		{"", "", 10, []string{"a", "ab", "b", "ß"}},
		{"", "", 2, []string{"a", "ab"}},
		{"", "ab", 10, []string{"b", "ß"}},
		{"a", "", 10, []string{"a", "ab"}},
		{"a", "a", 10, []string{"ab"}},
		{"x", "", 10, []string{}},
	} {
		got, err := s.Tenants(t.Context(), tt.prefix, tt.after, tt.n)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%q after %q: %v (-want +got):\n%s", tt.prefix, tt.after, err, diff)
		}
	}
}
