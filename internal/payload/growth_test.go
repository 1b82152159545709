package payload_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/payload"
)

// TestCodecIsLinear: a job costs as much as it is long, to put into the queue and to
// take out again.
func TestCodecIsLinear(t *testing.T) {
	t.Parallel()
	lines := map[string]func(size int) string{
		"unknown keys": func(n int) string { return growthtest.Keys(n) },
		"deep lists":   func(n int) string { return `"to":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) },
		"recipients":   func(n int) string { return `"to":[` + strings.Repeat(`{"address":"a@b.example"},`, n/26) + `{}]` },
		"headers":      func(n int) string { return `"headers":[` + strings.Repeat(`{"name":"X-A","value":"x"},`, n/26) + `{}]` },
		"files":        func(n int) string { return `"attachments":[` + strings.Repeat(`{"digest":"x"},`, n/15) + `{}]` },
		"same key":     func(n int) string { return strings.Repeat(`"subject":"x",`, n/14) + `"subject":"x"` },
		"number":       func(n int) string { return `"text_len":` + strings.Repeat("1", n) },
	}
	for _, s := range growthtest.Shapes() {
		lines["subject of "+s.Name] = func(n int) string {
			text, _ := json.Marshal(s.Make(n)) // a string has no error
			return fmt.Sprintf(`"subject":%s`, text)
		}
		lines["text of "+s.Name] = func(n int) string {
			text := s.Make(n)
			return fmt.Sprintf(`"text_len":%d}`+"\n%s", len(text), text)
		}
	}
	for name, fill := range lines {
		t.Run(name, func(t *testing.T) {
			growthtest.Linear(t, 96<<10, func(size int) func() {
				line := `{"v":1,` + fill(size)
				if !strings.Contains(line, "\n") {
					line += "}\n"
				}
				return func() {
					job, err := payload.Decode([]byte(line))
					if err != nil {
						job = &payload.Job{Message: rohrpost.Message{Text: line}}
					}
					_, _ = payload.Encode(job)
				}
			})
		})
	}
}
