package rohrpost_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// documents are messages as JSON that somebody has thought of to keep a producer busy.
func documents() map[string]func(size int) string {
	all := map[string]func(int) string{
		"unknown keys": func(n int) string { return "{" + growthtest.Keys(n) + "}" },
		"deep lists":   func(n int) string { return `{"to":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) + "}" },
		"deep objects": func(n int) string { return strings.Repeat(`{"user":`, n/9) + "1" + strings.Repeat("}", n/9) },
		"recipients":   func(n int) string { return `{"to":[` + strings.Repeat(`"a@b.example",`, n/14) + `"a@b.example"]}` },
		"mailboxes": func(n int) string {
			return `{"to":[` + strings.Repeat(`{"name":"x","address":"a@b.example"},`, n/37) + `"a@b.example"]}`
		},
		"headers": func(n int) string {
			return `{"headers":[` + strings.Repeat(`{"name":"X-A","value":"x"},`, n/26) + `{}]}`
		},
		"attachments": func(n int) string { return `{"attachments":[` + strings.Repeat(`{"name":"x"},`, n/13) + `{}]}` },
		"file": func(n int) string {
			return `{"attachments":[{"name":"x","content":"` + strings.Repeat("AAAA", n/4) + `"}]}`
		},
		"metadata": func(n int) string {
			return `{"metadata":{` + strings.ReplaceAll(growthtest.Keys(n), ":", `:"x","x":`) + "}}"
		},
		"same key": func(n int) string { return "{" + strings.Repeat(`"text":"x",`, n/11) + `"text":"x"}` },
		"numbers":  func(n int) string { return `{"text":` + strings.Repeat("1", n) + "}" },
		"space":    func(n int) string { return strings.Repeat(" ", n) + "{}" },
	}
	for _, s := range growthtest.Shapes() {
		for _, field := range []string{"text", "to", "subject"} {
			all[field+" of "+s.Name] = func(n int) string {
				text, _ := json.Marshal(s.Make(n)) // a string has no error
				return fmt.Sprintf(`{"%s":%s}`, field, text)
			}
		}
	}
	return all
}

// TestReadingIsLinear: a message costs as much as it is long, to read and to check.
func TestReadingIsLinear(t *testing.T) {
	for name, document := range documents() {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				text := []byte(document(size))
				return func() {
					var m rohrpost.Message
					_ = json.Unmarshal(text, &m)
					_ = m.Validate(time.Unix(1, 0))
				}
			})
		})
	}
}

func BenchmarkHostileJSON(b *testing.B) {
	for name, document := range documents() {
		growthtest.Grow(b, name, func(b *testing.B, size int) {
			text := []byte(document(size))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				var m rohrpost.Message
				_ = json.Unmarshal(text, &m)
				_ = m.Validate(time.Unix(1, 0))
			}
		})
	}
}
