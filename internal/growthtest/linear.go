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
	apart  = 4 // the two inputs: a wider step than two, which noise does not bridge

	// A shorter measurement tells of caches and fresh pages instead of the work:
	// what takes 29 µs for 48 KiB was seen to take eleven times as much for 192.
	shortest = 2 * time.Millisecond
	often    = 1000 // at most so many times in one measurement
)

// Linear fails the test when doubling the input more than trebles the processor time
// of the work: it compares size/2 and 2*size bytes, which is two doublings. prepare
// makes the input, outside of what is measured; the work must stay in its goroutine,
// and is done many times where it is short. The best of several rounds counts, so
// that a neighbour on the same machine is not to blame. Under the race detector the
// work is done once, and not measured.
func Linear(t testing.TB, size int, prepare func(size int) (work func())) {
	t.Helper()
	if detector {
		prepare(2 * size)()
		return
	}
	small, large := prepare(2*size/apart), prepare(2*size)
	times := min(often, 1+int(shortest/took(small, 1)))
	one, two := time.Duration(1<<62), time.Duration(1<<62)
	for range rounds {
		one, two = min(one, took(small, times)), min(two, took(large, times))
		if two <= most*most*one {
			t.Logf("%d bytes %v, %d times as much %.1f times that", 2*size/apart, one, apart, float64(two)/float64(one))
			return
		}
	}
	t.Errorf("%d bytes take %v, %d times as much %v: %.1f times the work, at most %d", 2*size/apart, one, apart, two, float64(two)/float64(one), most*most)
}

// took is the processor time of this thread alone, for the work done so many times.
func took(work func(), times int) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GC() // what others have left is not this work's, and this work's is not swept in it
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	before := processorTime()
	for range times {
		work()
	}
	return max((processorTime()-before)/time.Duration(times), time.Nanosecond)
}
