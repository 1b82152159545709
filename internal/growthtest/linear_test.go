//go:build !race

package growthtest_test

import (
	"bytes"
	"testing"

	"github.com/rohrpost/rohrpost/internal/growthtest"
)

// A verdict is a test that may fail without failing this one.
type verdict struct {
	testing.TB
	failed bool
}

func (v *verdict) Helper()                   {}
func (v *verdict) Logf(f string, a ...any)   { v.TB.Logf(f, a...) }
func (v *verdict) Errorf(f string, a ...any) { v.failed = true; v.TB.Logf(f, a...) }

// TestLinear: what allocates, and what is a hundred times as fast, is told from what grows
// with the square.
func TestLinear(t *testing.T) {
	var kept []byte
	for name, tt := range map[string]struct {
		work   func(input []byte)
		linear bool
	}{
		"one look":       {func(b []byte) { bytes.IndexByte(b, 'y') }, true},
		"many copies":    {func(b []byte) { kept = bytes.Clone(bytes.ToUpper(bytes.Repeat(b, 8))) }, true},
		"grows by bytes": {func(b []byte) { kept = appended(b) }, true},
		"grows by copies": {func(b []byte) {
			kept = nil
			for n := range len(b) / 64 {
				kept = bytes.Clone(b[:64*n])
			}
		}, false},
		"looks from the start": {func(b []byte) {
			for range len(b) / 16 {
				bytes.IndexByte(b, 'y')
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verdict{TB: t}
			growthtest.Linear(v, 48<<10, func(size int) func() {
				input := bytes.Repeat([]byte("x"), size)
				return func() { tt.work(input) }
			})
			if v.failed == tt.linear {
				t.Errorf("is linear %v, and was found to be %v", tt.linear, !v.failed)
			}
		})
	}
	_ = kept
}

func appended(input []byte) []byte {
	var out bytes.Buffer
	for _, c := range input {
		out.WriteByte(c)
	}
	return out.Bytes()
}
