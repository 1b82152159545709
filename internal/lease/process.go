package lease

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// silence is after how long a process that says nothing has ended.
	silence = 4 * time.Second
	// processKept is for how long it is known that it has: longer than any lease.
	processKept = 10 * time.Minute
)

//go:embed beat.lua
var beatSource string

var beatScript = redis.NewScript(beatSource)

// processes know which processes have ended. Each says four times in its silence that
// it lives. One of an older version says nothing, and is not known: it has not ended.
type processes struct {
	rdb     redis.UniversalClient
	name    string // of this one
	silence time.Duration

	mu     sync.Mutex
	ended  []string
	last   time.Time // when this one was heard
	steady time.Time // since when it has been heard without a gap
}

// beat says that this process lives, and asks which others have ended.
func (p *processes) beat(ctx context.Context) error {
	ended, err := beatScript.Run(ctx, p.rdb, []string{processesKey}, p.name, p.silence.Milliseconds(), processKept.Milliseconds()).StringSlice()
	if err != nil {
		return fmt.Errorf("lease: processes: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) > p.gap() {
		p.steady = now
	}
	p.last, p.ended = now, ended
	return nil
}

// gap is after how long without an answer of Redis this process does not know which
// others live: they were silent as well, and have as long again to be heard.
func (p *processes) gap() time.Duration { return p.silence * 5 / 8 }

// hasEnded reports whether a process has ended.
func (p *processes) hasEnded(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	heard := now.Sub(p.last) <= p.gap() && now.Sub(p.steady) >= p.gap()
	return heard && slices.Contains(p.ended, name)
}

// leave takes this process off the list: it ends with nothing in its hands.
func (p *processes) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	_ = p.rdb.ZRem(ctx, processesKey, p.name).Err() // else it is forgotten by itself
}
