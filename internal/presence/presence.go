package presence

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
)

const (
	// every is how often a process says that it lives.
	every = 5 * time.Second
	// Silence is after how long without a word a process is taken to be gone.
	Silence = 15 * time.Second
	// kept is for how long a silent process is listed.
	kept = 10 * time.Minute
	// leaveTimeout bounds leaving the list.
	leaveTimeout = time.Second
)

//go:embed beat.lua
var beatSource string

var beatScript = redis.NewScript(beatSource)

// A Process is a worker process as it describes itself.
type Process struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Version string    `json:"version"`
	Slots   int       `json:"slots"` // mails that it can have in its hands
	Since   time.Time `json:"since"`
	// Silent is for how long Redis has not heard it.
	Silent time.Duration `json:"-"`
}

// Alive reports whether the process has been heard lately.
func (p Process) Alive() bool { return p.Silent < Silence }

// Options of a Beacon. Redis is required.
type Options struct {
	Redis   redis.UniversalClient
	Version string
	Slots   int
	Logger  zerolog.Logger
	Every   time.Duration // how often it says so; 0: 5 s
}

// A Beacon says of this process that it lives.
type Beacon struct {
	rdb   redis.UniversalClient
	log   zerolog.Logger
	every time.Duration
	id    string
	about []byte
}

// New makes a beacon; it does no I/O.
func New(o Options) (*Beacon, error) {
	if o.Redis == nil {
		return nil, errors.New("presence: no Redis")
	}
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	about, err := json.Marshal(Process{Host: host, PID: os.Getpid(), Version: o.Version, Slots: o.Slots, Since: time.Now().UTC()})
	if err != nil {
		return nil, fmt.Errorf("presence: %w", err)
	}
	return &Beacon{rdb: o.Redis, log: o.Logger, every: cmp.Or(o.Every, every), id: rand.Text(), about: about}, nil
}

// Run says that this process lives until ctx ends, and then takes it off the list.
func (b *Beacon) Run(ctx context.Context) {
	ticker := time.NewTicker(b.every)
	defer ticker.Stop()
	defer b.leave()
	heard := true
	for {
		err := b.beat(ctx)
		if err != nil && heard && ctx.Err() == nil {
			b.log.Warn().Err(err).Msg("the pages for operators show this worker as silent: Redis did not hear that it lives")
		}
		heard = err == nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (b *Beacon) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.every)
	defer cancel()
	return beatScript.Run(ctx, b.rdb, []string{seenKey, aboutKey}, b.id, b.about, kept.Milliseconds()).Err()
}

func (b *Beacon) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	_, _ = b.rdb.TxPipelined(ctx, func(tx redis.Pipeliner) error { // else it is forgotten by itself
		tx.ZRem(ctx, seenKey, b.id)
		tx.HDel(ctx, aboutKey, b.id)
		return nil
	})
}

// List is the worker processes that live or were heard within ten minutes, by host and
// process id.
func List(ctx context.Context, rdb redis.UniversalClient) ([]Process, error) {
	pipe := rdb.Pipeline()
	seen := pipe.ZRangeWithScores(ctx, seenKey, 0, -1)
	about := pipe.HGetAll(ctx, aboutKey)
	now := pipe.Time(ctx)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("presence: %w", err)
	}
	var list []Process
	for _, z := range seen.Val() {
		id, _ := z.Member.(string)
		var p Process
		if err := json.Unmarshal([]byte(about.Val()[id]), &p); err != nil {
			continue // it has left meanwhile
		}
		if p.Silent = max(0, now.Val().Sub(time.UnixMilli(int64(z.Score)))); p.Silent < kept {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Process) int { return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.PID, b.PID)) })
	return list, nil
}
