package growthtest

import (
	"fmt"
	"testing"
)

// Grow runs a benchmark for inputs of several sizes in bytes: MB/s stays what it is.
// With -short only the small ones run, which show the growth and cost little.
func Grow(b *testing.B, name string, run func(b *testing.B, size int)) {
	sizes := []int{60 << 10, 240 << 10} // a tenant's settings end at 64 KiB
	if !testing.Short() {
		sizes = append(sizes, 1<<20, 4<<20, 16<<20)
	}
	for _, size := range sizes {
		b.Run(fmt.Sprintf("%s/%dKB", name, size>>10), func(b *testing.B) { run(b, size) })
	}
}
