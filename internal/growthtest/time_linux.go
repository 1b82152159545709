package growthtest

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this thread has used so far. getrusage(2) would round it to
// the ticks of the clock.
func processorTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
