package rohrpost

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func diffLines(a, b jobLine) string {
	return cmp.Diff(a, b, cmp.AllowUnexported(jobLine{}))
}

// What is written for most mails must not take the long way.
func TestScanLine(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]Message{
		"least": {To: []Address{{Address: "a@b"}}},
		"all it knows": {
			ID: "a", Tenant: "ü", User: User{ID: "a", FirstName: "b", LastName: "c", Address: "d"}, Origin: Manual, Category: Marketing,
			From: Address{Name: "f", Address: "f@b"}, ReplyTo: []Address{{Address: "r@b"}}, To: []Address{{Name: "a", Address: "a@b"}, {}},
			Cc: []Address{{Address: "c@b"}}, Bcc: []Address{{Address: "d@b"}}, Subject: "Größe <1> & 'x' 🐘\x7f", Text: "x\n", HTML: "y",
			Priority: Bulk, NotBefore: fromMilli(1), Expires: fromMilli(-2), OnUncertain: Hold,
		},
	} {
		payload, err := EncodeJob(&Job{Message: m, MessageID: "<a@b>", TextDigest: "t", HTMLDigest: "h"})
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(payload, []byte{'\n'})
		var line, want jobLine
		if !scanLine(head, &line) {
			t.Errorf("%s: lost in %s", name, head)
		}
		if err := json.Unmarshal(head, &want); err != nil {
			t.Fatal(err)
		}
		if diff := diffLines(want, line); diff != "" {
			t.Errorf("%s (-json +scan):\n%s", name, diff)
		}
	}
}

// scanLine may give up, but never says something else than encoding/json.
func FuzzScanLine(f *testing.F) {
	golden, err := os.ReadFile("testdata/payload_v1.golden")
	if err != nil {
		f.Fatal(err)
	}
	head, _, _ := bytes.Cut(golden, []byte{'\n'})
	f.Add(head)
	for _, s := range []string{
		`{}`, `{"v":1}`, `{"v":01}`, `{"v":-0}`, `{"v":-1}`, `{"v":--1}`, `{"v":1-1}`, `{"v":}`, `{"v":-}`, `{"v":9223372036854775808}`, `{"v":1,}`, `{,}`,
		`{"v":1}x`, `{"v":1`, `{"id":"a`, `{"id":"a\n"}`, "{\"id\":\"a\n\"}", "{\"id\":\"\xff\"}", `{"id":"a"`, `{"id":"a",}`, `{"ID":"a"}`, `{"id":null}`,
		`{"to":[]}`, `{"to":[{}]}`, `{"to":[{"name":"a"}],"to":[{"address":"b"}]}`, `{"to":[{"name":"a"},]}`, `{"to":[,]}`, `{"to":[{"name":"a"}`, `{"to":[null]}`,
		`{"user":{"id":"a"},"user":{"address":"b"}}`, `{"from":{"name":"a"},"from":{"address":"b"}}`, `{"from":{}}`, `{"from":{"x":"y"}}`, `{"id":"a" }`, `{"id" :"a"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var line, want jobLine
		if !scanLine(b, &line) {
			return
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("%s is no line: %v", b, err)
		}
		if diff := diffLines(want, line); diff != "" {
			t.Errorf("%s (-json +scan):\n%s", b, diff)
		}
	})
}
