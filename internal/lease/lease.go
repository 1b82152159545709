package lease

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/lua"
)

const (
	defaultTTL = 30 * time.Second
	// provenFor is how long a login is remembered after the last connection.
	provenFor = 30 * 24 * time.Hour
	// answerWait is how long Redis is waited for when leases are renewed or
	// released.
	answerWait = 2 * time.Second
)

//go:embed take.lua
var takeSource string

//go:embed renew.lua
var renewSource string

//go:embed release.lua
var releaseSource string

var (
	takeScript    = redis.NewScript(takeSource)
	renewScript   = redis.NewScript(renewSource)
	releaseScript = redis.NewScript(releaseSource)
)

// ErrFull says that every connection an account may have is open somewhere.
var ErrFull = errors.New("every connection of the account is taken")

// Options of Leases. Redis is required.
type Options struct {
	Redis  redis.UniversalClient
	Logger zerolog.Logger // zero: silent
	// TTL is how long a lease lasts that nobody renews. 0: 30 s.
	TTL time.Duration
	// Silence is after how long a process has ended that says nothing: others may have
	// its leases then. 0: 4 s.
	Silence time.Duration
}

// Leases count the open connections of each account over all processes. A lease
// is taken before a connection is opened, and renewed in the background for as
// long as that is open: using it costs nothing. They may be used from any
// goroutine.
type Leases struct {
	redis redis.UniversalClient
	log   zerolog.Logger
	ttl   time.Duration
	count atomic.Int64
	procs *processes

	mu   sync.Mutex
	held map[string][]*Lease // by account
	// renewing is held while leases are renewed: one that is released at the same
	// time would come back.
	renewing sync.Mutex
}

// New checks the options. It does no I/O.
func New(o Options) (*Leases, error) {
	const least = 100 * time.Millisecond
	ttl := cmp.Or(o.TTL, defaultTTL)
	if o.Redis == nil || ttl < least {
		return nil, fmt.Errorf("lease: needs redis, and a TTL of %v at least", least)
	}
	procs := &processes{rdb: o.Redis, name: rand.Text()[:processName], silence: cmp.Or(o.Silence, silence)}
	return &Leases{redis: o.Redis, log: o.Logger, ttl: ttl, procs: procs, held: map[string][]*Lease{}}, nil
}

// A Lease is the right to one open connection. It is used by one goroutine at a
// time.
type Lease struct {
	leases               *Leases
	account, fingerprint string
	member               string // of the account's set
	first                bool
	proven               atomic.Bool
	refused              bool
}

// Take takes a lease for one more connection of an account that may have limit
// connections. fingerprint tells settings from others. The error wraps ErrFull, or
// is one of Redis. Until somebody has logged in with the fingerprint there is one
// lease alone, so that a wrong password is tried once.
func (l *Leases) Take(ctx context.Context, account, fingerprint string, limit int) (*Lease, error) {
	lease := &Lease{
		leases: l, account: account, fingerprint: fingerprint,
		member: fingerprint + "/" + l.procs.name + strconv.FormatInt(l.count.Add(1), 36),
	}
	take := func() (string, error) {
		return takeScript.Run(ctx, l.redis, keys(account),
			lease.member, fingerprint, limit, l.ttl.Milliseconds(), provenFor.Milliseconds()).Text()
	}
	answer, err := take()
	if err == nil && answer == "full" && l.inherit(ctx, account) {
		answer, err = take()
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("lease: take a connection of %s: %w", account, err)
	case answer == "full":
		return nil, fmt.Errorf("%s: %w", account, ErrFull)
	}
	lease.first = answer == "first"
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[account] = append(l.held[account], lease)
	return lease, nil
}

// inherit frees the leases of processes that have ended, and reports whether there were
// any. One that was only cut off comes back with the next renewal.
func (l *Leases) inherit(ctx context.Context, account string) bool {
	members, err := l.redis.ZRange(ctx, keys(account)[0], 0, -1).Result()
	if err != nil {
		return false
	}
	members = slices.DeleteFunc(members, func(m string) bool { return !l.procs.hasEnded(processOf(m)) })
	if len(members) == 0 {
		return false
	}
	freed, err := l.redis.ZRem(ctx, keys(account)[0], members).Result()
	if freed > 0 {
		l.log.Info().Str("account", account).Int64("connections", freed).Msg("connections of a process that has ended are free again")
	}
	return err == nil && freed > 0
}

// processName is how many characters the name of a process has.
const processName = 12

// processOf is the process that holds a lease; empty for what is none.
func processOf(member string) string {
	_, name, _ := strings.Cut(member, "/")
	return name[:min(len(name), processName)]
}

// First reports that nobody had logged in with these settings when the lease was
// taken.
func (l *Lease) First() bool { return l.first }

// Proven notes that the connection has logged in. It is written if nobody had
// before, and again when leases are renewed if that fails.
func (l *Lease) Proven(ctx context.Context) error {
	if l.proven.Swap(true) || !l.first {
		return nil
	}
	return l.leases.renew(ctx, l)
}

// Refused notes that the login was refused: once the lease is released, the next
// one is alone again.
func (l *Lease) Refused() { l.refused = true }

// Release gives the place back, once the connection is closed. It waits for Redis,
// for seconds at most: what cannot be given back ends by itself.
func (l *Lease) Release() {
	l.leases.drop(l)
	ctx, cancel := context.WithTimeout(context.Background(), answerWait)
	defer cancel()
	refused := ""
	if l.refused {
		refused = l.fingerprint
	}
	if err := releaseScript.Run(ctx, l.leases.redis, keys(l.account), l.member, refused).Err(); err != nil {
		l.leases.log.Warn().Err(err).Str("account", l.account).Dur("ttl", l.leases.ttl).Msg("a closed connection counts until its lease ends")
	}
}

func (l *Leases) drop(lease *Lease) {
	l.renewing.Lock()
	defer l.renewing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := slices.DeleteFunc(l.held[lease.account], func(other *Lease) bool { return other == lease })
	l.held[lease.account] = rest
	if len(rest) == 0 {
		delete(l.held, lease.account)
	}
}

// Held is how many connections of an account this process has.
func (l *Leases) Held(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held[account])
}

// Run renews what this process holds, and says that it lives, until ctx ends.
func (l *Leases) Run(ctx context.Context) {
	tick, beat := time.NewTicker(l.ttl/3), time.NewTicker(l.procs.silence/4)
	defer tick.Stop()
	defer beat.Stop()
	defer l.procs.leave()
	_ = l.procs.beat(ctx) // in vain if Redis is away: soon again
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
			_ = l.procs.beat(ctx)
			continue
		case <-tick.C:
		}
		if err := l.renewAll(ctx); err != nil && ctx.Err() == nil {
			l.log.Warn().Err(err).Msg("the leases of open connections were not renewed; it is tried again")
		}
	}
}

func (l *Leases) renewAll(ctx context.Context) error {
	l.renewing.Lock()
	defer l.renewing.Unlock()
	l.mu.Lock()
	var all []*Lease
	for _, leases := range l.held {
		all = append(all, leases...)
	}
	l.mu.Unlock()
	return l.renew(ctx, all...)
}

// renew is one round trip for all.
func (l *Leases) renew(ctx context.Context, leases ...*Lease) error {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	var b lua.Batch
	calls := make([]*lua.Call, len(leases))
	for i, lease := range leases {
		fingerprint := ""
		if lease.proven.Load() {
			fingerprint = lease.fingerprint
		}
		calls[i] = b.Call(renewScript, keys(lease.account), lease.member, fingerprint, l.ttl.Milliseconds(), provenFor.Milliseconds())
	}
	err := b.Exec(ctx, l.redis)
	for _, c := range calls {
		err = cmp.Or(err, c.Err())
	}
	return err
}
