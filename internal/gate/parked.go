package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// pollEvery is how often the copy in memory is read anew: the net below pub/sub.
const pollEvery = time.Minute

// A Notice is why and since when an account is parked.
type Notice struct {
	Account     string    `json:"account"`     // id
	Fingerprint string    `json:"fingerprint"` // of the settings that were refused
	Since       time.Time `json:"since"`

	Stage      failure.Stage `json:"stage"`
	Category   string        `json:"category"`
	Rule       int           `json:"rule"` // picks the hint
	Code       int           `json:"code,omitempty"`
	Enhanced   string        `json:"enhanced,omitempty"`
	Diagnostic string        `json:"diagnostic,omitempty"`

	stored bool // it stands in Redis
}

// Failure is the refusal, for the log of a mail that waits.
func (n *Notice) Failure() *failure.Failure {
	return &failure.Failure{
		Stage: n.Stage, Class: failure.Config, Category: n.Category, Rule: n.Rule,
		Code: n.Code, Enhanced: n.Enhanced, Diagnostic: n.Diagnostic,
	}
}

// Options of a Gate. Redis is required.
type Options struct {
	Redis  redis.UniversalClient
	Logger zerolog.Logger   // zero: silent
	Now    func() time.Time // nil: time.Now
}

// A Gate knows who is parked. Its methods may be called from any goroutine.
type Gate struct {
	redis redis.UniversalClient
	log   zerolog.Logger
	now   func() time.Time

	mu     sync.RWMutex
	parked map[string]*Notice // by account id
}

// New checks the options. It does no I/O: what stands in Redis is known after
// Load, and kept up by Run.
func New(o Options) (*Gate, error) {
	if o.Redis == nil {
		return nil, errors.New("gate: redis is required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Gate{redis: o.Redis, log: o.Logger, now: o.Now, parked: map[string]*Notice{}}, nil
}

// Parks reports whether a failure is a refused login, after which an account must
// not try again. What this system found out by itself, without an answer, is none.
func Parks(f *failure.Failure) bool {
	if f == nil || f.Class != failure.Config || f.Code == 0 {
		return false
	}
	switch f.Stage {
	case failure.StageAuth, failure.StageToken:
		return true
	case failure.StageAPI, failure.StageMail:
		return strings.HasPrefix(f.Category, "oauth_") || strings.HasPrefix(f.Category, "auth_")
	}
	return false
}

// Parked is the notice of an account whose settings were refused; nil if it may
// send. fingerprint is that of today's settings; it is asked for only if there is
// a notice.
func (g *Gate) Parked(account string, fingerprint func() string) *Notice {
	g.mu.RLock()
	n := g.parked[account]
	g.mu.RUnlock()
	if n == nil || n.Fingerprint != fingerprint() {
		return nil
	}
	return n
}

// Park notes that the login with these settings was refused. Many mails may bring
// the same refusal: it is written once.
func (g *Gate) Park(ctx context.Context, account, fingerprint string, f *failure.Failure) error {
	if n := g.Parked(account, func() string { return fingerprint }); n != nil && n.stored {
		return nil
	}
	n := &Notice{
		Account: account, Fingerprint: fingerprint, Since: g.now().UTC(),
		Stage: f.Stage, Category: f.Category, Rule: f.Rule, Code: f.Code, Enhanced: f.Enhanced, Diagnostic: f.Diagnostic,
	}
	g.set(account, n) // here at once, even if Redis is away
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("park %s: %w", account, err)
	}
	if err := g.write(ctx, account, func(pipe redis.Pipeliner) { pipe.HSet(ctx, parkedKey, account, text) }); err != nil {
		return err
	}
	kept := *n
	kept.stored = true
	g.replace(n, &kept)
	return nil
}

// replace puts a notice in the place of another, unless that has gone meanwhile.
func (g *Gate) replace(old, n *Notice) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.parked[n.Account] == old {
		g.parked[n.Account] = n
	}
}

// Release lets an account send again. Releasing one that is not parked does nothing.
func (g *Gate) Release(ctx context.Context, account string) error {
	g.set(account, nil)
	return g.write(ctx, account, func(pipe redis.Pipeliner) { pipe.HDel(ctx, parkedKey, account) })
}

// write changes the hash, then tells everybody: in this order, so that whoever is
// told finds the change.
func (g *Gate) write(ctx context.Context, account string, do func(redis.Pipeliner)) error {
	pipe := g.redis.Pipeline()
	do(pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	return g.redis.Publish(ctx, channel, account).Err()
}

func (g *Gate) set(account string, n *Notice) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n == nil {
		delete(g.parked, account)
		return
	}
	g.parked[account] = n
}

// Load reads who is parked.
func (g *Gate) Load(ctx context.Context) error {
	values, err := g.redis.HGetAll(ctx, parkedKey).Result()
	if err != nil {
		return err
	}
	parked := make(map[string]*Notice, len(values))
	for account, text := range values {
		n := &Notice{}
		if err := json.Unmarshal([]byte(text), n); err != nil {
			return fmt.Errorf("the notice of %s is damaged: %w", account, err)
		}
		n.stored = true
		parked[account] = n
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.parked = parked
	return nil
}

// Notices are all that are parked, by account id, as Load has found them.
func (g *Gate) Notices() []*Notice {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]*Notice, 0, len(g.parked))
	for _, n := range g.parked {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *Notice) int { return strings.Compare(a.Account, b.Account) })
	return out
}

// Run keeps the copy in memory up to date until ctx ends.
func (g *Gate) Run(ctx context.Context) {
	sub := g.redis.Subscribe(ctx, channel)
	defer func() { _ = sub.Close() }()
	events := sub.ChannelWithSubscriptions()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case _, ok := <-events: // a change, or a connection that was lost and is back
			if !ok {
				return
			}
		}
		if err := g.Load(ctx); err != nil && ctx.Err() == nil {
			g.log.Warn().Err(err).Msg("who is parked cannot be read; what was known stays in force")
		}
	}
}
