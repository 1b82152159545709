package signin

import (
	"container/list"
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

const (
	// free is how many wrong passwords cost no pause.
	free = 5
	// freeOfName is the same for a name over all addresses: it slows who guesses
	// from many, and is high, for whoever guesses slows the true owner as well.
	freeOfName = 100
	// firstPause doubles with each further wrong password, up to the longest.
	firstPause       = time.Second
	longestPause     = time.Minute
	longestOfName    = 5 * time.Second
	forgetGuesses    = 15 * time.Minute
	mostGuessesKnown = 20_000
)

// A guessed is whatever wrong passwords are counted for: a name at an address, an
// address, a name. It is a hash, so that no name is too long to be kept.
type guessed struct {
	key     [sha256.Size]byte
	free    int
	longest time.Duration
}

// guessedOf names what is counted by the kind of it and its parts, as many for each
// kind. Only the first may hold a NUL.
func guessedOf(kind string, parts ...string) guessed {
	text := strings.Join(append([]string{kind}, parts...), "\x00")
	g := guessed{key: sha256.Sum256([]byte(text)), free: free, longest: longestPause}
	if kind == "name" {
		g.free, g.longest = freeOfName, longestOfName
	}
	return g
}

// guesses counts tries and makes whoever has had many wrong ones wait. A try is
// counted when it begins, so that a hundred at once are a hundred, and taken back
// when it was right.
//
// Memory is bounded: the count that was not used for longest makes room. Pushing
// one out takes some ten thousand checks by bcrypt, which take longer than a pause.
type guesses struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[[sha256.Size]byte]*list.Element // of *count
	order  *list.List                          // the last used first
}

type count struct {
	key   [sha256.Size]byte
	tries int
	last  time.Time
}

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, counts: map[[sha256.Size]byte]*list.Element{}, order: list.New()}
}

// pause is how long after the last of so many tries the next one is refused.
func (g guessed) pause(tries int) time.Duration {
	if tries < g.free {
		return 0
	}
	doublings := min(tries-g.free, 16) // 18 hours: far above the longest
	return min(firstPause<<doublings, g.longest)
}

// begin counts a try, or says how long to wait before the next one, and counts
// nothing.
func (g *guesses) begin(of ...guessed) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, o := range of {
		if e, ok := g.counts[o.key]; ok {
			c := e.Value.(*count)
			if now.Sub(c.last) >= forgetGuesses {
				c.tries = 0
			}
			wait = max(wait, c.last.Add(o.pause(c.tries)).Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, o := range of {
		c := g.useLocked(o.key)
		c.tries++
		c.last = now
	}
	return 0
}

// useLocked is the count of a key, a new one if there is none.
func (g *guesses) useLocked(key [sha256.Size]byte) *count {
	if e, ok := g.counts[key]; ok {
		g.order.MoveToFront(e)
		return e.Value.(*count)
	}
	if len(g.counts) >= mostGuessesKnown {
		delete(g.counts, g.order.Remove(g.order.Back()).(*count).key)
	}
	c := &count{key: key}
	g.counts[key] = g.order.PushFront(c)
	return c
}

// wrong lets the pause after a try begin now: a check may take longer than the first.
func (g *guesses) wrong(of ...guessed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for _, o := range of {
		if e, ok := g.counts[o.key]; ok {
			e.Value.(*count).last = now
		}
	}
}

// takeBack takes a try back that was right, or was not made.
func (g *guesses) takeBack(of ...guessed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, o := range of {
		if e, ok := g.counts[o.key]; ok {
			c := e.Value.(*count)
			c.tries = max(0, c.tries-1)
		}
	}
}

// forget starts from the beginning: whoever had the right password may mistype again.
func (g *guesses) forget(o guessed) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e, ok := g.counts[o.key]; ok {
		delete(g.counts, g.order.Remove(e).(*count).key)
	}
}
