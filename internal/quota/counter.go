package quota

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/lua"
)

//go:embed add.lua
var addSource string

//go:embed ask.lua
var askSource string

var (
	addScript = redis.NewScript(addSource)
	askScript = redis.NewScript(askSource)
)

// An Amount is what waits, or is added to it.
type Amount struct{ Mails, Bytes int64 }

// Plus is the sum of both.
func (a Amount) Plus(b Amount) Amount { return Amount{a.Mails + b.Mails, a.Bytes + b.Bytes} }

const (
	// viewLife is how long it is believed what was last heard of a tenant.
	viewLife = time.Minute
	// maxViews bounds the tenants of whom that is remembered.
	maxViews = 10_000
)

// Options of a Counter.
type Options struct {
	Redis redis.UniversalClient
	// Limits are the most that may wait for one tenant; a 0 is none.
	Limits Amount
	Now    func() time.Time // nil: time.Now
}

// A Counter is safe for concurrent use.
type Counter struct {
	rdb    redis.UniversalClient
	limits Amount
	now    func() time.Time

	mu    sync.Mutex
	views map[string]view // by tenant
}

// A view is what was last heard of a tenant, and what this process has added since.
type view struct {
	amount Amount
	at     time.Time
}

// New makes a counter; it does no I/O.
func New(o Options) (*Counter, error) {
	if o.Redis == nil || o.Limits.Mails < 0 || o.Limits.Bytes < 0 {
		return nil, errors.New("quota: no redis client, or a negative limit")
	}
	c := &Counter{rdb: o.Redis, limits: o.Limits, now: o.Now, views: map[string]view{}}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// Limits are those of each tenant.
func (c *Counter) Limits() Amount { return c.limits }

// Ample reports whether a tenant is known to be so far below its limits, with what is
// added, that nobody has to ask: below nine tenths of them, as heard within a minute.
func (c *Counter) Ample(tenant string, added Amount) bool {
	if c.limits == (Amount{}) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	v, known := c.views[tenant]
	if !known || c.now().Sub(v.at) >= viewLife {
		return false
	}
	below := func(n, limit int64) bool { return limit == 0 || n <= limit-limit/10 }
	sum := v.amount.Plus(added)
	return below(sum.Mails, c.limits.Mails) && below(sum.Bytes, c.limits.Bytes)
}

// learn takes down what Redis has answered. Views are few, or all are forgotten: it
// costs a question each.
func (c *Counter) learn(tenant string, amount Amount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.views[tenant]; !known && len(c.views) >= maxViews {
		clear(c.views)
	}
	c.views[tenant] = view{amount, c.now()}
}

// An Addition is the answer to Add, to be read after the batch ran.
type Addition struct {
	counter     *Counter
	tenant      string
	call, bytes *lua.Call // bytes: nil of a script, which answers for both
}

// Add appends to a batch that a tenant has so much more waiting, whatever its limits.
// What only grows needs no script, which costs Redis more than both commands. The mails
// go first: once they count, nobody who gives back takes the tenant's bytes for left over.
func (c *Counter) Add(b *lua.Batch, tenant string, a Amount) Addition {
	if a.Mails <= 0 || a.Bytes < 0 {
		return Addition{counter: c, tenant: tenant, call: b.Call(addScript, keys(), tenant, a.Mails, a.Bytes)}
	}
	var field any = tenant
	mails := b.Command("HINCRBY", mailsKey, field, a.Mails)
	return Addition{c, tenant, mails, b.Command("HINCRBY", bytesKey, field, a.Bytes)}
}

// Learn remembers what waits for the tenant. The error is Redis's: then it was not
// counted, or nobody knows.
func (a Addition) Learn() error {
	waiting, err := a.waiting()
	if err == nil {
		a.counter.learn(a.tenant, waiting)
	}
	return err
}

func (a Addition) waiting() (Amount, error) {
	if a.bytes == nil {
		waiting, _, err := read(a.call)
		return waiting, err
	}
	mails, err := a.call.Int64()
	if err != nil {
		return Amount{}, err
	}
	bytes, err := a.bytes.Int64()
	return Amount{mails, bytes}, err
}

// A Verdict says whether a mail may wait.
type Verdict byte

// The verdicts, as ask.lua writes them.
const (
	Granted      Verdict = '.'
	TooManyMails Verdict = 'm'
	TooManyBytes Verdict = 'b'
)

// An Answer is the one to Ask, to be read after the batch ran.
type Answer struct {
	counter *Counter
	tenant  string
	mails   int
	call    *lua.Call
}

// Ask appends to a batch the question which of some mails of a tenant may wait. Those
// that may are counted. weights are their bytes.
func (c *Counter) Ask(b *lua.Batch, tenant string, weights []int64) Answer {
	args := make([]any, 0, 3+len(weights))
	args = append(args, tenant, c.limits.Mails, c.limits.Bytes)
	for _, w := range weights {
		args = append(args, w)
	}
	return Answer{c, tenant, len(weights), b.Call(askScript, keys(), args...)}
}

// Verdicts are one for each mail, and what waits for the tenant with those that may.
func (a Answer) Verdicts() ([]Verdict, Amount, error) {
	waiting, text, err := read(a.call)
	if err == nil && len(text) != a.mails {
		err = fmt.Errorf("quota: %d verdicts on %d mails", len(text), a.mails)
	}
	if err != nil {
		return nil, Amount{}, err
	}
	a.counter.learn(a.tenant, waiting)
	return []Verdict(text), waiting, nil
}

// AddAll adds what waits more, or takes off what is negative, by tenant, in one round
// trip.
func (c *Counter) AddAll(ctx context.Context, amounts map[string]Amount) error {
	var batch lua.Batch
	additions := make([]Addition, 0, len(amounts))
	for tenant, a := range amounts {
		additions = append(additions, c.Add(&batch, tenant, a))
	}
	err := batch.Exec(ctx, c.rdb)
	for _, a := range additions {
		if err == nil {
			err = a.Learn()
		}
	}
	if err != nil {
		return fmt.Errorf("quota: %w", err)
	}
	return nil
}

// Waiting is what waits for each tenant, as counted.
func (c *Counter) Waiting(ctx context.Context) (map[string]Amount, error) {
	pipe := c.rdb.Pipeline()
	mails, bytes := pipe.HGetAll(ctx, mailsKey), pipe.HGetAll(ctx, bytesKey)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("quota: %w", err)
	}
	out := make(map[string]Amount, len(mails.Val()))
	for tenant, n := range mails.Val() {
		out[tenant] = Amount{number(n), number(bytes.Val()[tenant])}
	}
	return out, nil
}

// Of is what waits for one tenant, as counted.
func (c *Counter) Of(ctx context.Context, tenant string) (Amount, error) {
	pipe := c.rdb.Pipeline()
	mails, bytes := pipe.HGet(ctx, mailsKey, tenant), pipe.HGet(ctx, bytesKey, tenant)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Amount{}, fmt.Errorf("quota: %w", err)
	}
	return Amount{number(mails.Val()), number(bytes.Val())}, nil
}
