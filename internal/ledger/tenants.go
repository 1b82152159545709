package ledger

import (
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// noteEvery is how often a process writes that a tenant sends: somebody may have
	// deleted what it wrote before.
	noteEvery = time.Hour
	// mostNoted bounds how many tenants it remembers having written.
	mostNoted = 10_000
)

// A register knows which tenants this process has written into the set of tenants. By
// that set an operator finds a job whose tenant nobody has named.
type register struct {
	mu    sync.Mutex
	noted map[string]time.Time
}

// due reports whether a tenant is to be written. The platform is none.
func (r *register) due(tenant string, now time.Time) bool {
	if tenant == "" {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at, noted := r.noted[tenant]
	return !noted || now.Sub(at) >= noteEvery
}

// names are the tenants that this process has noted.
func (r *register) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.noted))
}

// note is called after Redis has taken what was due.
func (r *register) note(tenant string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, noted := r.noted[tenant]; tenant == "" || noted && now.Sub(at) < noteEvery {
		return
	}
	if r.noted == nil || len(r.noted) >= mostNoted {
		r.noted = map[string]time.Time{}
	}
	r.noted[tenant] = now
}
