package blob_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// trips counts round trips, and runs before the n-th one what it is given.
type trips struct {
	n      atomic.Int32
	before func(n int32)
}

func (*trips) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (*trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (h *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if n := h.n.Add(1); h.before != nil {
			h.before(n)
		}
		return next(ctx, cmds)
	}
}

// open is a store whose script Redis knows, so that round trips can be counted.
func open(t *testing.T) (*blob.Store, redis.UniversalClient, *trips) {
	t.Helper()
	server := redistest.Start(t)
	rdb := server.Client(t)
	var set blob.Set
	set.Add([]byte("warm"), "job", time.Now().Add(time.Hour))
	if err := blob.New(rdb).Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	if err := rdb.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	h := &trips{}
	rdb.AddHook(h)
	return blob.New(rdb), rdb, h
}

func put(t *testing.T, s *blob.Store, content []byte, until time.Time) string {
	t.Helper()
	var set blob.Set
	digest := set.Add(content, "job", until)
	if err := s.Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	return digest
}

// ends is when a blob ends.
func ends(t *testing.T, rdb redis.UniversalClient, digest string) time.Time {
	t.Helper()
	d, err := rdb.PExpireTime(t.Context(), "rohrpost:blob:{"+digest+"}").Result()
	if err != nil || d <= 0 {
		t.Fatalf("%s: %v, %v", digest, d, err)
	}
	return time.UnixMilli(d.Milliseconds())
}

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	until := time.Now().Add(time.Hour)
	contents := map[string][]byte{}
	var set blob.Set
	for _, c := range [][]byte{{}, []byte("a"), {0, 1, 0xff, '\r', '\n'}, []byte("a"), bytes.Repeat([]byte("x"), 100_000)} {
		contents[set.Add(c, "job", until)] = c
	}
	if err := s.Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	if n := len(rdb.Keys(t.Context(), "rohrpost:blob:{*}").Val()); n != 4 {
		t.Errorf("%d blobs, want 4", n)
	}
	digests := []string{}
	for d := range contents {
		digests = append(digests, d, d)
	}
	got, err := s.Get(t.Context(), digests...)
	if diff := cmp.Diff(contents, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	const want = "2-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, appendix B.1
	if got := blob.Digest([]byte("abc")); got != want {
		t.Error(got)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	base := time.Now().Truncate(time.Millisecond)
	in := func(hours int) time.Time { return base.Add(time.Duration(hours) * time.Hour) }
	tests := []struct {
		name string
		puts []int // hours from now
		want int
	}{
		{"once", []int{1}, 1},
		{"prolonged", []int{1, 2}, 2},
		{"never shortened", []int{2, 1}, 2},
		{"the same", []int{1, 1}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, rdb, _ := open(t)
			var together blob.Set
			digest := ""
			for _, h := range tt.puts {
				digest = put(t, s, []byte("one by one"), in(h))
				together.Add([]byte("together"), "job", in(h))
			}
			if err := s.Put(t.Context(), &together); err != nil {
				t.Fatal(err)
			}
			for _, d := range []string{digest, blob.Digest([]byte("together"))} {
				if got := ends(t, rdb, d); !got.Equal(in(tt.want)) {
					t.Errorf("it ends %v, want %v", got, in(tt.want))
				}
			}
		})
	}
}

func TestStaysWithoutAnEnd(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	digest := put(t, s, []byte("a"), time.Now().Add(time.Hour))
	rdb.Persist(t.Context(), "rohrpost:blob:{"+digest+"}")
	put(t, s, []byte("a"), time.Now().Add(time.Hour))
	if d := rdb.TTL(t.Context(), "rohrpost:blob:{"+digest+"}").Val(); d != -1 {
		t.Errorf("TTL %v", d)
	}
}

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	s, _, h := open(t)
	until := time.Now().Add(time.Hour)
	var none, one, three blob.Set
	one.Add([]byte("a"), "job", until)
	for _, c := range []string{"a", "b", "c"} {
		three.Add([]byte(c), "job", until)
	}
	for _, tt := range []struct {
		name string
		set  *blob.Set
		want int32
	}{{"none", &none, 0}, {"new", &one, 2}, {"there", &one, 1}, {"some new", &three, 2}, {"all there", &three, 1}} {
		h.n.Store(0)
		if err := s.Put(t.Context(), tt.set); err != nil || h.n.Load() != tt.want {
			t.Errorf("%s: %d round trips, want %d, error %v", tt.name, h.n.Load(), tt.want, err)
		}
	}
	h.n.Store(0)
	if _, err := s.Get(t.Context(), blob.Digest([]byte("a")), blob.Digest([]byte("b"))); err != nil || h.n.Load() != 1 {
		t.Errorf("get: %d round trips, error %v", h.n.Load(), err)
	}
	if got, err := s.Get(t.Context()); err != nil || len(got) != 0 || h.n.Load() != 1 {
		t.Errorf("get nothing: %v, %v", got, err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	a, b := put(t, s, []byte("a"), time.Now().Add(time.Hour)), put(t, s, []byte("b"), time.Now().Add(time.Hour))
	rdb.Del(t.Context(), "rohrpost:blob:{"+a+"}")
	for _, digests := range [][]string{{a, b}, {b, a}} {
		if got, err := s.Get(t.Context(), digests...); !errors.Is(err, blob.ErrMissing) || got != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
}

func TestBig(t *testing.T) {
	t.Parallel()
	s, _, h := open(t)
	var set blob.Set
	until := time.Now().Add(time.Hour)
	big := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
	digests := []string{set.Add(big, "job", until), set.Add(big[1:], "job", until), set.Add([]byte("small"), "job", until)}
	if err := s.Put(t.Context(), &set); err != nil {
		t.Fatal(err)
	}
	if n := h.n.Load(); n < 3 || n > 4 { // the small one travels with a big one, or not
		t.Errorf("%d round trips: no two big blobs go in one", n)
	}
	got, err := s.Get(t.Context(), digests...)
	if err != nil || !bytes.Equal(got[digests[0]], big) || !bytes.Equal(got[digests[1]], big[1:]) {
		t.Errorf("%d and %d bytes, error %v", len(got[digests[0]]), len(got[digests[1]]), err)
	}
}

// Two that find a blob missing both upload it; the longer end stays, whoever is last.
func TestPutAtTheSameTime(t *testing.T) {
	t.Parallel()
	s, rdb, h := open(t)
	soon, late := time.Now().Add(time.Hour).Truncate(time.Millisecond), time.Now().Add(9*time.Hour).Truncate(time.Millisecond)
	for _, tt := range []struct{ first, second time.Time }{{soon, late}, {late, soon}} {
		content := []byte(tt.first.String())
		var first, second blob.Set
		digest := first.Add(content, "job", tt.first)
		second.Add(content, "job", tt.second)
		h.n.Store(0)
		h.before = func(n int32) {
			if n == 2 { // the first one has looked and is about to upload
				h.before = nil
				if err := s.Put(t.Context(), &second); err != nil {
					t.Error(err)
				}
			}
		}
		if err := s.Put(t.Context(), &first); err != nil {
			t.Fatal(err)
		}
		if got := ends(t, rdb, digest); !got.Equal(late) {
			t.Errorf("it ends %v, want %v", got, late)
		}
	}
}

func TestManyPuts(t *testing.T) {
	t.Parallel()
	s, rdb, _ := open(t)
	base := time.Now().Truncate(time.Millisecond)
	var group sync.WaitGroup
	for g := range 20 {
		group.Go(func() {
			for i := range 20 {
				var set blob.Set
				for c := range 5 {
					set.Add([]byte{byte(c)}, "job", base.Add(time.Duration(1+(g*7+i*3)%400)*time.Hour))
				}
				if err := s.Put(t.Context(), &set); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	want := base
	for g := range 20 {
		for i := range 20 {
			if end := base.Add(time.Duration(1+(g*7+i*3)%400) * time.Hour); end.After(want) {
				want = end
			}
		}
	}
	for c := range 5 {
		if got := ends(t, rdb, blob.Digest([]byte{byte(c)})); !got.Equal(want) {
			t.Errorf("blob %d ends %v, want %v", c, got, want)
		}
	}
}

func TestDown(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := blob.New(server.Client(t))
	server.Kill()
	var set blob.Set
	digest := set.Add([]byte("a"), "job", time.Now().Add(time.Hour))
	if err := s.Put(t.Context(), &set); err == nil || errors.Is(err, blob.ErrMissing) {
		t.Errorf("put: %v", err)
	}
	if _, err := s.Get(t.Context(), digest); err == nil || errors.Is(err, blob.ErrMissing) {
		t.Errorf("get: %v", err)
	}
}

// A Redis that is full refuses the upload, and the sender is told.
func TestFull(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Args("--maxmemory", "4mb")).Client(t)
	var set blob.Set
	set.Add(bytes.Repeat([]byte("x"), 3<<20), "job", time.Now().Add(time.Hour))
	set.Add(bytes.Repeat([]byte("y"), 3<<20), "job", time.Now().Add(time.Hour))
	if err := blob.New(rdb).Put(t.Context(), &set); err == nil {
		t.Error("6 MiB in a Redis of 4 MB")
	}
}
