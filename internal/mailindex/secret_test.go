package mailindex_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/mailindex"
)

// TestNoAddress: nothing that the index writes shows an address, a domain or a user, and
// two tenants' mails to the same person look different.
func TestNoAddress(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.add(s.mail("1"))
	other := s.mail("1")
	other.Tenant = "initech"
	s.add(other)
	s.note(s.mail("1"), rohrpost.Failed, s.now.Add(time.Hour))
	var blocks []string
	for _, key := range s.rdb.Keys(t.Context(), "*").Val() {
		dump := fmt.Sprint(key, s.rdb.Get(t.Context(), key).Val(), s.rdb.HGetAll(t.Context(), key).Val(), s.rdb.ZRange(t.Context(), key, 0, -1).Val())
		for _, secret := range []string{"anna", "example", "max"} {
			if strings.Contains(strings.ToLower(dump), secret) {
				t.Errorf("%s shows %q: %q", key, secret, dump)
			}
		}
		if strings.Contains(key, ":journal:") {
			blocks = append(blocks, s.rdb.Get(t.Context(), key).Val())
		}
	}
	if len(blocks) != 2 || blocks[0] == blocks[1] {
		t.Errorf("blocks of two tenants: %q", blocks)
	}
}

// TestOneKey: all processes use the same key, also after Redis has lost it, and one that
// began anew.
func TestOneKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.add(s.mail("1"))
	second := &site{Index: s.another(s.rdb), tb: t, rdb: s.rdb, now: s.now}
	second.add(s.mail("2"))
	q := mailindex.Query{Recipient: "anna@example.org"}
	if got := s.ids(q, 10); !slices.Equal(got, []string{"2", "1"}) {
		t.Errorf("%q", got)
	}
	key := s.rdb.Get(t.Context(), "rohrpost:mails:key").Val()
	s.rdb.Del(t.Context(), "rohrpost:mails:key")
	s.now = s.now.Add(time.Minute)
	s.add(s.mail("3"))
	if again := s.rdb.Get(t.Context(), "rohrpost:mails:key").Val(); again != key || key == "" {
		t.Errorf("the key was %q and is %q", key, again)
	}
	s.rdb.Set(t.Context(), "rohrpost:mails:key", "of another Redis", 0)
	s.now = s.now.Add(time.Minute)
	s.add(s.mail("4"))
	if got := s.ids(q, 10); !slices.Equal(got, []string{"4"}) {
		t.Errorf("with the new key: %q", got)
	}
}

// TestRefused: a Redis user of an older version may not write the index. Nothing fails
// with it, and nothing is asked for at each mail.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := open(t)
	if err := s.rdb.Do(t.Context(), "ACL", "SETUSER", "default", "resetkeys", "~asynq:*").Err(); err != nil {
		t.Fatal(err)
	}
	ask := func() mailindex.Question {
		var batch lua.Batch
		q := s.Ask(&batch)
		if err := batch.Exec(t.Context(), s.rdb); err != nil {
			t.Fatal(err)
		}
		q.Learn()
		return q
	}
	if ask() == (mailindex.Question{}) || ask() != (mailindex.Question{}) || s.Known() {
		t.Error("it does not ask, asks again at once, or knows the key")
	}
	s.add(s.mail("1"))
	s.now = s.now.Add(time.Minute)
	if ask() == (mailindex.Question{}) {
		t.Error("it does not ask a minute later")
	}
}

// TestKept: what Redis does not take is written later, and the later state of a mail wins.
func TestKept(t *testing.T) {
	t.Parallel()
	s := open(t)
	g := mailindex.NewGatherer(s.Index)
	g.Count("acme", rohrpost.Failed)
	g.Note(mailindex.Note{Mail: s.mail("1"), State: rohrpost.Deferred, Ends: s.now.Add(time.Hour)})
	if err := s.rdb.Do(t.Context(), "ACL", "SETUSER", "default", "-eval", "-evalsha", "-hincrby").Err(); err != nil {
		t.Fatal(err)
	}
	if err := g.Flush(t.Context()); err == nil {
		t.Error("it says nothing of the refusal")
	}
	g.Note(mailindex.Note{Mail: s.mail("1"), State: rohrpost.Failed, Ends: s.now.Add(time.Hour)})
	if err := s.rdb.Do(t.Context(), "ACL", "SETUSER", "default", "+@all").Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second has nothing to write
		if err := g.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.ids(mailindex.Query{State: rohrpost.Failed}, 10); !slices.Equal(got, []string{"1"}) {
		t.Errorf("%q", got)
	}
	hours, err := s.Hours(t.Context(), "acme", s.now, s.now)
	if err != nil || len(hours) != 1 || hours[0].States[rohrpost.Failed] != 1 {
		t.Errorf("%+v, %v", hours, err)
	}
}
