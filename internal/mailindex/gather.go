package mailindex

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/lua"
)

// mostGathered bounds the notes that wait to be written. What is more is left to the
// reconciler.
const mostGathered = 100_000

// A Gatherer gathers what becomes of mails, and writes it in sums. It is safe for
// concurrent use.
type Gatherer struct {
	index *Index

	mu     sync.Mutex
	counts map[counted]int64
	notes  map[string]map[string]Note // by tenant and id: the latest counts
	size   int
	ended  map[string]time.Time // when keys of counts were given their ends
}

// A counted is a state into which mails of a tenant, or of all of them, have got in an hour.
type counted struct {
	all    bool
	tenant string
	hour   int64
	state  rohrpost.State
}

func (c *counted) key() string {
	if c.all {
		return allCountsKey(c.hour / 24)
	}
	return countsKey(c.tenant, c.hour/24)
}

// NewGatherer gathers for an index.
func NewGatherer(x *Index) *Gatherer {
	return &Gatherer{index: x, counts: map[counted]int64{}, notes: map[string]map[string]Note{}, ended: map[string]time.Time{}}
}

// Count counts that a mail of a tenant has got into a state.
func (g *Gatherer) Count(tenant string, state rohrpost.State) {
	hour := hourOf(g.index.now())
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counts[counted{tenant: tenant, hour: hour, state: state}]++
	g.counts[counted{all: true, hour: hour, state: state}]++
}

// Note takes a note. The latest of a mail is the one that is written.
func (g *Gatherer) Note(n Note) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noteLocked(n, true)
}

func (g *Gatherer) noteLocked(n Note, latest bool) {
	of := g.notes[n.Tenant]
	if _, known := of[n.ID]; known {
		if latest {
			of[n.ID] = n
		}
		return
	}
	if g.size >= mostGathered {
		return
	}
	if of == nil {
		of = map[string]Note{}
		g.notes[n.Tenant] = of
	}
	of[n.ID] = n
	g.size++
}

// Flush writes what has gathered, in one round trip, and one before if the key is not
// known. What Redis does not take is kept.
func (g *Gatherer) Flush(ctx context.Context) error {
	g.mu.Lock()
	counts, notes := g.counts, g.notes
	if len(counts)+len(notes) == 0 {
		g.mu.Unlock()
		return nil
	}
	g.counts, g.notes, g.size = map[counted]int64{}, map[string]map[string]Note{}, 0
	g.mu.Unlock()

	if len(notes) > 0 {
		if err := g.index.Prepare(ctx); err != nil {
			g.keep(counts, notes)
			return err
		}
	}
	var batch lua.Batch
	increments, ends := g.increment(&batch, counts)
	written := make(map[string][]*lua.Call, len(notes))
	for tenant, of := range notes {
		list := make([]Note, 0, len(of))
		for _, n := range of {
			list = append(list, n)
		}
		written[tenant] = g.index.Note(&batch, tenant, list)
	}
	if err := batch.Exec(ctx, g.index.rdb); err != nil {
		g.keep(counts, notes)
		return fmt.Errorf("index of mails: %w", err)
	}
	g.learn(ends)
	return g.settle(counts, increments, notes, written)
}

// increment appends counts to a batch, and the ends of keys that were not given them a
// moment ago, behind what may begin the key.
func (g *Gatherer) increment(b *lua.Batch, counts map[counted]int64) (increments map[counted]*lua.Call, ends map[string]*lua.Call) {
	now := g.index.now()
	increments, ends = make(map[counted]*lua.Call, len(counts)), map[string]*lua.Call{}
	g.mu.Lock()
	defer g.mu.Unlock()
	for c, n := range counts {
		key := c.key()
		increments[c] = b.Command("HINCRBY", key, countField(c.hour, string(c.state)), n)
		if at, ended := g.ended[key]; ends[key] == nil && (!ended || now.Sub(at) >= endEvery) {
			ends[key] = b.Command("PEXPIREAT", key, g.index.countsEnd(c.hour/24).UnixMilli())
		}
	}
	return increments, ends
}

// learn remembers which keys have their ends. Those are few, or all are forgotten: it costs
// a command each.
func (g *Gatherer) learn(ends map[string]*lua.Call) {
	now := g.index.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.ended)+len(ends) > mostPrinters {
		clear(g.ended)
	}
	for key, call := range ends {
		if n, err := call.Int64(); err == nil && n == 1 {
			g.ended[key] = now
		}
	}
}

// settle keeps what Redis has refused.
func (g *Gatherer) settle(counts map[counted]int64, increments map[counted]*lua.Call, notes map[string]map[string]Note, written map[string][]*lua.Call) error {
	var err error
	for c, call := range increments {
		if call.Err() == nil {
			delete(counts, c)
		} else {
			err = call.Err()
		}
	}
	for tenant, calls := range written {
		var failed error
		for _, call := range calls {
			if e := call.Err(); e != nil {
				failed = e
			}
		}
		if failed == nil {
			delete(notes, tenant)
		}
		err = errors.Join(err, failed)
	}
	g.keep(counts, notes)
	if err != nil {
		return fmt.Errorf("index of mails: %w", err)
	}
	return nil
}

// keep puts back what was not written. Notes that came meanwhile are newer.
func (g *Gatherer) keep(counts map[counted]int64, notes map[string]map[string]Note) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c, n := range counts {
		g.counts[c] += n
	}
	for _, of := range notes {
		for _, n := range of {
			g.noteLocked(n, false)
		}
	}
}

// Prepare asks for the key, unless that was done a moment ago.
func (x *Index) Prepare(ctx context.Context) error {
	var batch lua.Batch
	question := x.Ask(&batch)
	if err := batch.Exec(ctx, x.rdb); err != nil {
		return fmt.Errorf("key of the index of mails: %w", err)
	}
	question.Learn()
	return nil
}
