package queue

import "time"

// SetIdleWait changes how long the feed waits on an empty queue, before its
// server starts.
func (f *Feed) SetIdleWait(d time.Duration) { f.idleWait = d }
