package producer_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/producer"
)

func blobKeys(t *testing.T, rdb redis.UniversalClient) []string {
	t.Helper()
	return rdb.Keys(t.Context(), "rohrpost:blob:{*}").Val()
}

func TestSameBytesAreStoredOnce(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	pdf := []byte("%PDF-1.7 the invoice")
	m := mail()
	m.Attachments = []rohrpost.Attachment{
		{Name: "a.pdf", Content: pdf},
		{Name: "b.pdf", Content: []byte(string(pdf))},
		{Name: "c.txt", Content: []byte("other")},
		{Name: "empty.txt", Content: []byte{}},
	}
	first := mustSend(t, client, m)
	mustSend(t, client, m)
	if keys := blobKeys(t, rdb); len(keys) != 3 {
		t.Errorf("blobs %q", keys)
	}
	if string(m.Attachments[0].Content) != string(pdf) || len(m.Attachments) != 4 {
		t.Error("the caller's attachment was changed")
	}
	job := queued(t, rdb, "default", first.ID)
	digests := make([]string, len(job.Files))
	for i, f := range job.Files {
		digests[i] = f.Digest
		if f.Size != int64(len(m.Attachments[i].Content)) || f.Name != m.Attachments[i].Name {
			t.Errorf("attachment %d: %+v", i, f)
		}
	}
	contents, err := blob.New(rdb).Get(t.Context(), digests...)
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range digests {
		if got := string(contents[d]); got != string(m.Attachments[i].Content) {
			t.Errorf("attachment %d has %q", i, got)
		}
	}
}

func TestLargeBodiesAreBlobs(t *testing.T) {
	t.Parallel()
	client, rdb := newClient(t, producer.Options{})
	const limit = 32 << 10
	m := mail()
	m.Text, m.HTML = strings.Repeat("t", limit), strings.Repeat("h", limit)
	if job := queued(t, rdb, "default", mustSend(t, client, m).ID); job.Text != m.Text || job.HTML != m.HTML {
		t.Error("bodies of 32 KiB do not travel in the payload")
	}
	if keys := blobKeys(t, rdb); len(keys) != 0 {
		t.Errorf("blobs %q", keys)
	}
	m.Text += "t"
	m.HTML += "h"
	job := queued(t, rdb, "default", mustSend(t, client, m).ID)
	if job.Text != "" || job.HTML != "" {
		t.Error("bodies beyond 32 KiB travel in the payload")
	}
	contents, err := blob.New(rdb).Get(t.Context(), job.TextDigest, job.HTMLDigest)
	if err != nil || string(contents[job.TextDigest]) != m.Text || string(contents[job.HTMLDigest]) != m.HTML {
		t.Errorf("the bodies are not in the store: %v", err)
	}
}

// fills lets Redis have no memory left when tasks are to be enqueued.
type fills struct{ rdb redis.UniversalClient }

func (fills) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (fills) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (f fills) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, c := range cmds {
			if strings.Contains(c.String(), "asynq:") {
				f.rdb.ConfigSet(ctx, "maxmemory", "1mb")
			}
		}
		return next(ctx, cmds)
	}
}

// A mail that Redis refuses after its attachments were stored leaves none. Under an id of
// the application's own they stay: another Send of it may need them at this moment.
func TestRefusedLeavesNoBlobs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	rdb := server.Client(t)
	for _, id := range []string{"", "own"} {
		client := server.Client(t)
		client.AddHook(fills{rdb})
		c, err := producer.New(client, producer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		rdb.ConfigSet(t.Context(), "maxmemory", "0")
		m := mail()
		m.Attachments = []rohrpost.Attachment{{Name: "a", Content: []byte("a")}}
		if _, err := c.Send(t.Context(), m, producer.WithID(id)); !errors.Is(err, producer.ErrRedisFull) {
			t.Errorf("id %q: %v", id, err)
		}
		if keys := blobKeys(t, rdb); len(keys) != len(id)/len("own") {
			t.Errorf("id %q: blobs %q", id, keys)
		}
	}
}

// A blob outlives every job that needs it.
func TestBlobsEnd(t *testing.T) {
	t.Parallel()
	const keep = time.Hour
	client, rdb := newClient(t, producer.Options{Keep: keep})
	start := time.Now()
	send := func(notBefore, expires time.Duration) time.Duration {
		m := mail()
		m.Attachments = []rohrpost.Attachment{{Name: "a", Content: []byte("a")}}
		if notBefore > 0 {
			m.NotBefore = start.Add(notBefore)
		}
		if expires > 0 {
			m.Expires = start.Add(expires)
		}
		mustSend(t, client, m)
		ends := rdb.PExpireTime(t.Context(), blobKeys(t, rdb)[0]).Val()
		return time.UnixMilli(ends.Milliseconds()).Sub(start)
	}
	day := 24 * time.Hour
	steps := []struct {
		name               string
		notBefore, expires time.Duration
		want               time.Duration
	}{
		{"an hour", 0, time.Hour, time.Hour + keep},
		{"prolonged", 0, 3 * time.Hour, 3*time.Hour + keep},
		{"never shortened", 0, 2 * time.Hour, 3*time.Hour + keep},
		{"no expiry", 0, 0, 7*day + keep},
		{"later and no expiry", 30 * day, 0, 37*day + keep},
	}
	for _, s := range steps {
		got := send(s.notBefore, s.expires)
		if late := got - s.want; late < -time.Millisecond || late > time.Minute {
			t.Errorf("%s: the blob ends after %v, want %v", s.name, got, s.want)
		}
	}
}
