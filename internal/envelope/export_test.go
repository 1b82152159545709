package envelope

// Known is how many data keys are in memory.
func (o *Opener) Known() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.keys)
}
