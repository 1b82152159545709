//go:build race

package growthtest

// detector reports that the race detector is compiled in. What it does at each
// allocation depends on the size, and is not the work's.
const detector = true
