package oauth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/transport"
)

const (
	ahead     = 5 * time.Minute  // before its end a token is stale
	lastUse   = 10 * time.Second // before its end a token is not given any more
	minSwept  = 1024             // entries that need no sweeping
	afterNo   = time.Minute      // a refusal is remembered
	afterFail = 5 * time.Second  // any other failure is
)

// Options of Tokens.
type Options struct {
	Redis redis.UniversalClient
	// Box seals what is stored. One that cannot both seal and open makes every
	// token a failure of the settings.
	Box *seal.Box
	// HTTPClient asks the token endpoints; its own timeout and redirect policy
	// are not used. Nil: one that may connect to any address.
	HTTPClient *http.Client
	// Timeout of one request to a token endpoint. A lock is held half as long
	// again, and nobody waits longer than three timeouts for a token. 0: 20 s.
	Timeout time.Duration
	Now     func() time.Time // nil: time.Now
	Logger  zerolog.Logger
}

// Tokens gives access tokens. It is safe for concurrent use.
type Tokens struct {
	vault     vault
	requester requester
	now       func() time.Time
	log       zerolog.Logger
	closing   chan struct{}
	wg        sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	entries map[string]*entry // by fingerprint
	sweepAt int               // entries
}

// An entry is what this process knows of some credentials.
type entry struct {
	token  token
	failed *failure.Failure // remembered
	until  time.Time
	flight *flight // under way, or nil
}

// New makes a token source; it does no I/O.
func New(o Options) (*Tokens, error) {
	var errs []error
	if o.Redis == nil {
		errs = append(errs, errors.New("no redis client"))
	}
	if o.Box == nil {
		errs = append(errs, errors.New("no box to seal tokens"))
	}
	if o.Timeout < 0 {
		errs = append(errs, errors.New("negative timeout"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	t := &Tokens{
		requester: newRequester(o.HTTPClient, o.Timeout),
		now:       o.Now,
		log:       o.Logger,
		closing:   make(chan struct{}),
		entries:   make(map[string]*entry),
		sweepAt:   minSwept,
	}
	t.vault = vault{rdb: o.Redis, box: o.Box, hold: t.requester.timeout * 3 / 2}
	if t.now == nil {
		t.now = time.Now
	}
	return t, nil
}

// Close ends all waiting, and waits for the requests under way: their answers
// may hold the only refresh token that is good.
func (t *Tokens) Close() error {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.closing)
	}
	t.mu.Unlock()
	t.wg.Wait()
	return nil
}

// Source is Token for some credentials. It costs no I/O.
func (t *Tokens) Source(c Credentials) transport.TokenSource {
	a := account{Credentials: c, fingerprint: c.Fingerprint()}
	return func(ctx context.Context, rejected secret.String) (secret.String, error) {
		s, f := t.get(ctx, a, rejected)
		if f != nil {
			return secret.String{}, f
		}
		return s, nil
	}
}

// Token gives an access token that is good for some time yet. While one is at
// hand that costs nothing; a stale one is given while the next is asked for.
// rejected is the token that a server has just refused, or zero: another one is
// given in its place, asked for once by all processes; if that one is rejected
// too within some minutes, the error says so.
//
// The error is a *failure.Failure of stage token. A refusal is remembered for a
// minute, other failures for seconds.
func (t *Tokens) Token(ctx context.Context, c Credentials, rejected secret.String) (secret.String, error) {
	return t.Source(c)(ctx, rejected)
}

// patience is how long anybody waits for a token: for a lock whose holder has
// died, and then for the provider.
func (t *Tokens) patience() time.Duration { return 3 * t.requester.timeout }

// An account is credentials with their fingerprint.
type account struct {
	Credentials
	fingerprint string
}

func (t *Tokens) get(ctx context.Context, a account, rejected secret.String) (secret.String, *failure.Failure) {
	for {
		s, f, fl, mine := t.look(ctx, a, rejected)
		if fl == nil {
			return s, f
		}
		got, f := fl.wait(ctx, t.patience())
		switch {
		case f != nil:
			return secret.String{}, f
		case rejected.IsZero() || !got.value.Equal(rejected):
			return got.value, nil
		case mine: // the provider gave the same one again
			return secret.String{}, rejectedTwice()
		}
	}
}

// look answers from what the process knows, or else names the flight to wait
// for, and whether it was started for this caller.
func (t *Tokens) look(ctx context.Context, a account, rejected secret.String) (s secret.String, f *failure.Failure, fl *flight, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, now := t.entryLocked(a.fingerprint), t.now()
	failing := e.failed != nil && now.Before(e.until)
	have := !e.token.value.IsZero() && now.Before(e.token.expires.Add(-lastUse))
	if have && (rejected.IsZero() || !e.token.value.Equal(rejected)) {
		if !now.Before(e.token.stale) && e.flight == nil && !failing {
			t.startLocked(ctx, e, a, want{ends: now, fresh: now})
		}
		return e.token.value, nil, nil, false
	}
	if failing {
		return secret.String{}, e.failed, nil, false
	}
	if e.flight != nil {
		return secret.String{}, nil, e.flight, false
	}
	w := want{ends: now.Add(lastUse), avoid: id(rejected)}
	if !rejected.IsZero() {
		w.forced = now.Add(-forcedPause)
	}
	t.startLocked(ctx, e, a, w)
	return secret.String{}, nil, e.flight, true
}

// entryLocked is that of a fingerprint. From time to time it drops those that are of
// no use any more.
func (t *Tokens) entryLocked(fingerprint string) *entry {
	if e := t.entries[fingerprint]; e != nil {
		return e
	}
	if len(t.entries) >= t.sweepAt {
		now := t.now()
		maps.DeleteFunc(t.entries, func(_ string, e *entry) bool {
			return e.flight == nil && !now.Before(e.token.expires) && !now.Before(e.until)
		})
		t.sweepAt = max(minSwept, 2*len(t.entries))
	}
	e := &entry{}
	t.entries[fingerprint] = e
	return e
}
