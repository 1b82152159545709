package rohrpost_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
)

// fullJSON is a message as people write it: every field of design.md.
const fullJSON = `{
  "id": "invoice-4711", "tenant": "acme",
  "user": {"id": "max", "first_name": "Max", "last_name": "Muster", "address": "max@acme.example"},
  "origin": "manual", "category": "transactional",
  "from": {"name": "Max Muster", "address": "max@acme.example"},
  "reply_to": [{"address": "antwort@acme.example"}],
  "to": [{"name": "Kundin", "address": "kundin@example.org"}], "cc": [{"address": "c@example.org"}], "bcc": [{"address": "d@example.org"}],
  "subject": "Ihre Rechnung", "text": "Guten Tag", "html": "<p>Guten Tag</p>", "no_text_part": true,
  "calendar": {"method": "REQUEST", "content": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//acme//rohrpost//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:4711@acme.example\r\nDTSTAMP:20260301T080000Z\r\nDTSTART:20260310T080000Z\r\nORGANIZER:mailto:max@acme.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"},
  "unsubscribe": {"url": "https://acme.example/out", "mailto": "out@acme.example", "one_click": true}, "raw": "RnJvbTo=",
  "headers": [{"name": "X-Run", "value": "7"}],
  "attachments": [{"name": "R-1.pdf", "content_type": "application/pdf", "content_id": "r1", "content": "JVBERg=="}],
  "priority": "bulk", "not_before": "2026-03-01T08:00:00.5Z", "expires": "2026-03-02T08:00:00+01:00",
  "metadata": {"invoice": "4711"}, "on_uncertain": "hold"
}`

// invitation is what an application makes with an iCalendar library.
const invitation = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//acme//rohrpost//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:4711@acme.example\r\nDTSTAMP:20260301T080000Z\r\nDTSTART:20260310T080000Z\r\nORGANIZER:mailto:max@acme.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func fullMessage() rohrpost.Message {
	return rohrpost.Message{
		ID: "invoice-4711", Tenant: "acme",
		User:   rohrpost.User{ID: "max", FirstName: "Max", LastName: "Muster", Address: "max@acme.example"},
		Origin: rohrpost.Manual, Category: rohrpost.Transactional,
		From:    rohrpost.Address{Name: "Max Muster", Address: "max@acme.example"},
		ReplyTo: []rohrpost.Address{{Address: "antwort@acme.example"}},
		To:      []rohrpost.Address{{Name: "Kundin", Address: "kundin@example.org"}},
		Cc:      []rohrpost.Address{{Address: "c@example.org"}}, Bcc: []rohrpost.Address{{Address: "d@example.org"}},
		Subject: "Ihre Rechnung", Text: "Guten Tag", HTML: "<p>Guten Tag</p>", NoTextPart: true,
		Calendar:    &rohrpost.Calendar{Method: "REQUEST", Content: invitation},
		Unsubscribe: &rohrpost.Unsubscribe{URL: "https://acme.example/out", Mailto: "out@acme.example", OneClick: true}, Raw: []byte("From:"),
		Headers:     []rohrpost.Header{{Name: "X-Run", Value: "7"}},
		Attachments: []rohrpost.Attachment{{Name: "R-1.pdf", ContentType: "application/pdf", ContentID: "r1", Content: []byte("%PDF")}},
		Priority:    rohrpost.Bulk,
		NotBefore:   time.Date(2026, 3, 1, 8, 0, 0, 5e8, time.UTC), Expires: time.Date(2026, 3, 2, 7, 0, 0, 0, time.UTC),
		Metadata: map[string]string{"invoice": "4711"}, OnUncertain: rohrpost.Hold,
	}
}

func TestMessageJSON(t *testing.T) {
	t.Parallel()
	want := fullMessage()
	everyFieldSet(t, reflect.ValueOf(want), "Message")
	var got rohrpost.Message
	if err := json.Unmarshal([]byte(fullJSON), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	written, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var keys, wantKeys map[string]any
	if json.Unmarshal(written, &keys) != nil || json.Unmarshal([]byte(fullJSON), &wantKeys) != nil {
		t.Fatal("no JSON")
	}
	wantKeys["expires"] = "2026-03-02T07:00:00Z" // the same time
	if diff := cmp.Diff(wantKeys, keys); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}

func TestMessageJSONIsShort(t *testing.T) {
	t.Parallel()
	written, err := json.Marshal(rohrpost.Message{To: []rohrpost.Address{{Address: "a@b"}}, Text: "x"})
	if want := `{"to":[{"address":"a@b"}],"text":"x"}`; err != nil || string(written) != want {
		t.Errorf("got %s, %v; want %s", written, err, want)
	}
}

// everyFieldSet fails for a field that fullMessage has forgotten.
func everyFieldSet(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	if v.IsZero() {
		t.Errorf("%s is empty: the test would not cover it", path)
	}
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			everyFieldSet(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.Slice && v.Type().Elem() != reflect.TypeFor[rohrpost.Address]() && v.Len() > 0:
		everyFieldSet(t, v.Index(0), path+"[0]")
	}
}

func TestMessageJSONAddresses(t *testing.T) {
	t.Parallel()
	one := []rohrpost.Address{{Address: "a@b.example"}}
	named := []rohrpost.Address{{Name: "A B", Address: "a@b.example"}}
	for in, want := range map[string]rohrpost.Message{
		`{"to":"a@b.example"}`:                                {To: one},
		`{"to":{"address":"a@b.example"}}`:                    {To: one},
		`{"to":["a@b.example"]}`:                              {To: one},
		`{"to":[{"name":"A B","address":"a@b.example"}]}`:     {To: named},
		`{"cc":"A B <a@b.example>"}`:                          {Cc: named},
		`{"bcc":["A B <a@b.example>","a@b.example"]}`:         {Bcc: []rohrpost.Address{named[0], one[0]}},
		`{"reply_to":"a@b.example"}`:                          {ReplyTo: one},
		`{"from":"A B <a@b.example>"}`:                        {From: named[0]},
		`{"from":null,"to":null,"cc":[],"attachments":null}`:  {Cc: []rohrpost.Address{}},
		` { "to" : [ "a@b.example" ] , "cc" : "a@b.example"}`: {To: one, Cc: one},
	} {
		var got rohrpost.Message
		if err := json.Unmarshal([]byte(in), &got); err != nil {
			t.Errorf("%s: %v", in, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", in, diff)
		}
	}
}

func TestMessageJSONRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"subjekt":"x"}`:                                       `unknown field "subjekt"`,
		`{"user":{"name":"x"}}`:                                 `unknown field "name"`,
		`{"to":[{"mail":"a@b"}]}`:                               `unknown field "mail"`,
		`{"to":{"mail":"a@b"}}`:                                 `unknown field "mail"`,
		`{"from":{"mail":"a@b"}}`:                               `unknown field "mail"`,
		`{"headers":[{"key":"x"}]}`:                             `unknown field "key"`,
		`{"attachments":[{"path":"/etc/passwd"}]}`:              `unknown field "path"`,
		`{"attachments":[{"name":"a","digest":"` + "d" + `"}]}`: `unknown field "digest"`,
		`{"to":"nobody"}`:                                       `"nobody": not a mail address`,
		`{"to":["a@b","a@b\r\nX: y"]}`:                          `not a mail address`,
		`{"to":7}`:                                              `cannot unmarshal number`,
		`{"to":[7]}`:                                            `cannot unmarshal number`,
		`{"expires":"tomorrow"}`:                                `cannot parse`,
		`{"attachments":[{"content":"%"}]}`:                     `illegal base64`,
		`[]`:                                                    `cannot unmarshal array`,
	} {
		got := rohrpost.Message{Subject: "before"}
		err := json.Unmarshal([]byte(in), &got)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
		if got.Subject != "before" {
			t.Errorf("%s: the message was changed", in)
		}
	}
}

func FuzzMessageJSON(f *testing.F) {
	f.Add([]byte(fullJSON))
	f.Add([]byte(`{"to":"A <a@b>","cc":{"address":"a@b"},"bcc":["a@b"],"from":null}`))
	f.Add([]byte(`{"not_before":"9999-12-31T23:59:59.999999999+23:59"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second rohrpost.Message
		if json.Unmarshal(in, &first) != nil {
			return
		}
		_ = first.Validate(time.Unix(0, 0)) // must not panic
		written, err := json.Marshal(first)
		if err != nil {
			t.Fatalf("%v: %s", err, in)
		}
		if err := json.Unmarshal(written, &second); err != nil {
			t.Fatalf("%v: %s", err, written)
		}
		again, err := json.Marshal(second)
		if err != nil || string(again) != string(written) {
			t.Errorf("a message reads differently after it was written: %v\n%s\n%s", err, written, again)
		}
	})
}
