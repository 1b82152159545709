package oauth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

const (
	firstPoll = 25 * time.Millisecond
	lastPoll  = 250 * time.Millisecond
	// storeFor is how long a new refresh token is held out to a Redis that does
	// not answer. Nobody waits for that.
	storeFor = 5 * time.Minute
)

// A flight gets one token for all callers of this process.
type flight struct {
	done    chan struct{} // closed when the rest is set
	token   token
	failure *failure.Failure
}

// wait is at most patience long. The flight goes on when a caller leaves.
func (f *flight) wait(ctx context.Context, patience time.Duration) (token, *failure.Failure) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-f.done:
		return f.token, f.failure
	case <-ctx.Done():
		return token{}, broken(ctx.Err())
	case <-timer.C:
		return token{}, broken(errors.New("no token was to be had in time"))
	}
}

// broken is a failure without an answer of the provider.
func broken(err error) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: failure.StageToken, Err: err})
}

func rejectedTwice() *failure.Failure {
	return failure.Classify(failure.Cause{
		Stage: failure.StageToken, APICode: "InvalidAuthenticationToken", Err: failure.ErrTokenRefused,
		Reply: failure.Reply{Code: 401, Lines: []string{"the server rejects the access token, and so it did the one before"}},
	})
}

// startLocked begins a flight. It does not end with its first caller.
func (t *Tokens) startLocked(ctx context.Context, e *entry, a account, w want) {
	f := &flight{done: make(chan struct{})}
	if t.closed {
		f.failure = broken(context.Canceled)
		close(f.done)
		e.flight = f
		return
	}
	e.flight = f
	ctx = context.WithoutCancel(ctx)
	w.origin, w.fingerprint, w.asker = a.origin(), a.fingerprint, rand.Text()
	w.endpoint = a.endpoint().TokenURL
	t.wg.Go(func() {
		f.token, f.failure = t.fly(ctx, a, w)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.landLocked(e, a, f)
		close(f.done)
	})
}

// landLocked keeps what a flight brought.
func (t *Tokens) landLocked(e *entry, a account, f *flight) {
	e.flight = nil
	if f.failure == nil {
		e.token, e.failed = f.token, nil
		return
	}
	e.failed = f.failure
	wait := afterFail
	switch {
	case errors.Is(f.failure, context.Canceled):
		wait = 0
	case f.failure.Class == failure.Config:
		wait = afterNo
	case f.failure.Class == failure.Throttle:
		wait = max(afterNo, f.failure.RetryAfter)
	}
	e.until = t.now().Add(wait)
	t.log.Warn().Str("account", a.Account).Str("category", f.failure.Category).Str("class", string(f.failure.Class)).
		Str("diagnostic", f.failure.Diagnostic).Msg("no access token")
}

// fly claims the token from Redis until it is given, or asks the provider.
func (t *Tokens) fly(ctx context.Context, a account, w want) (token, *failure.Failure) {
	if err := a.Validate(); err != nil {
		return token{}, broken(err)
	}
	if !t.vault.box.CanSeal() {
		return token{}, broken(fmt.Errorf("%w: %w", failure.ErrSettings, seal.ErrNoRecipient))
	}
	if !t.vault.box.CanOpen() {
		return token{}, broken(fmt.Errorf("%w: %w", failure.ErrSettings, seal.ErrNoIdentity))
	}
	patience := time.NewTimer(t.patience())
	defer patience.Stop()
	poll := time.NewTimer(0)
	defer poll.Stop()
	for pause := firstPoll; ; {
		select {
		case <-poll.C:
		case <-patience.C:
			return token{}, broken(errors.New("another process asks for the token, and does not get it"))
		case <-t.closing:
			return token{}, broken(context.Canceled)
		}
		c, err := t.vault.claim(ctx, w)
		if err != nil {
			return token{}, storeAway(err)
		}
		if c.refused != nil {
			t.log.Warn().Err(c.refused).Str("account", a.Account).Msg("a token that is stored for this account is not used; if it was entered for something else, somebody else writes to Redis")
		}
		switch c.verdict {
		case given:
			if !c.token.value.IsZero() {
				return c.token, nil
			}
			w.avoid, w.forced = c.id, time.Time{} // sealed for another key or grant: of no use
			pause = 0
		case again:
			return token{}, rejectedTwice()
		case yours:
			if errors.Is(c.refused, seal.ErrUnbound) {
				// The first refresh token of the account may have ended long ago.
				_ = t.vault.release(ctx, w)
				return token{}, broken(fmt.Errorf("%w: %w", failure.ErrSettings, c.refused))
			}
			got, f, stale := t.refresh(ctx, a, w, c)
			if !stale {
				return got, f
			}
			pause = 0
		case busy:
			pause = min(max(firstPoll, 2*pause), lastPoll)
		default:
			return token{}, storeAway(fmt.Errorf("claim answered %q", c.verdict))
		}
		poll.Reset(pause)
	}
}

// storeAway hides the kind of Redis's error, which would be read as one of the
// provider.
func storeAway(err error) *failure.Failure {
	return broken(errors.New("the token store does not answer: " + err.Error()))
}

// refresh asks the provider, and stores what it gives before anybody has it.
// stale: somebody else was faster.
func (t *Tokens) refresh(ctx context.Context, a account, w want, c claim) (got token, f *failure.Failure, stale bool) {
	refresh := c.refresh
	if refresh.IsZero() && a.grant() == Delegated {
		refresh = a.RefreshToken
	}
	g, f := t.requester.token(ctx, a.Credentials, refresh)
	if f != nil {
		_ = t.vault.release(ctx, w) // or the lock ends by itself
		return token{}, f, false
	}
	now := t.now()
	got = token{value: g.access, stale: now.Add(g.lifetime - min(ahead, g.lifetime/5)), expires: now.Add(g.lifetime)}
	d := deposit{revision: c.revision, token: got, now: now, forced: !w.forced.IsZero(), unbound: c.unbound && !w.bind}
	if a.grant() == Delegated {
		d.refresh = g.refresh
	}
	err := t.deposit(ctx, w, d)
	switch {
	case errors.Is(err, errStale):
		return token{}, nil, true
	case err != nil:
		return token{}, storeAway(err), false
	}
	t.log.Debug().Str("account", a.Account).Dur("lifetime", g.lifetime).Bool("rotated", !d.refresh.Equal(refresh)).Msg("new access token")
	return got, nil, false
}

// deposit stores, and does not give up at the first error: the refresh token may
// be the only one that is good.
func (t *Tokens) deposit(ctx context.Context, w want, d deposit) error {
	args, err := t.vault.seal(w, d)
	if err != nil {
		return err
	}
	end := time.NewTimer(storeFor)
	defer end.Stop()
	for pause := firstPoll; ; pause = min(2*pause, time.Second) {
		err = t.vault.store(ctx, w, args)
		if err == nil || errors.Is(err, errStale) {
			return err
		}
		next := time.NewTimer(pause)
		select {
		case <-next.C:
		case <-end.C:
			next.Stop()
			return err
		case <-t.closing:
			next.Stop()
			return err
		}
	}
}
