package quota_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/quota"
)

// world is a book and what the ledger would say.
type world struct {
	*book
	rand    *rand.Rand
	records []*record
}

type record struct {
	tenant      string
	bytes       int64
	came, ended time.Time
}

func (w *world) waits() (out []*record) {
	for _, r := range w.records {
		if r.ended.IsZero() {
			out = append(out, r)
		}
	}
	return out
}

func (w *world) truth() map[string]quota.Amount {
	out := map[string]quota.Amount{}
	for _, r := range w.waits() {
		out[r.tenant] = out[r.tenant].Plus(quota.Amount{Mails: 1, Bytes: r.bytes})
	}
	return out
}

// step is something that producers and workers do. With accidents they die in between,
// and replies are lost.
func (w *world) step(accidents bool) {
	w.now = w.now.Add(time.Duration(w.rand.IntN(3000)) * time.Millisecond)
	tenant, bytes := string(rune('a'+w.rand.IntN(3))), 1+w.rand.Int64N(100)
	waits := w.waits()
	switch n := w.rand.IntN(10); {
	case n < 4: // accepted, if there is room
		if w.ask(tenant, bytes) == "." {
			w.records = append(w.records, &record{tenant: tenant, bytes: bytes, came: w.now})
		}
	case n < 5: // the same id again
		if w.ask(tenant, bytes) == "." {
			w.give(tenant, quota.Amount{Mails: 1, Bytes: bytes})
		}
	case n < 8 && len(waits) > 0: // ended
		r := waits[w.rand.IntN(len(waits))]
		r.ended = w.now
		w.give(r.tenant, quota.Amount{Mails: 1, Bytes: r.bytes})
	case !accidents:
	case n == 8: // counted and never enqueued, or counted twice
		w.ask(tenant, bytes)
	case len(waits) > 0: // ended and not given back
		waits[w.rand.IntN(len(waits))].ended = w.now
	}
}

func (w *world) census(during func()) {
	w.t.Helper()
	c, err := w.Census(w.t.Context(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for i, r := range w.records { // some are seen before, some after what happens meanwhile
		if during != nil && i == len(w.records)/2 {
			during()
		}
		c.See(r.tenant, r.bytes, r.came, r.ended)
	}
	if _, err := c.Correct(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func newWorld(t *testing.T, seed uint64, mails int64) *world {
	t.Helper()
	return &world{book: open(t, mails, 0), rand: rand.New(rand.NewPCG(seed, 1))}
}

// Without accidents the counters are right after every step, and a census changes
// nothing.
func TestCountersAreRight(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		w := newWorld(t, seed, 20)
		for range 200 {
			w.step(false)
			if diff := cmp.Diff(w.truth(), w.waiting()); diff != "" {
				t.Fatalf("seed %d: %s", seed, diff)
			}
		}
		w.census(nil)
		if diff := cmp.Diff(w.truth(), w.waiting()); diff != "" {
			t.Errorf("seed %d, after a census: %s", seed, diff)
		}
	}
}

// After accidents a quiet census sets the counters right to the byte.
func TestCensusAfterAccidents(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		w := newWorld(t, seed, 50)
		for range 200 {
			w.step(true)
		}
		if cmp.Equal(w.truth(), w.waiting()) {
			t.Fatalf("seed %d: there were no accidents", seed)
		}
		w.now = w.now.Add(2 * time.Minute)
		w.census(nil)
		if diff := cmp.Diff(w.truth(), w.waiting()); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// What producers and workers do during a census is no error that it corrects.
func TestCensusAmongTraffic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		w := newWorld(t, seed, 0)
		for range 300 {
			w.step(false)
		}
		w.census(func() {
			for range 300 {
				w.step(false)
			}
		})
		if diff := cmp.Diff(w.truth(), w.waiting()); diff != "" {
			t.Errorf("seed %d: %s", seed, diff)
		}
	}
}

// The counter of a tenant that is gone ends, and that of one which was lost is back.
func TestCensusOfStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, 0)
	w.add("gone", quota.Amount{Mails: 3, Bytes: 30})
	w.records = []*record{{tenant: "lost", bytes: 10, came: w.now.Add(-time.Hour)}}
	w.census(nil)
	if diff := cmp.Diff(map[string]quota.Amount{"lost": {Mails: 1, Bytes: 10}}, w.waiting()); diff != "" {
		t.Error(diff)
	}
}
