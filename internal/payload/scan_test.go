package payload

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

func diffLines(a, b line) string {
	return cmp.Diff(a, b, cmp.AllowUnexported(line{}))
}

// What is written for most mails must not take the long way.
func TestScanLine(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]rohrpost.Message{
		"least": {To: []rohrpost.Address{{Address: "a@b"}}},
		"all it knows": {
			ID: "a", Tenant: "ü", User: rohrpost.User{ID: "a", FirstName: "b", LastName: "c", Address: "d"}, Origin: rohrpost.Manual, Category: rohrpost.Marketing,
			From: rohrpost.Address{Name: "f", Address: "f@b"}, ReplyTo: []rohrpost.Address{{Address: "r@b"}}, To: []rohrpost.Address{{Name: "a", Address: "a@b"}, {}},
			Cc: []rohrpost.Address{{Address: "c@b"}}, Bcc: []rohrpost.Address{{Address: "d@b"}}, Subject: "Größe <1> & 'x' 🐘\x7f", Text: "x\n", HTML: "y",
			Priority: rohrpost.Bulk, NotBefore: fromMilli(1), Expires: fromMilli(-2), OnUncertain: rohrpost.Hold,
		},
	} {
		encoded, err := Encode(&Job{Message: m, MessageID: "<a@b>", TextDigest: "t", HTMLDigest: "h"})
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(encoded, []byte{'\n'})
		var got, want line
		if !scanLine(head, &got) {
			t.Errorf("%s: lost in %s", name, head)
		}
		if err := json.Unmarshal(head, &want); err != nil {
			t.Fatal(err)
		}
		if diff := diffLines(want, got); diff != "" {
			t.Errorf("%s (-json +scan):\n%s", name, diff)
		}
	}
}

// scanLine may give up, but never says something else than encoding/json.
func FuzzScanLine(f *testing.F) {
	golden, err := os.ReadFile("testdata/v1.golden")
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
		var got, want line
		if !scanLine(b, &got) {
			return
		}
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("%s is no line: %v", b, err)
		}
		if diff := diffLines(want, got); diff != "" {
			t.Errorf("%s (-json +scan):\n%s", b, diff)
		}
	})
}
