// Package headroom knows how full the memory of Redis is, so that a tenth of it stays
// for the workers.
//
// A Redis that has reached maxmemory refuses what needs memory, also what a worker
// writes to end a mail. So producers stop before: above [RefuseAt] of maxmemory they take
// no mail, and workers, whose writes are small and free more than they need, go on.
package headroom
