package failure

import (
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// TestWorkIsLinear: what a server says costs as much as it is long.
func TestWorkIsLinear(t *testing.T) {
	for _, s := range append(growthtest.Shapes(), growthtest.Tags()...) {
		t.Run(s.Name, func(t *testing.T) {
			for name, work := range map[string]func(string){
				"scrub": func(text string) { scrub(text) },
				"classify": func(text string) {
					_ = Classify(Cause{Stage: StageRcpt, Reply: Reply{Code: 450, Lines: []string{text}}})
				},
			} {
				t.Run(name, func(t *testing.T) {
					growthtest.Linear(t, 64<<10, func(size int) func() {
						text := s.Make(size)
						return func() { work(text) }
					})
				})
			}
		})
	}
}

func BenchmarkHostile(b *testing.B) {
	for _, s := range growthtest.Shapes() {
		growthtest.Grow(b, s.Name, func(b *testing.B, size int) {
			text := s.Make(size)
			b.SetBytes(int64(size))
			for b.Loop() {
				_ = Classify(Cause{Stage: StageRcpt, Reply: Reply{Code: 450, Lines: []string{text}}})
			}
		})
	}
}
