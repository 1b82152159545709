package lease

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/redisconn"
)

const (
	// trialPoll is how often it is looked whether a connection has become free.
	trialPoll = 50 * time.Millisecond
	// trialKept is how long a lease that waits is the one to be served.
	trialKept = time.Second
	// wantedEvery is how often the processes are asked again.
	wantedEvery = time.Second
)

//go:embed trial.lua
var trialSource string

var trialScript = redis.NewScript(trialSource)

// trialKeys are those of trial.lua; the second one stands for the login in the
// other scripts. No login is proven by a trial, and none waits for it.
func trialKeys(account string) []string {
	return []string{accountKey(account, "connections"), accountKey(account, "trial")}
}

// TakeTrial takes a lease for a test of an account, whatever is known of its login. If
// all connections are taken it has the processes give up one, and waits for that until
// ctx ends. The error then wraps ErrFull; any other is one of Redis.
func (l *Leases) TakeTrial(ctx context.Context, account string, limit int) (*Lease, error) {
	lease := &Lease{leases: l, account: account, member: "trial/" + l.procs.name + strconv.FormatInt(l.count.Add(1), 36)}
	tick := time.NewTicker(trialPoll)
	defer tick.Stop()
	var asked time.Time // zero: Redis has not said yet that all are taken
	for {
		answer, err := trialScript.Run(ctx, l.redis, trialKeys(account),
			lease.member, limit, l.ttl.Milliseconds(), trialKept.Milliseconds()).Text()
		switch {
		case err != nil && ctx.Err() != nil && !asked.IsZero():
			lease.Release()
			return nil, fmt.Errorf("%s: %w", account, ErrFull)
		case err != nil:
			lease.Release()
			return nil, fmt.Errorf("lease: take a connection of %s: %w", account, err)
		case answer == "taken":
			l.hold(lease)
			return lease, nil
		}
		if time.Since(asked) >= wantedEvery && !l.inherit(ctx, account) {
			asked = time.Now()
			_ = l.redis.Publish(ctx, wantedChannel, account).Err() // in vain if Redis is away: soon again
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// hold renews a lease from now on.
func (l *Leases) hold(lease *Lease) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[lease.account] = append(l.held[lease.account], lease)
}

// Wanted tells give of each account a connection of which somebody waits for, until
// ctx ends.
func (l *Leases) Wanted(ctx context.Context, give func(account string)) {
	redisconn.Listen(ctx, l.redis, wantedChannel, give)
}
