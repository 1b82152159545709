package gate

import "context"

// Tidy is tidy, which Serve calls from time to time.
func (g *Gate) Tidy() { g.tidy() }

// Rumors is how many are kept.
func (g *Gate) Rumors() int { return g.rumorCount }

// Beat says once that the process of the leases lives.
func (l *Leases) Beat(ctx context.Context) error { return l.procs.beat(ctx) }
