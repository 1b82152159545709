package gate

// Tidy is tidy, which Serve calls from time to time.
func (g *Gate) Tidy() { g.tidy() }

// Rumors is how many are kept.
func (g *Gate) Rumors() int { return g.rumorCount }
