package mailindex_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A site is an index on a Redis of its own, at a time of its own.
type site struct {
	*mailindex.Index
	tb  testing.TB
	rdb redis.UniversalClient
	now time.Time
}

func open(tb testing.TB, opts ...redistest.Option) *site {
	tb.Helper()
	s := &site{tb: tb, rdb: redistest.Start(tb, opts...).Client(tb), now: time.Now().Truncate(time.Hour).Add(time.Minute).UTC()}
	s.Index = s.another(s.rdb)
	return s
}

// another is the index of another process.
func (s *site) another(rdb redis.UniversalClient) *mailindex.Index {
	s.tb.Helper()
	x, err := mailindex.New(mailindex.Options{Redis: rdb, Now: func() time.Time { return s.now }})
	if err != nil {
		s.tb.Fatal(err)
	}
	return x
}

// mail is one of acme's that max has sent to anna@example.org.
func (s *site) mail(id string, change ...func(*mailindex.Mail)) mailindex.Mail {
	m := mailindex.Mail{Tenant: "acme", ID: id, User: "max", EnqueuedAt: s.now, Recipients: []string{"Anna@Example.org"}}
	for _, c := range change {
		c(&m)
	}
	return m
}

func to(recipients ...string) func(*mailindex.Mail) {
	return func(m *mailindex.Mail) { m.Recipients = recipients }
}

// add lists mails of one tenant, as a producer does.
func (s *site) add(mails ...mailindex.Mail) {
	s.tb.Helper()
	if err := s.Prepare(s.tb.Context()); err != nil {
		s.tb.Fatal(err)
	}
	var batch lua.Batch
	a := s.Add(&batch, mails[0].Tenant, mails)
	if err := batch.Exec(s.tb.Context(), s.rdb); err != nil {
		s.tb.Fatal(err)
	}
	a.Learn()
}

// note writes a state, as a worker does.
func (s *site) note(m mailindex.Mail, state rohrpost.State, ends time.Time) {
	s.tb.Helper()
	g := mailindex.NewGatherer(s.Index)
	g.Note(mailindex.Note{Mail: m, State: state, Ends: ends})
	if err := g.Flush(s.tb.Context()); err != nil {
		s.tb.Fatal(err)
	}
}

// ids are what a query picks, in pages of so many.
func (s *site) ids(q mailindex.Query, page int) []string {
	s.tb.Helper()
	q.Tenant = "acme"
	var ids []string
	for cursor := (mailindex.Cursor{}); ; {
		n := 0
		err := s.Walk(s.tb.Context(), q, cursor, func(e mailindex.Entry) bool {
			ids = append(ids, e.ID)
			text := e.Next.String()
			var err error
			if cursor, err = mailindex.ParseCursor(text); err != nil || cursor != e.Next {
				s.tb.Fatalf("%q: %v", text, err)
			}
			n++
			return n < page
		})
		if err != nil {
			s.tb.Fatal(err)
		}
		if n < page {
			return ids
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	s := open(t)
	begin := s.now
	s.add(s.mail("1"), s.mail("2", to("bob@example.org", "carl@other.example")))
	s.now = s.now.Add(90 * time.Minute)
	s.add(s.mail("3", to("BOB@EXAMPLE.ORG"), func(m *mailindex.Mail) { m.User = "" }))
	other := s.mail("4")
	other.Tenant = "initech"
	s.add(other)
	s.add(s.mail("5", to("example.org@bob"), func(m *mailindex.Mail) { m.User = "bob" }))

	for name, tt := range map[string]struct {
		query mailindex.Query
		want  []string
	}{
		"all":                  {mailindex.Query{}, []string{"5", "3", "2", "1"}},
		"address":              {mailindex.Query{Recipient: "bob@example.ORG "}, []string{"3", "2"}},
		"second address":       {mailindex.Query{Recipient: "carl@other.example"}, []string{"2"}},
		"domain":               {mailindex.Query{Recipient: "@example.org"}, []string{"3", "2", "1"}},
		"no address":           {mailindex.Query{Recipient: "nobody@example.org"}, nil},
		"part of an address":   {mailindex.Query{Recipient: "example.org"}, nil},
		"user":                 {mailindex.Query{User: "max"}, []string{"2", "1"}},
		"user in another case": {mailindex.Query{User: "Max"}, nil},
		"user and domain":      {mailindex.Query{User: "max", Recipient: "@other.example"}, []string{"2"}},
		"from":                 {mailindex.Query{From: begin.Add(time.Minute)}, []string{"5", "3"}},
		"to":                   {mailindex.Query{To: begin}, []string{"2", "1"}},
		"between":              {mailindex.Query{From: begin.Add(time.Millisecond), To: begin.Add(time.Hour)}, nil},
	} {
		for _, page := range []int{1, 2, 100} {
			if diff := cmp.Diff(tt.want, s.ids(tt.query, page)); diff != "" {
				t.Errorf("%s, pages of %d (-want +got):\n%s", name, page, diff)
			}
		}
		tt.query.Tenant = "acme"
		if n, exact, err := s.Count(t.Context(), tt.query); n != int64(len(tt.want)) || !exact || err != nil {
			t.Errorf("%s: counted %d, exact %v, %v", name, n, exact, err)
		}
	}
}

// TestLargeBlock reads an hour that takes several pieces, with entries of many lengths.
func TestLargeBlock(t *testing.T) {
	t.Parallel()
	s := open(t)
	many := make([]string, 700)
	for i := range many {
		many[i] = fmt.Sprintf("r%d@example.org", i)
	}
	var want []string
	mails := make([]mailindex.Mail, 0, 1000)
	for i := range 20_000 {
		m := s.mail("id-" + strconv.Itoa(i*i))
		if i%2500 == 0 {
			m.Recipients = many
		}
		want = append(want, m.ID)
		if mails = append(mails, m); len(mails) == 1000 {
			s.add(mails...)
			mails = mails[:0]
		}
	}
	slices.Reverse(want)
	for _, page := range []int{3000, 100_000} {
		if diff := cmp.Diff(want, s.ids(mailindex.Query{}, page)); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", page, diff)
		}
	}
	if got := s.ids(mailindex.Query{Recipient: "r699@example.org"}, 3); len(got) != 8 {
		t.Errorf("%d mails to many, want 8", len(got))
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	s := open(t)
	first := s.now
	s.note(s.mail("a"), rohrpost.Deferred, first.Add(time.Hour))
	s.now = first.Add(time.Minute)
	s.note(s.mail("b"), rohrpost.Deferred, first.Add(3*time.Hour))
	wantState := func(state rohrpost.State, want ...string) {
		t.Helper()
		for _, page := range []int{1, 100} {
			if diff := cmp.Diff(want, s.ids(mailindex.Query{State: state}, page)); diff != "" {
				t.Errorf("%s, pages of %d (-want +got):\n%s", state, page, diff)
			}
		}
		n, exact, err := s.Count(t.Context(), mailindex.Query{Tenant: "acme", State: state})
		if n != int64(len(want)) || !exact || err != nil {
			t.Errorf("%s: counted %d, exact %v, %v", state, n, exact, err)
		}
	}
	wantState(rohrpost.Deferred, "b", "a")
	b := s.mail("b")
	s.note(b, rohrpost.Failed, first.Add(3*time.Hour))
	wantState(rohrpost.Deferred, "a")
	wantState(rohrpost.Failed, "b")

	s.now = first.Add(2 * time.Hour)
	s.note(s.mail("c"), rohrpost.Expired, first.Add(4*time.Hour))
	wantState(rohrpost.Deferred) // its record has ended, and the write forgot it
	wantState(rohrpost.Failed, "b")
	for _, key := range s.rdb.Keys(t.Context(), "rohrpost:mails:{acme}:notes*").Val() {
		if end := s.rdb.PExpireTime(t.Context(), key).Val(); end.Milliseconds() != first.Add(4*time.Hour).UnixMilli() {
			t.Errorf("%s ends at %v", key, time.UnixMilli(end.Milliseconds()))
		}
	}
}

// TestOldMails: what is older than the journal comes behind it, in the order of time
// whatever its state.
func TestOldMails(t *testing.T) {
	t.Parallel()
	s := open(t)
	begin := s.now
	var want []string
	for i := range 1203 { // more than a page of each state
		states := []rohrpost.State{rohrpost.Parked, rohrpost.Failed, rohrpost.Accepted}
		s.now = begin.Add(time.Duration(i/7) * time.Millisecond) // many of the same time
		m := s.mail(fmt.Sprintf("%04d", i), func(m *mailindex.Mail) { m.User = strconv.Itoa(i % 2) })
		s.note(m, states[i%3], begin.Add(1000*time.Hour))
		want = append(want, m.ID)
	}
	s.now = begin.Add(100 * time.Hour)
	s.add(s.mail("new"))
	s.note(s.mail("new"), rohrpost.Failed, s.now.Add(time.Hour)) // listed once
	want = append(want, "new")
	slices.Sort(want)
	for _, page := range []int{7, 100, 5000} {
		got := s.ids(mailindex.Query{}, page)
		if len(got) == 0 || got[0] != "new" {
			t.Fatalf("the newest mail is not the first one: %.3q", got)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d (-want +got):\n%s", page, diff)
		}
	}
	if got := s.ids(mailindex.Query{User: "1"}, 50); len(got) != 601 {
		t.Errorf("%d mails of a user, want 601", len(got))
	}
	if got := s.ids(mailindex.Query{To: begin}, 3); len(got) != 7 {
		t.Errorf("%d mails of the first millisecond, want 7", len(got))
	}
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.add(s.mail("1"))
	s.add(s.mail("2"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := s.Walk(ctx, mailindex.Query{Tenant: "acme"}, mailindex.Cursor{}, func(mailindex.Entry) bool { return true })
	unfinished, ok := errors.AsType[*mailindex.Unfinished](err)
	if !ok || !unfinished.Next.IsZero() || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{"x", "j", "j1", "j-1.2", "n!", "nAAAA", "j1.2.3"} {
		if _, err := mailindex.ParseCursor(bad); !errors.Is(err, mailindex.ErrCursor) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestDamagedBlock skips what is no entry, and goes on with the hour before.
func TestDamagedBlock(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.add(s.mail("1"))
	s.now = s.now.Add(time.Hour)
	s.add(s.mail("2"))
	for _, key := range s.rdb.Keys(t.Context(), "rohrpost:mails:{acme}:journal:*").Val() {
		if strings.HasSuffix(key, strconv.FormatInt(s.now.Unix()/3600, 10)) {
			s.rdb.Append(t.Context(), key, "\xff\xff\x00\x03")
		}
	}
	if got := s.ids(mailindex.Query{}, 10); !slices.Equal(got, []string{"1"}) {
		t.Errorf("%q", got)
	}
}
