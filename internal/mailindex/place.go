package mailindex

import "time"

// endEvery is how often a process gives a key its end, and names the tenant: the key may
// have been lost and begun anew meanwhile.
const endEvery = time.Minute

// A place is where the mails of a tenant go in an hour, spelled once.
type place struct {
	hour          int64
	block, counts string
	field         any // of counts
	ended         time.Time
}

// place is that of an hour, and whether its keys have their ends.
func (p *printer) place(tenant string, hour int64, now time.Time) (at place, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.hour != hour {
		p.at = place{hour: hour, block: blockKey(tenant, hour), counts: countsKey(tenant, hour/24), field: countField(hour, Enqueued)}
	}
	return p.at, !p.at.ended.IsZero() && now.Sub(p.at.ended) < endEvery
}

// ended is called after Redis has given the keys of an hour their ends.
func (p *printer) ended(hour int64, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.hour == hour {
		p.at.ended = now
	}
}
