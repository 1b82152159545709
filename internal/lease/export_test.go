package lease

import "context"

// Beat says once that the process of the leases lives.
func (l *Leases) Beat(ctx context.Context) error { return l.procs.beat(ctx) }
