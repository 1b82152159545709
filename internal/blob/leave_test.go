package blob_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

// share stores a blob that users need, each until so many hours from now.
func share(t *testing.T, s *blob.Store, content string, base time.Time, users map[string]int) string {
	t.Helper()
	var set blob.Set
	digest := ""
	for user, hours := range users {
		digest = set.Add([]byte(content), user, base.Add(time.Duration(hours)*time.Hour))
	}
	if err := s.Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	return digest
}

func keysOf(t *testing.T, rdb redis.UniversalClient, digest string) int64 {
	t.Helper()
	return rdb.Exists(t.Context(), "rohrpost:blob:{"+digest+"}", "rohrpost:blob:{"+digest+"}:users").Val()
}

func TestLeave(t *testing.T) {
	t.Parallel()
	s, rdb, h := open(t)
	base := time.Now().Truncate(time.Millisecond)
	digest := share(t, s, "shared", base, map[string]int{"a": 1, "b": 3, "c": 2})
	ended := func(users ...string) {
		t.Helper()
		var uses []blob.Use
		for _, u := range users {
			uses = append(uses, blob.Use{User: u, Digests: []string{digest, digest}})
		}
		h.n.Store(0)
		if err := s.Leave(t.Context(), uses...); err != nil {
			t.Fatal(err)
		}
		if n := h.n.Load(); n > 2 { // the second one loads the script
			t.Errorf("%d round trips", n)
		}
	}
	if got := ends(t, rdb, digest); !got.Equal(base.Add(3 * time.Hour)) {
		t.Errorf("at first it ends %v", got)
	}
	ended("b", "b", "stranger")
	if got := ends(t, rdb, digest); !got.Equal(base.Add(2 * time.Hour)) {
		t.Errorf("without the longest it ends %v, want with the next", got)
	}
	ended("c")
	if keysOf(t, rdb, digest) != 2 {
		t.Error("it is gone, and a mail needs it")
	}
	ended("a")
	if n := keysOf(t, rdb, digest); n != 0 {
		t.Errorf("%d keys are left of what nobody needs", n)
	}
	ended("a")
	if err := s.Leave(t.Context()); err != nil {
		t.Error(err)
	}
}

// Between the look and the upload of one mail the other leaves: the blob must be there
// for the first.
func TestLeaveWhileAnotherComes(t *testing.T) {
	t.Parallel()
	s, rdb, h := open(t)
	base := time.Now()
	for before := int32(1); before <= 2; before++ {
		digest := share(t, s, "shared", base, map[string]int{"first": 1})
		h.n.Store(0)
		h.before = func(n int32) {
			if n == before {
				h.before = nil
				if err := s.Leave(t.Context(), blob.Use{User: "first", Digests: []string{digest}}); err != nil {
					t.Error(err)
				}
			}
		}
		share(t, s, "shared", base, map[string]int{"second": 1})
		h.before = nil
		if n := keysOf(t, rdb, digest); n != 2 {
			t.Fatalf("before trip %d the first has left: %d keys of the second", before, n)
		}
		_ = s.Leave(t.Context(), blob.Use{User: "second", Digests: []string{digest}})
	}
}

// Those of an older version, whose users nobody knows, end by their time; so do those
// that an operator has made to stay.
func TestLeaveWhatStays(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	until := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	sum := sha256.Sum256([]byte("old"))
	old := hex.EncodeToString(sum[:])
	rdb.Set(t.Context(), "rohrpost:blob:{"+old+"}", "old", 0)
	rdb.PExpireAt(t.Context(), "rohrpost:blob:{"+old+"}", until)
	if err := s.Prolong(t.Context(), "new", until.Add(time.Hour), old); err != nil {
		t.Fatal(err)
	}
	kept := put(t, s, []byte("kept"), until)
	rdb.Persist(t.Context(), "rohrpost:blob:{"+kept+"}")
	for _, user := range []string{"new", "job"} {
		if err := s.Leave(t.Context(), blob.Use{User: user, Digests: []string{old, kept}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := ends(t, rdb, old); !got.Equal(until.Add(time.Hour)) {
		t.Errorf("the old one ends %v", got)
	}
	if d := rdb.TTL(t.Context(), "rohrpost:blob:{"+kept+"}").Val(); d != -1 {
		t.Errorf("what an operator keeps ends in %v", d)
	}
	if got, err := s.Get(t.Context(), old, kept); err != nil || string(got[old]) != "old" {
		t.Errorf("%s %v", got, err)
	}
}

func TestKeepAndDrop(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	base := time.Now().Truncate(time.Millisecond)
	in := func(hours int) time.Time { return base.Add(time.Duration(hours) * time.Hour) }
	digest := share(t, s, "failed", base, map[string]int{"a": 200})
	use := blob.Use{User: "a", Digests: []string{digest}}
	if err := s.Keep(t.Context(), use, in(48)); err != nil || !ends(t, rdb, digest).Equal(in(48)) {
		t.Errorf("kept: it ends %v, %v", ends(t, rdb, digest), err)
	}
	if err := s.Prolong(t.Context(), "a", in(300), digest); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(t.Context(), use, in(48)); err != nil || !ends(t, rdb, digest).Equal(in(300)) {
		t.Errorf("sent again meanwhile: it ends %v, %v", ends(t, rdb, digest), err)
	}
	if err := s.Keep(t.Context(), use, in(24)); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(t.Context(), use, in(24)); err != nil || keysOf(t, rdb, digest) != 0 {
		t.Errorf("dropped: %d keys, %v", keysOf(t, rdb, digest), err)
	}
}

// A full Redis lets mails leave, and shortens what it keeps of them.
func TestLeaveWhenFull(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t).Client(t)
	s := blob.New(rdb)
	base := time.Now().Truncate(time.Millisecond)
	digest := share(t, s, strings.Repeat("x", 1<<20), base, map[string]int{"a": 1, "b": 9})
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Set(t.Context(), "x", "y", 0).Err(); !redis.HasErrorPrefix(err, "OOM") {
		t.Fatalf("it is not full: %v", err)
	}
	use := func(user string) blob.Use { return blob.Use{User: user, Digests: []string{digest}} }
	if err := s.Keep(t.Context(), use("b"), base.Add(2*time.Hour)); err != nil || !ends(t, rdb, digest).Equal(base.Add(2*time.Hour)) {
		t.Errorf("kept: %v", err)
	}
	if err := s.Leave(t.Context(), use("a"), use("b")); err != nil || keysOf(t, rdb, digest) != 0 {
		t.Errorf("left: %v", err)
	}
}

func TestLeaver(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	s := blob.New(rdb)
	digest := share(t, s, "shared", time.Now(), map[string]int{"a": 1, "b": 1})
	l := blob.NewLeaver(s)
	for _, user := range []string{"a", "b"} {
		l.Leave(blob.Use{User: user, Digests: []string{digest}})
	}
	l.Leave(blob.Use{User: "c"})
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Flush(cut); err == nil || keysOf(t, rdb, digest) != 2 {
		t.Errorf("without Redis: %v", err)
	}
	if err := l.Flush(t.Context()); err != nil || keysOf(t, rdb, digest) != 0 {
		t.Errorf("tried again: %v", err)
	}
	_ = rdb.Close()
	if err := l.Flush(t.Context()); err != nil {
		t.Errorf("there is nothing to write: %v", err)
	}
}
