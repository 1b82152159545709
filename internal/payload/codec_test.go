package payload_test

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
	"github.com/rohrpost/rohrpost/internal/payload"
)

var update = flag.Bool("update", false, "write golden files anew: for a new version only, v1 is in queues")

const (
	goldenV1 = "testdata/v1.golden"
	goldenV2 = "testdata/v2.golden"
	goldenV3 = "testdata/v3.golden"
	goldenV4 = "testdata/v4.golden"
)

// fullJob has a value in every field. It must never change: the golden files are
// what workers of all later versions have to read.
func fullJob() *payload.Job {
	return &payload.Job{
		Message: rohrpost.Message{
			ID:          "invoice-4711",
			Tenant:      "acme",
			User:        rohrpost.User{ID: "max", FirstName: "Max", LastName: "Müller", Address: "max@acme.example"},
			Origin:      rohrpost.Manual,
			Category:    rohrpost.Marketing,
			From:        rohrpost.Address{Name: "Max Müller", Address: "max@acme.example"},
			ReplyTo:     []rohrpost.Address{{Address: "antwort@acme.example"}},
			To:          []rohrpost.Address{{Name: `Kundin "A" <a>`, Address: "kundin@example.org"}, {Address: "b@example.org"}},
			Cc:          []rohrpost.Address{{Address: "c@bücher.example"}},
			Bcc:         []rohrpost.Address{{Address: "d@example.org"}},
			Subject:     "Ihre Rechnung & <mehr>",
			Text:        "Guten Tag,\nanbei die Rechnung.\x01\n",
			HTML:        "<p>Guten Tag</p>\n",
			Headers:     []rohrpost.Header{{Name: "X-Run", Value: "7"}, {Name: "List-Id", Value: "<kunden.acme.example>"}},
			Priority:    rohrpost.Critical,
			NotBefore:   time.Date(2026, 3, 1, 8, 0, 0, 123e6, time.UTC),
			Expires:     time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC),
			Metadata:    map[string]string{"invoice": "4711", "a": "ü"},
			OnUncertain: rohrpost.Hold,
			NoTextPart:  true,
		},
		MessageID:  "<invoice-4711@acme.example>",
		EnqueuedAt: time.Date(2026, 2, 28, 23, 59, 59, 999e6, time.UTC),
		TextDigest: strings.Repeat("01", 32),
		HTMLDigest: strings.Repeat("23", 32),
		Files: []payload.File{
			{Name: "R-1.pdf", ContentType: "application/pdf", Digest: strings.Repeat("ab", 32), Size: 1234567},
			{ContentID: "logo@acme", Digest: strings.Repeat("cd", 32), Size: 0},
			{Name: "REQUEST", Role: payload.Calendar, Digest: strings.Repeat("ef", 32), Size: 700},
		},
		Bare:   true,
		Sealed: &payload.Sealed{},
	}
}

// sealedJob is fullJob with what it says encrypted. Head is that of the golden file.
func sealedJob(t *testing.T, j *payload.Job) {
	t.Helper()
	golden, err := os.ReadFile(goldenV3)
	if err != nil && !*update {
		t.Fatal(err)
	}
	head, _, _ := bytes.Cut(golden, []byte{'\n'})
	j.Bare, j.Subject, j.Headers, j.Text, j.HTML = false, "", nil, "", ""
	for i := range j.Files {
		j.Files[i] = payload.File{Digest: j.Files[i].Digest, Size: j.Files[i].Size}
	}
	j.Sealed = &payload.Sealed{Key: "age2:0123abcd:a2V5", Content: []byte("\x00sealed\nbytes\xff"), Head: append(head, '\n')}
}

// older is fullJob as versions before 4 could write it.
func older(j *payload.Job) { j.Files, j.NoTextPart = j.Files[:2], false }

func TestGolden(t *testing.T) {
	t.Parallel()
	everyFieldSet(t, reflect.ValueOf(*fullJob()), "Job")
	for file, change := range map[string]func(*payload.Job){
		goldenV1: func(j *payload.Job) { older(j); j.Sealed = nil },
		goldenV2: func(j *payload.Job) { older(j); j.Bare, j.Sealed = false, nil },
		goldenV3: func(j *payload.Job) { older(j); sealedJob(t, j) },
		goldenV4: func(j *payload.Job) { j.Bare, j.Sealed = false, nil },
	} {
		job := fullJob()
		change(job)
		encoded, err := payload.Encode(job)
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
		decoded, err := payload.Decode(golden)
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
func TestVersion(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		job  payload.Job
		want string
	}{
		"of a tenant":                     {payload.Job{Message: rohrpost.Message{ID: "a", Tenant: "acme"}}, `{"v":2,`},
		"of a tenant, by an older client": {payload.Job{Message: rohrpost.Message{ID: "a", Tenant: "acme"}, Bare: true}, `{"v":1,`},
		"with a calendar, sealed":         {payload.Job{Message: rohrpost.Message{ID: "a"}, Files: []payload.File{{Role: payload.Calendar}}, Sealed: &payload.Sealed{Key: "k"}}, `{"v":4,"key":"k",`},
		"of the platform":                 {payload.Job{Message: rohrpost.Message{ID: "a"}}, `{"v":1,`},
	} {
		encoded, err := payload.Encode(&tt.job)
		if err != nil || !strings.HasPrefix(string(encoded), tt.want) {
			t.Errorf("%s: %.10s, %v", name, encoded, err)
		}
		job, err := payload.Decode(encoded)
		if err != nil || job.Key() != tt.job.Key() {
			t.Errorf("%s: key %q is read as %q, %v", name, tt.job.Key(), job.Key(), err)
		}
	}
}

// everyFieldSet fails for a field of fullJob that was forgotten: one that is
// added later must come into the golden file of its version. Attachments and
// the like are never in a payload, and one file may lack what the other has.
func everyFieldSet(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			everyFieldSet(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
		return
	case v.Type() == reflect.TypeFor[[]rohrpost.Attachment](), v.Type() == reflect.TypeFor[*rohrpost.Calendar](),
		v.Type() == reflect.TypeFor[*rohrpost.Unsubscribe](), v.Type() == reflect.TypeFor[[]byte](), v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem() == reflect.TypeFor[payload.File]():
		return
	case v.Kind() == reflect.Slice && v.Len() > 0 && v.Type().Elem() != reflect.TypeFor[rohrpost.Address]():
		everyFieldSet(t, v.Index(0), path+"[0]")
		return
	}
	if v.IsZero() {
		t.Errorf("%s is empty: the golden file would not cover it", path)
	}
}

// What Encode would leave out must have become a blob before.
func TestEncodeRefusesContent(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(*payload.Job){
		"attachment": func(j *payload.Job) {
			j.Attachments = []rohrpost.Attachment{{Name: "a", Content: []byte("secret bytes")}}
		},
		"calendar": func(j *payload.Job) { j.Message.Calendar = &rohrpost.Calendar{Content: "secret"} },
		"raw":      func(j *payload.Job) { j.Message.Raw = []byte("secret") },
	} {
		job := fullJob()
		add(job)
		if encoded, err := payload.Encode(job); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %s, %v", name, encoded, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		payload string
		want    error
	}{
		{"newer", `{"v":5}` + "\n", payload.ErrVersion},
		{"newer, much", `{"v":1000000}` + "\nbodies", payload.ErrVersion},
		{"newer, other shape", `{"to":{"x":[]},"id":7,"v":5,"subject":[],"expires":"never"}` + "\nx", payload.ErrVersion},
		{"newer, shape that fails first", `{"message_id":[1],"enqueued_at":{},"v":5}` + "\n", payload.ErrVersion},
		{"newer, no line end", `{"v":5}`, payload.ErrVersion},
		{"empty", "", payload.ErrMalformed},
		{"line end only", "\n", payload.ErrMalformed},
		{"no JSON", "hello\n", payload.ErrMalformed},
		{"cut JSON", `{"v":2,"id":"a`, payload.ErrMalformed},
		{"no object", "[1]\n", payload.ErrMalformed},
		{"null", "null\n", payload.ErrMalformed},
		{"no version", `{"id":"a"}` + "\n", payload.ErrMalformed},
		{"version 0", `{"v":0}` + "\n", payload.ErrMalformed},
		{"negative version", `{"v":-1}` + "\n", payload.ErrMalformed},
		{"version is a string", `{"v":"2"}` + "\n", payload.ErrMalformed},
		{"wrong type", `{"v":1,"subject":7}` + "\n", payload.ErrMalformed},
		{"text after the value", `{"v":1} {}` + "\n", payload.ErrMalformed},
		{"sealed, without a key", `{"v":3}` + "\nx", payload.ErrMalformed},
		{"a key, and not sealed", `{"v":2,"key":"k"}` + "\n", payload.ErrMalformed},
		{"sealed, and lengths", `{"v":3,"key":"k","text_len":1}` + "\nx", payload.ErrMalformed},
		{"bodies too short", `{"v":1,"text_len":3}` + "\nab", payload.ErrMalformed},
		{"bodies too long", `{"v":1,"text_len":1}` + "\nab", payload.ErrMalformed},
		{"negative length", `{"v":1,"text_len":-1,"html_len":3}` + "\nab", payload.ErrMalformed},
		{"lengths overflow", `{"v":1,"text_len":9223372036854775807,"html_len":9223372036854775807}` + "\n", payload.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job, err := payload.Decode([]byte(tt.payload))
			if job != nil || !errors.Is(err, tt.want) {
				t.Fatalf("got %v, %v; want %v", job, err, tt.want)
			}
			other := payload.ErrMalformed
			if errors.Is(tt.want, other) {
				other = payload.ErrVersion
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
func TestDecodeOverlooksUnknownFields(t *testing.T) {
	t.Parallel()
	job, err := payload.Decode([]byte(`{"v":1,"id":"a","colour":{"deep":[1]},"text_len":1}` + "\nx"))
	if err != nil || job.ID != "a" || job.Text != "x" {
		t.Errorf("got %+v, %v", job, err)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	property := func(seed1, seed2 uint64) bool {
		want := randomJob(rand.New(rand.NewPCG(seed1, seed2)))
		encoded, err := payload.Encode(want)
		if err != nil {
			t.Errorf("seed %d %d: %v", seed1, seed2, err)
			return false
		}
		got, err := payload.Decode(encoded)
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
func randomJob(r *rand.Rand) *payload.Job {
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
	job := &payload.Job{MessageID: text(), EnqueuedAt: date(), TextDigest: text(), HTMLDigest: text()}
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
		job.Files = append(job.Files, payload.File{
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

func FuzzDecode(f *testing.F) {
	golden, err := os.ReadFile(goldenV1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(golden)
	f.Add([]byte(`{"v":1,"text_len":1,"html_len":2}` + "\nabc"))
	f.Add([]byte(`{"v":2,"tenant":"acme"}` + "\n"))
	f.Add([]byte(`{"v":5}`))
	f.Add([]byte(`{"v":1,"expires":-62135596800000,"metadata":{},"headers":[],"to":[null]}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := payload.Decode(b)
		if err != nil {
			if !errors.Is(err, payload.ErrMalformed) && !errors.Is(err, payload.ErrVersion) {
				t.Errorf("an error without identity: %v", err)
			}
			return
		}
		encoded, err := payload.Encode(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := payload.Decode(encoded)
		if err != nil {
			t.Fatalf("%v\n%s", err, encoded)
		}
		again, err := payload.Encode(second)
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
	if err := json.Unmarshal([]byte(`{"id":"a"}`), new(payload.Job)); err == nil {
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
		job := payload.Job{Message: rohrpost.Message{NotBefore: tt.notBefore}, EnqueuedAt: now}
		if got := job.Due(); !got.Equal(tt.want) {
			t.Errorf("%s: due %v, want %v", name, got, tt.want)
		}
	}
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	job := fullJob()
	bodies := []string{strings.Repeat("01", 32), strings.Repeat("23", 32)}
	if diff := cmp.Diff(bodies, job.Bodies()); diff != "" {
		t.Errorf("bodies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(append(bodies, strings.Repeat("ab", 32), strings.Repeat("cd", 32), strings.Repeat("ef", 32)), job.Blobs()); diff != "" {
		t.Errorf("blobs (-want +got):\n%s", diff)
	}
	if list := (&payload.Job{Message: rohrpost.Message{Text: "x"}}).Blobs(); len(list) != 0 {
		t.Errorf("a small mail needs %q", list)
	}
}
