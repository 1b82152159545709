package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	workers = 4
	jumpy   = workers - 1 // the worker whose clock can jump
)

// A deed is what an event does.
type deed string

const (
	killWorker   deed = "kill worker"
	freezeWorker deed = "freeze worker"
	setClock     deed = "set clock"
	killRedis    deed = "kill redis"
	freezeRedis  deed = "freeze redis"
	cutLink      deed = "cut"
	poisonLink   deed = "poison"

	failedStart deed = "worker found no redis" // of nobody's doing
)

// An event happens at a time after the begin of the storm, and ends.
type event struct {
	at, lasts time.Duration
	deed      deed
	target    int // worker or link
	toxic     toxic
	shift     time.Duration // of the clock
}

// A plan is what happens, in order. It is a function of its seed and length.
type plan struct {
	seed   uint64
	length time.Duration
	events []event
}

// deadly is the shortest storm with deaths: asynq needs a minute or two to find
// the tasks of the dead.
const deadly = time.Minute

func newPlan(seed uint64, length time.Duration) plan {
	r := rand.New(rand.NewPCG(seed, 0))
	p := plan{seed: seed, length: length}
	p.every(r, time.Second, func(e *event) {
		e.deed, e.target, e.lasts = cutLink, r.IntN(links), between(r, 50*time.Millisecond, 4*time.Second)
		if r.IntN(3) > 0 {
			e.deed, e.lasts, e.toxic = poisonLink, between(r, time.Second, 10*time.Second), toxics()[r.IntN(len(toxics()))]
		}
	})
	p.every(r, 30*time.Second, func(e *event) { e.deed, e.lasts = killRedis, between(r, 0, 6*time.Second) })
	if length >= deadly {
		p.every(r, 50*time.Second, func(e *event) { e.deed, e.lasts = freezeRedis, between(r, time.Second, 8*time.Second) })
		p.every(r, 8*time.Second, func(e *event) {
			e.deed, e.target, e.lasts = killWorker, r.IntN(workers), between(r, 0, 4*time.Second)
		})
		p.every(r, 25*time.Second, func(e *event) { e.deed, e.target, e.lasts = freezeWorker, r.IntN(workers), 40*time.Second })
		// Ahead by less than behind: what a worker puts off while its clock is ahead
		// waits as much longer. Both last longer than the minute after which asynq
		// looks for tasks of the dead: to this worker others are, or it is to them.
		for i, shift := range []time.Duration{3 * time.Minute, -10 * time.Minute} {
			p.events = append(p.events, event{at: length * time.Duration(1+i) / 3, lasts: 65 * time.Second, deed: setClock, shift: shift})
		}
	}
	slices.SortStableFunc(p.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return p
}

// every adds events at random times, so often on average.
func (p *plan) every(r *rand.Rand, pause time.Duration, fill func(*event)) {
	for at := between(r, 0, 2*pause); at < p.length; at += between(r, 0, 2*pause) {
		e := event{at: at}
		fill(&e)
		p.events = append(p.events, e)
	}
}

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return (low + time.Duration(r.Int64N(int64(high-low)+1))).Round(time.Millisecond)
}

func (e event) String() string {
	switch e.deed {
	case killRedis, freezeRedis:
		return fmt.Sprintf("%v for %v", e.deed, e.lasts)
	case setClock:
		return fmt.Sprintf("%v by %v for %v", e.deed, e.shift, e.lasts)
	case poisonLink:
		return fmt.Sprintf("%v %s %v %v for %v", e.deed, linkName(e.target), e.toxic.kind, e.toxic.direction, e.lasts)
	case cutLink:
		return fmt.Sprintf("%v %s for %v", e.deed, linkName(e.target), e.lasts)
	}
	return fmt.Sprintf("%v %d for %v", e.deed, e.target, e.lasts)
}

// TestPlanIsRepeatable: the seed alone decides.
func TestPlanIsRepeatable(t *testing.T) {
	t.Parallel()
	text := func(p plan) (out []string) {
		for _, e := range p.events {
			out = append(out, e.at.String()+" "+e.String())
		}
		return out
	}
	a, b, c := newPlan(7, 4*time.Minute), newPlan(7, 4*time.Minute), newPlan(8, 4*time.Minute)
	if diff := gocmp.Diff(text(a), text(b)); diff != "" {
		t.Errorf("the same seed, and not the same plan:\n%s", diff)
	}
	if gocmp.Equal(text(a), text(c)) {
		t.Error("two seeds have the same plan")
	}
	count := map[deed]int{}
	for _, e := range a.events {
		count[e.deed]++
	}
	for _, d := range []deed{killWorker, freezeWorker, setClock, killRedis, freezeRedis, cutLink, poisonLink} {
		if count[d] < 2 {
			t.Errorf("%v happens %d times in four minutes", d, count[d])
		}
	}
}
