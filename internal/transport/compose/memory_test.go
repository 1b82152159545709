//go:build !race

// Under the race detector pools forget what they have, and it is made anew.

package compose_test

import (
	"runtime"
	"testing"

	"github.com/rohrpost/rohrpost/internal/transport/compose"
)

// TestMemoryIsKnown: Load.Memory holds for every mail, and with all that is garbage
// by the end of it no mail takes half as much again.
func TestMemoryIsKnown(t *testing.T) {
	_, _ = compose.Compose(t.Context(), hostile()["file"](1)) // reads the table of file types once
	for name, mail := range hostile() {
		for _, size := range []int{8 << 10, 256 << 10} {
			in := mail(size)
			m := in.Message
			if len(m.Text) == 1 {
				continue // it is the header that is large
			}
			load := compose.Load{Text: int64(len(m.Text)), HTML: int64(len(m.HTML)), Look: in.Branding}
			for _, a := range m.Attachments {
				load.Files += int64(len(a.Content))
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = compose.Compose(t.Context(), in)
			runtime.ReadMemStats(&after)
			if took, most := int64(after.TotalAlloc-before.TotalAlloc), load.Memory(); took > most+most/2 {
				t.Errorf("%s: %d bytes take %d, at most %d were to be expected", name, size, took, most)
			}
		}
	}
}
