package reconcile

import "hash/maphash"

// hashes are a set of texts of which only 64 bits each are kept.
type hashes struct {
	seed maphash.Seed
	set  map[uint64]struct{}
}

func newHashes() *hashes { return &hashes{maphash.MakeSeed(), map[uint64]struct{}{}} }

// add reports whether the text is new.
func (h *hashes) add(text string) bool {
	n := len(h.set)
	h.set[maphash.String(h.seed, text)] = struct{}{}
	return len(h.set) > n
}

// has is false for a set that was never made.
func (h *hashes) has(text string) bool {
	if h == nil {
		return false
	}
	_, ok := h.set[maphash.String(h.seed, text)]
	return ok
}
