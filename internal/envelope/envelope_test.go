package envelope_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/blob"
	"github.com/rohrpost/rohrpost/internal/envelope"
	"github.com/rohrpost/rohrpost/internal/payload"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

// A pair is a producer and a worker, and the time of the producer.
type pair struct {
	*envelope.Sealer
	*envelope.Opener
	clock time.Time
}

func newPair(t testing.TB) *pair {
	t.Helper()
	identity, recipient, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{clock: time.Unix(1_800_000_000, 0)}
	if p.Sealer, err = envelope.NewSealer([]string{recipient}, func() time.Time { return p.clock }); err != nil {
		t.Fatal(err)
	}
	if p.Opener, err = envelope.NewOpener(identity); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pair) key(t testing.TB) *envelope.Key {
	t.Helper()
	k, err := p.Key()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func letter() *payload.Job {
	return &payload.Job{
		Message: rohrpost.Message{
			ID: "a", Tenant: "acme", To: []rohrpost.Address{{Name: "Kunde", Address: "kunde@example.org"}},
			Subject: "canary \"subject\" 🐘", Text: "canary text\n", HTML: "<p>canary html",
			Headers:  []rohrpost.Header{{Name: "X-Canary", Value: "canary header"}},
			Metadata: map[string]string{"invoice": "4711"},
		},
		Files:     []payload.File{{Name: "canary.pdf", ContentType: "application/canary", ContentID: "canary-id", Digest: "d1", Size: 3}, {Digest: "d2"}},
		MessageID: "<a@acme.example>", EnqueuedAt: time.UnixMilli(1_700_000_000_000).UTC(), TextDigest: "d3",
	}
}

func sealed(t testing.TB, p *pair, j *payload.Job) []byte {
	t.Helper()
	written, err := p.key(t).Payload(j)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func decode(t testing.TB, written []byte) *payload.Job {
	t.Helper()
	j, err := payload.Decode(written)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// TestMail comes back as it was, and stands in the payload with nothing that it says.
func TestMail(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	for name, job := range map[string]*payload.Job{"full": letter(), "empty": {Message: rohrpost.Message{ID: "b"}, EnqueuedAt: time.UnixMilli(1).UTC()}} {
		written := sealed(t, p, job)
		if strings.Contains(string(written), "canary") {
			t.Errorf("%s: readable: %s", name, written)
		}
		read := decode(t, written)
		if read.Key() != job.Key() || !cmp.Equal(read.Recipients(), job.Recipients()) || !cmp.Equal(read.Metadata, job.Metadata) || len(read.Files) != len(job.Files) {
			t.Errorf("%s: without a key: %+v", name, read)
		}
		opened, err := p.Open(read)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(job, opened.Job, cmp.Transformer("", func(list []payload.File) []payload.File { return append([]payload.File{}, list...) })); diff != "" {
			t.Errorf("%s (-sealed +opened):\n%s", name, diff)
		}
	}
	open := letter()
	if got, err := p.Open(open); err != nil || got.Job != open {
		t.Errorf("one that is not sealed: %v", err)
	}
}

// TestMoved: what a mail says is good for that mail alone, as it was enqueued.
func TestMoved(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	head, content, _ := bytes.Cut(sealed(t, p, letter()), []byte{'\n'})
	own := letter()
	own.ID, own.Tenant, own.To[0].Address = "mine", "evil", "eve@evil.example"
	ownHead, _, _ := bytes.Cut(sealed(t, p, own), []byte{'\n'})
	join := func(a, b []byte) []byte { return append(append(bytes.Clone(a), '\n'), b...) }
	for name, changed := range map[string][]byte{
		"another recipient":     join(bytes.Replace(head, []byte("kunde@"), []byte("dieb@"), 1), content),
		"another mail":          join(ownHead, content),
		"another attachment":    join(bytes.Replace(head, []byte(`"d1"`), []byte(`"d9"`), 1), content),
		"cut":                   join(head, content[:len(content)-1]),
		"next to nothing":       join(head, content[:5]),
		"nothing":               join(head, nil),
		"longer":                join(head, append(bytes.Clone(content), 0)),
		"a byte of the content": join(head, append([]byte{content[0] ^ 1}, content[1:]...)),
	} {
		if _, err := p.Open(decode(t, changed)); !errors.Is(err, envelope.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBlob(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	k := p.key(t)
	opened, err := p.Open(decode(t, sealed(t, p, letter())))
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "x", strings.Repeat("canary", 10_000)} {
		b := k.Blob([]byte(content))
		if !bytes.Equal(b, k.Blob([]byte(content))) {
			t.Error("the same content is two blobs")
		}
		if len(b) != len(content)+envelope.BlobOverhead || bytes.Contains(b, []byte("canary")) {
			t.Errorf("%d bytes of %d", len(b), len(content))
		}
		got, err := opened.Blob(blob.Digest(b), b)
		if err != nil || string(got) != content {
			t.Errorf("%.10q: %v", content, err)
		}
	}
	mine, others := k.Blob([]byte("mine")), k.Blob([]byte("others"))
	if _, err := opened.Blob(blob.Digest(mine), others); !errors.Is(err, envelope.ErrChanged) {
		t.Errorf("another blob of the same key: %v", err)
	}
	p.clock = p.clock.Add(time.Hour)
	if bytes.Equal(p.key(t).Blob([]byte("mine")), mine) {
		t.Error("the blob tells in the next hour, too, that it is the same")
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	p, other := newPair(t), newPair(t)
	first := p.key(t)
	p.clock = p.clock.Add(time.Hour - 1)
	if p.key(t) != first {
		t.Error("a new key within the hour")
	}
	p.clock = p.clock.Add(1)
	if p.key(t) == first {
		t.Error("the same key after an hour")
	}
	job := decode(t, sealed(t, p, letter()))
	if _, err := other.Open(job); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("with another identity: %v", err)
	}
	none, err := envelope.NewOpener(secret.String{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Open(job); !errors.Is(err, seal.ErrNoIdentity) {
		t.Errorf("without an identity: %v", err)
	}
	if _, err := envelope.NewSealer(nil, time.Now); !errors.Is(err, seal.ErrNoRecipient) {
		t.Errorf("for nobody: %v", err)
	}
	if _, err := envelope.NewSealer([]string{"age1nonsense"}, time.Now); err == nil {
		t.Error("for nonsense")
	}
	// More producers than keys are remembered.
	for range 1100 {
		p.clock = p.clock.Add(time.Hour)
		if _, err := p.Open(decode(t, sealed(t, p, &payload.Job{Message: rohrpost.Message{ID: "a"}}))); err != nil {
			t.Fatal(err)
		}
		if testing.Short() {
			break
		}
	}
	if n := p.Known(); n < 1000 && !testing.Short() || n > 1024 {
		t.Errorf("%d keys are in memory", n)
	}
	if _, err := p.Open(job); err != nil {
		t.Errorf("one that was forgotten: %v", err)
	}
}

// BenchmarkPayload is a mail of 4 KB: encoded and decoded as it is, and sealed and
// opened.
func BenchmarkPayload(b *testing.B) {
	p := newPair(b)
	job := letter()
	job.Text = strings.Repeat("0123456789abcdef", 256)
	k := p.key(b)
	run := func(encode func(*payload.Job) ([]byte, error)) func(*testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				written, err := encode(job)
				if err != nil {
					b.Fatal(err)
				}
				read, err := payload.Decode(written)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := p.Open(read); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("clear", run(payload.Encode))
	b.Run("sealed", run(k.Payload))
}

// BenchmarkBlob is an attachment of 1 MB, there and back.
func BenchmarkBlob(b *testing.B) {
	p := newPair(b)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	opened, err := p.Open(decode(b, sealed(b, p, letter())))
	if err != nil {
		b.Fatal(err)
	}
	k := p.key(b)
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		sealed := k.Blob(content)
		if _, err := opened.Blob(blob.Digest(sealed), sealed); err != nil {
			b.Fatal(err)
		}
	}
}
