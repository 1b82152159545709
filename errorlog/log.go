package errorlog

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

const (
	// DefaultRetention is how long an entry is held.
	DefaultRetention = 24 * time.Hour
	// DefaultMaxEntries is how many entries a tenant's log holds.
	DefaultMaxEntries = 100_000
	// DefaultMaxBytes is how many bytes of entries a tenant's log holds: 64 MiB.
	DefaultMaxBytes = 64 << 20

	// ttlMargin is what keys outlive their newest entry: reads roll the log to the
	// millisecond, the TTL need not be as sharp.
	ttlMargin = 10 * time.Second
)

// Options of New.
type Options struct {
	// Redis is required, 7.0 or newer. The log does not close it.
	Redis redis.UniversalClient
	// Retention is the age at which an entry leaves. Zero: DefaultRetention.
	Retention time.Duration
	// MaxEntries of one tenant: above it the oldest leave early, and are counted.
	// Zero: DefaultMaxEntries.
	MaxEntries int64
	// MaxBytes of one tenant's entries, as JSON: above it the oldest leave early, too.
	// An entry has at most 8 KiB. Zero: DefaultMaxBytes.
	MaxBytes int64
	// ShowRecipients stores recipients as they are. False: masked, "a***@example.org".
	ShowRecipients bool
	// Now is the clock; times are shown in its zone. Nil: time.Now.
	Now func() time.Time
}

// A Log is the error log of one installation. Its methods may be called at the
// same time.
type Log struct {
	redis          redis.UniversalClient
	retention      time.Duration
	maxEntries     int64
	maxBytes       int64
	showRecipients bool
	now            func() time.Time
	roll, index    *redis.Script
	hmacKey        atomic.Pointer[hmacKey]
}

//go:embed roll.lua
var rollScript string

//go:embed index.lua
var indexScript string

// New checks the options. It does not talk to Redis.
func New(o Options) (*Log, error) {
	l := &Log{
		redis:          o.Redis,
		retention:      cmp.Or(o.Retention, DefaultRetention),
		maxEntries:     cmp.Or(o.MaxEntries, DefaultMaxEntries),
		maxBytes:       cmp.Or(o.MaxBytes, DefaultMaxBytes),
		showRecipients: o.ShowRecipients,
		now:            o.Now,
		roll:           redis.NewScript(rollScript),
		index:          redis.NewScript(indexScript),
	}
	if l.now == nil {
		l.now = time.Now
	}
	var errs []error
	if o.Redis == nil {
		errs = append(errs, errors.New("errorlog: no Redis client"))
	}
	if l.retention < time.Millisecond {
		errs = append(errs, fmt.Errorf("errorlog: retention %v: must be at least 1ms", o.Retention))
	}
	if l.maxEntries < 0 {
		errs = append(errs, fmt.Errorf("errorlog: max_entries %d: must be positive", o.MaxEntries))
	}
	if l.maxBytes < maxEntry {
		errs = append(errs, fmt.Errorf("errorlog: max_bytes %d: must be at least %d, for one entry", o.MaxBytes, maxEntry))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return l, nil
}

// Append adds entries, all in one round trip, the newest last. Entries older than
// the retention are dropped. An error says how many entries are not in the log.
func (l *Log) Append(ctx context.Context, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	key, err := l.recipientKey(ctx)
	if err != nil {
		return err
	}
	now := l.now()
	var batch lua.Batch
	newest := make(map[string]int64) // tenant → Unix ms
	calls := make([]*lua.Call, 0, len(entries)+1)
	for _, e := range entries {
		if e.Time.IsZero() {
			e.Time = now
		}
		text, err := e.store(key, l.showRecipients).encode()
		if err != nil {
			return fmt.Errorf("errorlog: append: %w", err)
		}
		ms := e.Time.UnixMilli()
		newest[e.Tenant] = max(newest[e.Tenant], ms)
		calls = append(calls, l.callRoll(&batch, e.Tenant, now, ms, text))
	}
	calls = append(calls, l.callIndex(&batch, now, newest))
	if err := batch.Exec(ctx, l.redis); err != nil {
		return fmt.Errorf("errorlog: append: %w", err)
	}
	return failed(calls)
}

func (l *Log) callRoll(batch *lua.Batch, tenant string, now time.Time, entry ...any) *lua.Call {
	args := append([]any{l.oldest(now), l.maxEntries, l.ttl(), l.maxBytes}, entry...)
	return batch.Call(l.roll, tenantKeys(tenant), args...)
}

func (l *Log) callIndex(batch *lua.Batch, now time.Time, newest map[string]int64) *lua.Call {
	args := []any{l.oldest(now), l.ttl()}
	for tenant, ms := range newest {
		args = append(args, ms, tenant)
	}
	return batch.Call(l.index, []string{indexKey}, args...)
}

// oldest is the time in Unix ms before which nothing is held.
func (l *Log) oldest(now time.Time) int64 { return now.Add(-l.retention).UnixMilli() }

func (l *Log) ttl() int64 { return (l.retention + ttlMargin).Milliseconds() }

func failed(calls []*lua.Call) error {
	n := 0
	var first error
	for _, c := range calls {
		if err := c.Err(); err != nil && !errors.Is(err, redis.Nil) {
			n++
			first = cmp.Or(first, err)
		}
	}
	if n > 0 {
		return fmt.Errorf("errorlog: %d of %d calls failed: %w", n, len(calls), first)
	}
	return nil
}

// Tenants are the names of those who have entries, sorted; the platform is "".
func (l *Log) Tenants(ctx context.Context) ([]string, error) {
	var batch lua.Batch
	call := l.callIndex(&batch, l.now(), nil)
	if err := batch.Exec(ctx, l.redis); err != nil {
		return nil, fmt.Errorf("errorlog: tenants: %w", err)
	}
	names, err := redis.NewCmdResult(call.Result()).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("errorlog: tenants: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// Size is how many entries each tenant has. It rolls the log of every tenant:
// called from time to time, as metrics do, it lets old entries go early.
func (l *Log) Size(ctx context.Context) (map[string]int64, error) {
	tenants, err := l.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	states, err := l.rollAll(ctx, tenants, l.now())
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(states))
	for _, s := range states {
		sizes[s.tenant] = s.entries
	}
	return sizes, nil
}
