package smtp

import (
	"fmt"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// TestStuffingIsLinear: dots cost no more than other octets.
func TestStuffingIsLinear(t *testing.T) {
	for _, s := range growthtest.Shapes() {
		t.Run(s.Name, func(t *testing.T) {
			growthtest.Linear(t, 256<<10, func(size int) func() {
				body := []byte(s.Make(size))
				out := make([]byte, 0, 2*len(body))
				return func() { out = appendStuffed(out[:0], body, '\n') }
			})
		})
	}
}

func BenchmarkStuffing(b *testing.B) {
	for _, s := range growthtest.Shapes() {
		for _, size := range []int{1 << 20, 4 << 20, 16 << 20} {
			b.Run(fmt.Sprintf("%s/%dMB", s.Name, size>>20), func(b *testing.B) {
				body := []byte(s.Make(size))
				var out []byte
				b.SetBytes(int64(size))
				for b.Loop() {
					out = appendStuffed(out[:0], body, '\n')
				}
			})
		}
	}
}
