package errorlog

import (
	"bytes"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// TestWorkIsLinear: an entry costs as much as its texts are long, to store and to show.
func TestWorkIsLinear(t *testing.T) {
	for _, s := range growthtest.Shapes() {
		t.Run(s.Name, func(t *testing.T) {
			growthtest.Linear(t, 64<<10, func(size int) func() {
				text := s.Make(size)
				e := Entry{Diagnostic: text, Recipients: []string{text}, Metadata: map[string]string{"a": text}}
				return func() {
					stored := e.store("key", false)
					for _, f := range []Format{JSONL, CSV, Text} {
						var b bytes.Buffer
						_ = Write(&b, e, f, "de")
						_ = Write(&b, stored.Entry, f, "en")
					}
				}
			})
		})
	}
}
