package trial

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/accounts"
	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/resolver"
	"github.com/rohrpost/rohrpost/resolver/redisstore"
)

const (
	// patience is how long an answer is waited for where the context does not say.
	patience = 2 * time.Minute
	// lookEvery is how often it is looked whether there is a worker, and still the one
	// that has taken the request.
	lookEvery = time.Second
	// tidyTimeout is for taking a request back after its context has ended.
	tidyTimeout = 3 * time.Second
)

// Accounts answers what needs no key; *accounts.Service does it.
type Accounts interface {
	Admit(ctx context.Context, who redisstore.Actor, p resolver.Place) error
	Explain(ctx context.Context, who redisstore.Actor, req resolver.Request, lang string) (resolver.Explanation, error)
}

// ClientOptions are required.
type ClientOptions struct {
	Redis    redis.UniversalClient
	Box      *seal.Box // seals for the workers; without a key no unsaved secret can be tried
	Accounts Accounts
}

// A Client has workers try accounts. It is safe for concurrent use.
type Client struct {
	Accounts
	redis redis.UniversalClient
	box   *seal.Box
}

// NewClient checks the options; it does no I/O.
func NewClient(o ClientOptions) (*Client, error) {
	if o.Redis == nil || o.Box == nil || o.Accounts == nil {
		return nil, errors.New("trial: redis, box and accounts are required")
	}
	return &Client{Accounts: o.Accounts, redis: o.Redis, box: o.Box}, nil
}

// TestMail is that of accounts.Service, by a worker. The error may also wrap an
// Unavailable, or ErrRunning. Ask Admit before.
func (c *Client) TestMail(ctx context.Context, t accounts.Try) (accounts.Result, error) {
	a, err := c.ask(ctx, testMail, &t)
	return a.Result, err
}

// Examine is that of accounts.Service, with the errors of TestMail.
func (c *Client) Examine(ctx context.Context, t accounts.Try) (doctor.Report, error) {
	a, err := c.ask(ctx, examination, &t)
	return a.Report, err
}

// ReleaseBy is that of accounts.Service, with the errors of TestMail.
func (c *Client) ReleaseBy(ctx context.Context, who redisstore.Actor, p resolver.Place) error {
	_, err := c.ask(ctx, release, &accounts.Try{Who: who, Place: p})
	return err
}

// ask puts a request, and waits for its answer until ctx ends.
func (c *Client) ask(ctx context.Context, k kind, t *accounts.Try) (answer, error) {
	text, err := encode(k, t, c.box)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	deadline, _ := ctx.Deadline()
	lifetime := time.Until(deadline)
	id := rand.Text()
	// One at a time: else a tenant with silent servers would have all workers' hands.
	free, err := c.redis.SetNX(ctx, tenantKey(t.Place.Tenant), id, lifetime).Result()
	if err == nil && !free {
		return answer{}, ErrRunning
	}
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", doctor.ErrUncounted, err)
	}
	_, err = c.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, requestKey(id), text, lifetime)
		pipe.RPush(ctx, waitingKey, id)
		pipe.PExpire(ctx, waitingKey, patience)
		return nil
	})
	var got answer
	if err == nil {
		_ = c.redis.Publish(ctx, channel, "").Err() // workers look once a second, too
		got, err = c.wait(ctx, id, t.Seen)
	} else {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	untouched, tidyErr := c.withdraw(ctx, id, t.Place.Tenant)
	// The connection has the deadline of ctx, and may report it a moment before ctx does.
	over := ctx.Err() != nil || !time.Now().Before(deadline)
	if over && got.id == "" { // nobody has answered in time
		err = ErrUnanswered
		if tidyErr == nil && untouched {
			err = ErrBusy
		}
	}
	return got, err
}

// wait returns the answer, or why there will be none. Steps that come before it go to
// seen, which may be nil.
func (c *Client) wait(ctx context.Context, id string, seen func(doctor.Step)) (answer, error) {
	for {
		reply, err := c.redis.BLPop(ctx, lookEvery, answerKey(id)).Result()
		if err == nil {
			a := answer{id: id}
			if err := json.Unmarshal([]byte(reply[1]), &a); err != nil {
				return a, fmt.Errorf("trial: the answer is of another version: %w", err)
			}
			if a.Step != nil {
				if seen != nil {
					seen(*a.Step)
				}
				continue
			}
			return a, a.Problem.err()
		}
		if !errors.Is(err, redis.Nil) {
			return answer{}, fmt.Errorf("%w: %w", ErrAway, err)
		}
		state, err := lookScript.Run(ctx, c.redis, []string{waitingKey, runningKey, workersKey, answerKey(id)}, id).Text()
		switch {
		case err != nil:
			return answer{}, fmt.Errorf("%w: %w", ErrAway, err)
		case state == "unmanned":
			return answer{}, ErrNoWorker
		case state == "lost":
			return answer{}, ErrLost
		}
	}
}

// withdraw removes what is left of a request. untouched says that no worker had it.
func (c *Client) withdraw(ctx context.Context, id, tenant string) (untouched bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
	defer cancel()
	return withdrawScript.Run(ctx, c.redis, []string{waitingKey, requestKey(id), answerKey(id), tenantKey(tenant)}, id).Bool()
}
