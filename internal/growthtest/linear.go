package growthtest

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

const (
	most   = 3 // times the work for twice the input
	rounds = 20
)

// Linear fails the test when work on 2*size bytes takes more than three times the
// processor time of work on size bytes. prepare makes the input, outside of what is
// measured; the work must stay in its goroutine. The best of several rounds counts,
// so that a neighbour on the same machine is not to blame.
func Linear(t testing.TB, size int, prepare func(size int) (work func())) {
	t.Helper()
	small, large := prepare(size), prepare(2*size)
	one, two := time.Duration(1<<62), time.Duration(1<<62)
	for range rounds {
		one, two = min(one, took(small)), min(two, took(large))
		if two <= most*one {
			t.Logf("%d bytes %v, twice as much %.1f times that", size, one, float64(two)/float64(one))
			return
		}
	}
	t.Errorf("%d bytes take %v, twice as much %v: %.1f times the work, at most %d", size, one, two, float64(two)/float64(one), most)
}

// took is the processor time of this thread alone.
func took(work func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC() // what others have left is not this work's, and this work's is not swept in it
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before := processorTime()
	work()
	return max(processorTime()-before, time.Microsecond)
}
