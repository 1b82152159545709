package rohrpost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

var update = flag.Bool("update", false, "write golden files anew: for a new version only, v1 is in queues")

const (
	goldenV1 = "testdata/payload_v1.golden"
	goldenV2 = "testdata/payload_v2.golden"
	goldenV3 = "testdata/payload_v3.golden"
)

// fullJob has a value in every field. It must never change: the golden files are
// what workers of all later versions have to read.
func fullJob() *rohrpost.Job {
	return &rohrpost.Job{
		Message: rohrpost.Message{
			ID:       "invoice-4711",
			Tenant:   "acme",
			User:     rohrpost.User{ID: "max", FirstName: "Max", LastName: "Müller", Address: "max@acme.example"},
			Origin:   rohrpost.Manual,
			Category: rohrpost.Marketing,
			From:     rohrpost.Address{Name: "Max Müller", Address: "max@acme.example"},
			ReplyTo:  []rohrpost.Address{{Address: "antwort@acme.example"}},
			To:       []rohrpost.Address{{Name: `Kundin "A" <a>`, Address: "kundin@example.org"}, {Address: "b@example.org"}},
			Cc:       []rohrpost.Address{{Address: "c@bücher.example"}},
			Bcc:      []rohrpost.Address{{Address: "d@example.org"}},
			Subject:  "Ihre Rechnung & <mehr>",
			Text:     "Guten Tag,\nanbei die Rechnung.\x01\n",
			HTML:     "<p>Guten Tag</p>\n",
			Headers:  []rohrpost.Header{{Name: "X-Run", Value: "7"}, {Name: "List-Id", Value: "<kunden.acme.example>"}},
			Attachments: []rohrpost.Attachment{
				{Name: "R-1.pdf", ContentType: "application/pdf", Digest: strings.Repeat("ab", 32), Size: 1234567},
				{ContentID: "logo@acme", Digest: strings.Repeat("cd", 32), Size: 0},
			},
			Priority:    rohrpost.Critical,
			NotBefore:   time.Date(2026, 3, 1, 8, 0, 0, 123e6, time.UTC),
			Expires:     time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
			Metadata:    map[string]string{"invoice": "4711", "a": "ü"},
			OnUncertain: rohrpost.Hold,
		},
		MessageID:  "<invoice-4711@acme.example>",
		EnqueuedAt: time.Date(2026, 2, 28, 23, 59, 59, 999e6, time.UTC),
		TextDigest: strings.Repeat("01", 32),
		HTMLDigest: strings.Repeat("23", 32),
		Bare:       true,
		Sealed:     &rohrpost.Sealed{},
	}
}

// sealedJob is fullJob with what it says encrypted. Head is that of the golden file.
func sealedJob(t *testing.T, j *rohrpost.Job) {
	t.Helper()
	golden, err := os.ReadFile(goldenV3)
	if err != nil && !*update {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(golden, []byte{'\n'})
	j.Bare, j.Subject, j.Headers, j.Text, j.HTML = false, "", nil, "", ""
	for i := range j.Attachments {
		j.Attachments[i] = rohrpost.Attachment{Digest: j.Attachments[i].Digest, Size: j.Attachments[i].Size}
	}
	j.Sealed = &rohrpost.Sealed{Key: "age2:0123abcd:a2V5", Content: []byte("\x00sealed\nbytes\xff"), Head: append(head, '\n')}
}

func TestPayloadGolden(t *testing.T) {
	t.Parallel()
	everyFieldSet(t, reflect.ValueOf(*fullJob()), "Job")
	for file, change := range map[string]func(*rohrpost.Job){
		goldenV1: func(j *rohrpost.Job) { j.Sealed = nil },
		goldenV2: func(j *rohrpost.Job) { j.Bare, j.Sealed = false, nil },
		goldenV3: func(j *rohrpost.Job) { sealedJob(t, j) },
	} {
		job := fullJob()
		change(job)
		encoded, err := rohrpost.EncodeJob(job)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(file, encoded, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(golden), string(encoded)); diff != "" {
			t.Errorf("%s: the payload of this version has changed (-golden +written):\n%s", file, diff)
		}
		decoded, err := rohrpost.DecodeJob(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(job, decoded); diff != "" {
			t.Errorf("%s reads differently (-want +got):\n%s", file, diff)
		}
	}
}

// A job whose key an older version would not find is written so that an older worker
// leaves it alone; any other as it always was.
func TestPayloadVersion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		job  rohrpost.Job
		want string
	}{
		"of a tenant":                     {rohrpost.Job{Message: rohrpost.Message{ID: "a", Tenant: "acme"}}, `{"v":2,`},
		"of a tenant, by an older client": {rohrpost.Job{Message: rohrpost.Message{ID: "a", Tenant: "acme"}, Bare: true}, `{"v":1,`},
		"of the platform":                 {rohrpost.Job{Message: rohrpost.Message{ID: "a"}}, `{"v":1,`},
	} {
		payload, err := rohrpost.EncodeJob(&tt.job)
		if err != nil || !strings.HasPrefix(string(payload), tt.want) {
			t.Errorf("%s: %.10s, %v", name, payload, err)
		}
		job, err := rohrpost.DecodeJob(payload)
		if err != nil || job.Key() != tt.job.Key() {
			t.Errorf("%s: key %q is read as %q, %v", name, tt.job.Key(), job.Key(), err)
		}
	}
}

// everyFieldSet fails for a field of fullJob that was forgotten: one that is
// added later must come into the golden file of its version. Content is never
// in a payload, and one attachment may lack what the other has.
func everyFieldSet(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			everyFieldSet(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
		return
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem() == reflect.TypeFor[rohrpost.Attachment]():
		return
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem() != reflect.TypeFor[rohrpost.Address]():
		everyFieldSet(t, v.Index(0), path+"[0]")
		return
	}
	if v.IsZero() {
		t.Errorf("%s is empty: the golden file would not cover it", path)
	}
}

func TestEncodeJobLeavesContentOut(t *testing.T) {
	t.Parallel()
	job := fullJob()
	job.Attachments[0].Content = []byte("secret bytes")
	encoded, err := rohrpost.EncodeJob(job)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(encoded, []byte("secret")) || bytes.Contains(encoded, []byte("c2VjcmV0")) {
		t.Errorf("the payload has the attachment's content: %s", encoded)
	}
	if job.Attachments[0].Content == nil {
		t.Error("EncodeJob changed the job")
	}
}

func TestDecodeJobRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		payload string
		want    error
	}{
		{"newer", `{"v":4}` + "\n", rohrpost.ErrPayloadVersion},
		{"newer, much", `{"v":1000000}` + "\nbodies", rohrpost.ErrPayloadVersion},
		{"newer, other shape", `{"to":{"x":[]},"id":7,"v":4,"subject":[],"expires":"never"}` + "\nx", rohrpost.ErrPayloadVersion},
		{"newer, shape that fails first", `{"message_id":[1],"enqueued_at":{},"v":4}` + "\n", rohrpost.ErrPayloadVersion},
		{"newer, no line end", `{"v":4}`, rohrpost.ErrPayloadVersion},
		{"empty", "", rohrpost.ErrPayload},
		{"line end only", "\n", rohrpost.ErrPayload},
		{"no JSON", "hello\n", rohrpost.ErrPayload},
		{"cut JSON", `{"v":2,"id":"a`, rohrpost.ErrPayload},
		{"no object", "[1]\n", rohrpost.ErrPayload},
		{"null", "null\n", rohrpost.ErrPayload},
		{"no version", `{"id":"a"}` + "\n", rohrpost.ErrPayload},
		{"version 0", `{"v":0}` + "\n", rohrpost.ErrPayload},
		{"negative version", `{"v":-1}` + "\n", rohrpost.ErrPayload},
		{"version is a string", `{"v":"2"}` + "\n", rohrpost.ErrPayload},
		{"wrong type", `{"v":1,"subject":7}` + "\n", rohrpost.ErrPayload},
		{"text after the value", `{"v":1} {}` + "\n", rohrpost.ErrPayload},
		{"sealed, without a key", `{"v":3}` + "\nx", rohrpost.ErrPayload},
		{"a key, and not sealed", `{"v":2,"key":"k"}` + "\n", rohrpost.ErrPayload},
		{"sealed, and lengths", `{"v":3,"key":"k","text_len":1}` + "\nx", rohrpost.ErrPayload},
		{"bodies too short", `{"v":1,"text_len":3}` + "\nab", rohrpost.ErrPayload},
		{"bodies too long", `{"v":1,"text_len":1}` + "\nab", rohrpost.ErrPayload},
		{"negative length", `{"v":1,"text_len":-1,"html_len":3}` + "\nab", rohrpost.ErrPayload},
		{"lengths overflow", `{"v":1,"text_len":9223372036854775807,"html_len":9223372036854775807}` + "\n", rohrpost.ErrPayload},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job, err := rohrpost.DecodeJob([]byte(tt.payload))
			if job != nil || !errors.Is(err, tt.want) {
				t.Fatalf("got %v, %v; want %v", job, err, tt.want)
			}
			other := rohrpost.ErrPayload
			if errors.Is(tt.want, other) {
				other = rohrpost.ErrPayloadVersion
			}
			if errors.Is(err, other) {
				t.Errorf("%v is %v as well", err, other)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

// A worker reads what a newer producer of the same version adds.
func TestDecodeJobOverlooksUnknownFields(t *testing.T) {
	t.Parallel()
	job, err := rohrpost.DecodeJob([]byte(`{"v":1,"id":"a","colour":{"deep":[1]},"text_len":1}` + "\nx"))
	if err != nil || job.ID != "a" || job.Text != "x" {
		t.Errorf("got %+v, %v", job, err)
	}
}

func TestPayloadRoundTrip(t *testing.T) {
	t.Parallel()
	property := func(seed1, seed2 uint64) bool {
		want := randomJob(rand.New(rand.NewPCG(seed1, seed2)))
		encoded, err := rohrpost.EncodeJob(want)
		if err != nil {
			t.Errorf("seed %d %d: %v", seed1, seed2, err)
			return false
		}
		got, err := rohrpost.DecodeJob(encoded)
		if err != nil {
			t.Errorf("seed %d %d: %v", seed1, seed2, err)
			return false
		}
		diff := cmp.Diff(want, got)
		if diff != "" {
			t.Errorf("seed %d %d (-want +got):\n%s", seed1, seed2, diff)
		}
		return diff == ""
	}
	if err := quick.Check(property, &quick.Config{MaxCount: 500}); err != nil {
		t.Error(err)
	}
}

// randomJob fills each field in every second job.
func randomJob(r *rand.Rand) *rohrpost.Job {
	text := func() string {
		const runes = "az09 \"\\<>&{}\x00\n\r\t\u2028ü漢🐘"
		all := []rune(runes)
		out := make([]rune, r.IntN(12))
		for i := range out {
			out[i] = all[r.IntN(len(all))]
		}
		return string(out)
	}
	list := func() []rohrpost.Address {
		var out []rohrpost.Address
		for range r.IntN(4) {
			out = append(out, rohrpost.Address{Name: text(), Address: text()})
		}
		return out
	}
	date := func() time.Time { return time.UnixMilli(1 + r.Int64N(4e12)).UTC() }
	job := &rohrpost.Job{MessageID: text(), EnqueuedAt: date(), TextDigest: text(), HTMLDigest: text()}
	m := &job.Message
	m.ID, m.Tenant, m.Subject, m.Text, m.HTML = text(), text(), text(), text(), text()
	m.ReplyTo, m.To, m.Cc, m.Bcc = list(), list(), list(), list()
	m.Origin, m.Category, m.Priority = rohrpost.Origin(text()), rohrpost.Category(text()), rohrpost.Priority(text())
	m.OnUncertain = rohrpost.OnUncertain(text())
	if r.IntN(2) == 0 {
		m.User = rohrpost.User{ID: text(), FirstName: text(), LastName: text(), Address: text()}
		m.From = rohrpost.Address{Name: text(), Address: text()}
	}
	if r.IntN(2) == 0 {
		m.NotBefore, m.Expires = date(), date()
	}
	for range r.IntN(3) {
		m.Headers = append(m.Headers, rohrpost.Header{Name: text(), Value: text()})
		m.Attachments = append(m.Attachments, rohrpost.Attachment{
			Name: text(), ContentType: text(), ContentID: text(), Digest: text(), Size: r.Int64(),
		})
	}
	for range r.IntN(3) {
		if m.Metadata == nil {
			m.Metadata = map[string]string{}
		}
		m.Metadata[text()] = text()
	}
	return job
}

func FuzzDecodeJob(f *testing.F) {
	golden, err := os.ReadFile(goldenV1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"v":1,"text_len":1,"html_len":2}` + "\nabc"))
	f.Add([]byte(`{"v":2,"tenant":"acme"}` + "\n"))
	f.Add([]byte(`{"v":4}`))
	f.Add([]byte(`{"v":1,"expires":-62135596800000,"metadata":{},"headers":[],"to":[null]}` + "\n"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		first, err := rohrpost.DecodeJob(payload)
		if err != nil {
			if !errors.Is(err, rohrpost.ErrPayload) && !errors.Is(err, rohrpost.ErrPayloadVersion) {
				t.Errorf("an error without identity: %v", err)
			}
			return
		}
		encoded, err := rohrpost.EncodeJob(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := rohrpost.DecodeJob(encoded)
		if err != nil {
			t.Fatalf("%v\n%s", err, encoded)
		}
		again, err := rohrpost.EncodeJob(second)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(encoded, again) {
			t.Errorf("a job reads differently after it was written:\n%s\n%s", encoded, again)
		}
	})
}

func TestJobIsNoJSON(t *testing.T) {
	t.Parallel()
	if out, err := json.Marshal(fullJob()); err == nil {
		t.Errorf("MarshalJSON of the message was taken for the job's: %s", out)
	}
	if err := json.Unmarshal([]byte(`{"id":"a"}`), new(rohrpost.Job)); err == nil {
		t.Error("UnmarshalJSON of the message was taken for the job's")
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct{ notBefore, want time.Time }{
		"at once": {time.Time{}, now},
		"past":    {now.Add(-time.Hour), now},
		"later":   {now.Add(time.Hour), now.Add(time.Hour)},
	} {
		job := rohrpost.Job{Message: rohrpost.Message{NotBefore: tt.notBefore}, EnqueuedAt: now}
		if got := job.Due(); !got.Equal(tt.want) {
			t.Errorf("%s: due %v, want %v", name, got, tt.want)
		}
	}
}
