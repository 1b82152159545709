package deadletter_test

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/deadletter"
	"github.com/rohrpost/rohrpost/internal/lua"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/queue"
	"github.com/rohrpost/rohrpost/internal/redisconn"
	"github.com/rohrpost/rohrpost/internal/redistest"
)

func TestMain(m *testing.M) {
	redisconn.LogTo(zerolog.Nop()) // else go-redis writes to stderr
	m.Run()
}

// A shelf has failed mails as a worker leaves them.
type shelf struct {
	t     *testing.T
	rdb   redis.UniversalClient
	blobs *blob.Store
	now   time.Time
	*deadletter.Store
}

func open(t *testing.T, limit int64) *shelf {
	t.Helper()
	m := &shelf{t: t, rdb: redistest.Start(t).Client(t), now: time.Now().Truncate(time.Millisecond)}
	m.blobs = blob.New(m.rdb)
	m.Store = deadletter.New(deadletter.Options{
		Redis: m.rdb, Blobs: m.blobs, Keep: 48 * time.Hour, Limit: limit, Now: func() time.Time { return m.now },
	})
	return m
}

// job is one with an attachment of its own and a large text.
func (m *shelf) job(tenant, id string, attached int) *payload.Job {
	m.t.Helper()
	job := &payload.Job{
		Message: rohrpost.Message{Tenant: tenant, ID: id, Priority: rohrpost.Default, To: []rohrpost.Address{{Address: "a@example.org"}}}, EnqueuedAt: m.now,
	}
	var set blob.Set
	user, until := string(job.Key()), m.now.Add(200*time.Hour)
	content := []byte(strings.Repeat(id, attached/len(id)))
	job.Files = []payload.File{{Name: "a", Digest: set.Add(content, user, until), Size: int64(len(content))}}
	job.TextDigest = set.Add([]byte("text of "+tenant), user, until)
	if err := m.blobs.Put(m.t.Context(), &set); err != nil {
		m.t.Fatal(err)
	}
	return job
}

// fail archives the job's task and adds it.
func (m *shelf) fail(job *payload.Job) {
	m.t.Helper()
	m.enqueue(job)
	if err := asynq.NewInspectorFromRedisClient(m.rdb).ArchiveTask("default", string(job.Key())); err != nil {
		m.t.Fatal(err)
	}
	m.add(job)
}

func (m *shelf) enqueue(job *payload.Job) {
	m.t.Helper()
	content, err := payload.Encode(job)
	if err != nil {
		m.t.Fatal(err)
	}
	var batch lua.Batch
	if _, err := queue.NewRecorder(&batch).Add(m.t.Context(), job, content); err != nil {
		m.t.Fatal(err)
	}
	if err := batch.Exec(m.t.Context(), m.rdb); err != nil {
		m.t.Fatal(err)
	}
}

func (m *shelf) add(job *payload.Job) {
	m.t.Helper()
	if err := m.Add(m.t.Context(), job); err != nil {
		m.t.Fatal(err)
	}
}

// left says what there is of a job: t its task, a its attachment, b its body.
func (m *shelf) left(job *payload.Job) string {
	left := ""
	for _, part := range []struct{ name, key string }{
		{"t", "asynq:{default}:t:" + string(job.Key())},
		{"a", "rohrpost:blob:{" + job.Files[0].Digest + "}"},
		{"b", "rohrpost:blob:{" + job.TextDigest + "}"},
	} {
		if m.rdb.Exists(m.t.Context(), part.key).Val() == 1 {
			left += part.name
		}
	}
	return left
}

func (m *shelf) allLeft(jobs []*payload.Job) []string {
	var out []string
	for _, j := range jobs {
		out = append(out, m.left(j))
	}
	return out
}

func TestTheOldestGoFirst(t *testing.T) {
	t.Parallel()
	for _, tenant := range []string{"acme", "", "{a b}"} {
		m := open(t, 50_000)
		other := m.job("other", "theirs", 40_000)
		m.fail(other)
		var jobs []*payload.Job
		for i := range 5 {
			m.now = m.now.Add(time.Second)
			jobs = append(jobs, m.job(tenant, "mail"+strconv.Itoa(i), 20_000))
			m.fail(jobs[i])
		}
		// The body is the same one for all: it is there as long as one of them is.
		if diff := cmp.Diff([]string{"b", "b", "b", "tab", "tab"}, m.allLeft(jobs)); diff != "" {
			t.Errorf("tenant %q: %s", tenant, diff)
		}
		if got := m.left(other); got != "tab" {
			t.Errorf("tenant %q: of another's mail there is %q", tenant, got)
		}
		end := m.rdb.PExpireTime(t.Context(), "rohrpost:blob:{"+jobs[4].TextDigest+"}").Val()
		if want := m.now.Add(48 * time.Hour); end.Milliseconds() != want.UnixMilli() {
			t.Errorf("tenant %q: the blobs end %v, want %v", tenant, time.UnixMilli(end.Milliseconds()), want)
		}
	}
}

func TestAgain(t *testing.T) {
	t.Parallel()
	m := open(t, 50_000)
	first, second := m.job("acme", "first", 20_000), m.job("acme", "second", 20_000)
	m.fail(first)
	m.now = m.now.Add(time.Second)
	m.fail(second)
	for range 10 { // repeated, it counts once
		m.add(first)
	}
	if diff := cmp.Diff([]string{"tab", "tab"}, m.allLeft([]*payload.Job{first, second})); diff != "" {
		t.Error(diff)
	}
	m.now = m.now.Add(49 * time.Hour) // what is over counts no more
	third, fourth := m.job("acme", "third", 20_000), m.job("acme", "fourth", 20_000)
	m.fail(third)
	m.fail(fourth)
	if diff := cmp.Diff([]string{"tab", "tab"}, m.allLeft([]*payload.Job{third, fourth})); diff != "" {
		t.Error(diff)
	}
}

// Mails that fail at the same moment, more than are kept, leave no blobs behind.
func TestTogether(t *testing.T) {
	t.Parallel()
	m := open(t, 50_000)
	const mails = 40
	jobs := make([]*payload.Job, mails)
	for i := range jobs {
		jobs[i] = m.job("acme", "mail"+strconv.Itoa(100+i), 20_000)
	}
	var group sync.WaitGroup
	for _, job := range jobs {
		group.Go(func() {
			if err := m.Add(t.Context(), job); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	left := 0
	for _, job := range jobs {
		if strings.Contains(m.left(job), "a") {
			left++
		}
	}
	if left == 0 || left > 2 {
		t.Errorf("the attachments of %d mails are left, want those of two", left)
	}
}

// Nothing is taken from a mail that somebody has sent again.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	m := open(t, 30_000)
	job := m.job("acme", "again", 20_000)
	m.fail(job)
	if err := m.blobs.Prolong(t.Context(), string(job.Key()), m.now.Add(300*time.Hour), job.Blobs()...); err != nil {
		t.Fatal(err)
	}
	if err := queue.Move(t.Context(), m.rdb, queue.Ref{Queue: "default", ID: string(job.Key())}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(time.Second)
	m.fail(m.job("acme", "newer", 20_000))
	if got := m.left(job); got != "tab" {
		t.Errorf("of the mail that is on its way there is %q", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for limit, want := range map[int64]string{1: "tab", -1: "tab", 0: "tab"} {
		m := open(t, limit)
		job := m.job("acme", "only", 20_000)
		m.fail(job)
		if got := m.left(job); got != want {
			t.Errorf("limit %d: %q; the newest stays whatever its size", limit, got)
		}
		m.now = m.now.Add(time.Second)
		m.fail(m.job("acme", "next", 20_000))
		if got := m.left(job); (got == "tab") != (limit <= 0) {
			t.Errorf("limit %d: of the one before there is %q", limit, got)
		}
	}
}

// Sealed content counts, and so does a job of which a blob is gone.
func TestSizes(t *testing.T) {
	t.Parallel()
	m := open(t, 30_000)
	sealed := m.job("acme", "sealed", 10)
	sealed.Sealed = &payload.Sealed{Content: make([]byte, 40_000)}
	m.add(sealed)
	m.now = m.now.Add(time.Second)
	lost := m.job("acme", "lost", 10)
	m.rdb.Del(t.Context(), "rohrpost:blob:{"+lost.TextDigest+"}")
	m.add(lost)
	if got := m.rdb.ZRange(t.Context(), "rohrpost:failed:{acme}", 0, -1).Val(); len(got) != 1 || got[0] != string(lost.Key()) {
		t.Errorf("%q is kept: the sealed one is larger than all that may be", got)
	}
	_ = m.rdb.Close()
	if err := m.Add(t.Context(), lost); err == nil {
		t.Error("without Redis")
	}
}

// A full Redis is one that needs it most.
func TestFull(t *testing.T) {
	t.Parallel()
	m := open(t, 100_000)
	var jobs []*payload.Job
	for i := range 2 {
		m.now = m.now.Add(time.Second)
		jobs = append(jobs, m.job("acme", "mail"+strconv.Itoa(i), 80_000))
		m.fail(jobs[i])
	}
	next := m.job("acme", "next", 80_000)
	m.rdb.ConfigSet(t.Context(), "maxmemory", "1mb")
	m.now = m.now.Add(time.Second)
	m.add(next)
	if diff := cmp.Diff([]string{"b", "b"}, m.allLeft(jobs)); diff != "" {
		t.Error(diff)
	}
}
