package headroom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

const (
	// WarnAt is the part of maxmemory above which operators are warned.
	WarnAt = 0.8
	// RefuseAt is the part of maxmemory above which producers take no mail.
	RefuseAt = 0.9

	// fresh is how long a reading is believed.
	fresh = 2 * time.Second
	// answerTimeout bounds the question.
	answerTimeout = time.Second
)

// ErrUntold says that Redis does not tell, as the ACL user may not ask INFO. Then there
// is no guard.
var ErrUntold = errors.New("redis does not tell how much memory it uses: allow its user INFO (ACL +info)")

// A Reading is how full the fullest master was.
type Reading struct{ Used, Max int64 } // bytes; Max 0: no limit, or unknown

// Ratio is the part of maxmemory that is used; 0 without a limit.
func (r Reading) Ratio() float64 {
	if r.Max == 0 {
		return 0
	}
	return float64(r.Used) / float64(r.Max)
}

// Options of a Gauge. Redis is required.
type Options struct {
	Redis redis.UniversalClient // as redisconn.Open has answered: of a Cluster every master is asked
	Now   func() time.Time      // nil: time.Now
}

// A Gauge reads how full Redis is, now and then and when somebody asks. It is safe for
// concurrent use.
type Gauge struct {
	rdb redis.UniversalClient
	now func() time.Time

	mu     sync.Mutex
	last   Reading
	err    error // ErrUntold: never asked again
	at     time.Time
	coming int64 // bytes that this process has added since
}

// New makes a gauge; it does no I/O.
func New(o Options) *Gauge {
	g := &Gauge{rdb: o.Redis, now: o.Now}
	if g.now == nil {
		g.now = time.Now
	}
	return g
}

// Read is a reading of the last two seconds. The error is ErrUntold, or Redis's.
func (g *Gauge) Read(ctx context.Context) (Reading, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.readLocked(ctx, fresh)
}

// readLocked asks Redis if the last reading is older than that. It keeps the lock
// meanwhile: others wait for the same answer.
func (g *Gauge) readLocked(ctx context.Context, age time.Duration) (Reading, error) {
	if errors.Is(g.err, ErrUntold) || !g.at.IsZero() && g.now().Sub(g.at) < age {
		return g.last, g.err
	}
	// All callers share the answer: it does not depend on the one that asks.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	g.last, g.err = ask(ctx, g.rdb)
	g.at, g.coming = g.now(), 0
	return g.last, g.err
}

// Fits reports whether so many bytes more leave the workers their tenth, with the
// reading by which that was decided. Near the limit that is a new one. largest is the
// longest value among them: Redis keeps a buffer of its length, beside the value, for
// another one to come. A Redis that does not tell, or has no limit, takes everything.
func (g *Gauge) Fits(ctx context.Context, bytes, largest int64) (Reading, bool) {
	bytes += bytes/8 + largest // what an allocator adds
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := g.readLocked(ctx, fresh)
	if err == nil && !g.belowLocked(WarnAt, bytes) {
		r, err = g.readLocked(ctx, 0)
	}
	if err == nil && !g.belowLocked(RefuseAt, bytes) {
		return r, false
	}
	g.coming += bytes
	return r, true
}

func (g *Gauge) belowLocked(part float64, bytes int64) bool {
	return g.last.Max == 0 || float64(g.last.Used+g.coming+bytes) <= part*float64(g.last.Max)
}

// ask reads the fullest master.
func ask(ctx context.Context, rdb redis.UniversalClient) (Reading, error) {
	masters, err := redisconn.Masters(ctx, rdb)
	if errors.Is(err, redisconn.ErrForeign) { // an application's own: it answers for itself
		return askNode(ctx, rdb)
	}
	var fullest Reading
	for _, master := range masters {
		r, failed := askNode(ctx, master)
		if err = cmp.Or(err, failed); fullest == (Reading{}) || r.Ratio() > fullest.Ratio() {
			fullest = r
		}
	}
	return fullest, err
}

func askNode(ctx context.Context, node redis.Cmdable) (Reading, error) {
	text, err := node.Info(ctx, "memory").Result()
	switch {
	case redis.HasErrorPrefix(err, "NOPERM"):
		return Reading{}, fmt.Errorf("%w: %w", ErrUntold, err)
	case redis.HasErrorPrefix(err, "ERR section"): // the one in memory, which has no limit
		return Reading{}, nil
	case err != nil:
		return Reading{}, fmt.Errorf("headroom: %w", err)
	}
	var r Reading
	told := 0
	for line := range strings.SplitSeq(text, "\r\n") {
		key, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch key {
		case "used_memory":
			r.Used = n
			told++
		case "maxmemory":
			r.Max = n
			told++
		}
	}
	if told < 2 {
		return Reading{}, ErrUntold
	}
	return r, nil
}
