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

	shortest = 2 * time.Millisecond // a measurement; the clock cannot tell much less
	often    = 1000                 // at most so many times the larger work in one

	// What takes less for a byte of input is as fast as memory, and at small sizes its
	// growth is that of the step from a cache to the next one.
	memoryPace = 8 * time.Nanosecond
	largest    = 16 << 20 // bytes
)

// Linear fails the test when doubling the input more than trebles the processor time
// of the work: it compares size/2 and 2*size bytes, which is two doublings. prepare
// makes the input, outside of what is measured; the work must stay in its goroutine,
// and is done many times where it is short. The best of several rounds counts, so
// that a neighbour on the same machine is not to blame. Under the race detector the
// work is done once, and not measured.
//
// Both measurements go through the same number of bytes, the small input four times as
// often, or the kernel's fresh pages would be measured. Work that seems to grow too fast
// and is as fast as memory is judged by larger inputs: 64 µs for 48 KiB were seen to be
// twelve times as much for 192, and four times as much from there on.
func Linear(t testing.TB, size int, prepare func(size int) (work func())) {
	t.Helper()
	if detector {
		prepare(2 * size)()
		return
	}
	one, two, ok := compare(size, prepare)
	for !ok && two < memoryPace*time.Duration(2*size) && apart*size <= largest {
		size *= apart
		one, two, ok = compare(size, prepare)
	}
	growth := float64(two) / float64(one)
	if !ok {
		t.Errorf("%d bytes take %v, %d times as much %v: %.1f times the work, at most %d", 2*size/apart, one, apart, two, growth, most*most)
		return
	}
	t.Logf("%d bytes %v, %d times as much %.1f times that", 2*size/apart, one, apart, growth)
}

// compare measures the work for size/2 and 2*size bytes until it is found to be linear.
func compare(size int, prepare func(size int) (work func())) (one, two time.Duration, linear bool) {
	small, large := prepare(2*size/apart), prepare(2*size)
	times := min(often, 1+int(shortest/took(large, 1)))
	one, two = time.Duration(1<<62), took(large, times) // the first to run pays for fresh pages
	for range rounds {
		one, two = min(one, took(small, apart*times)), min(two, took(large, times))
		if two <= most*most*one {
			return one, two, true
		}
	}
	return one, two, false
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
