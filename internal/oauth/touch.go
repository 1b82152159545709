package oauth

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

const (
	// idleAfter: a refresh token that is not used for months ends (Microsoft: 90
	// days, Google: 6 months).
	idleAfter  = 7 * 24 * time.Hour
	touchBatch = 500 // accounts looked up in one round trip
)

// Touch uses the refresh tokens that were not used for a week, and those that
// are sealed for yesterday's keys, so that no account loses its own by sending
// nothing. It asks for one after the other; several processes may do it at the
// same time. failed is told of each that was refused. The error is Redis's or
// the context's; touched is the number of tokens that were renewed.
func (t *Tokens) Touch(ctx context.Context, list []Credentials, failed func(Credentials, *failure.Failure)) (touched int, err error) {
	return t.use(ctx, list, false, failed)
}

// Reseal is Touch, and uses also the refresh tokens that an older version has sealed
// for no grant in particular. What it stores a worker of that version cannot read.
func (t *Tokens) Reseal(ctx context.Context, list []Credentials, failed func(Credentials, *failure.Failure)) (touched int, err error) {
	return t.use(ctx, list, true, failed)
}

func (t *Tokens) use(ctx context.Context, list []Credentials, bind bool, failed func(Credentials, *failure.Failure)) (touched int, err error) {
	for batch := range slices.Chunk(list, touchBatch) {
		idle, err := t.idle(ctx, batch, bind)
		if err != nil {
			return touched, err
		}
		for _, i := range idle {
			f := t.renew(ctx, i, bind)
			switch {
			case ctx.Err() != nil:
				return touched, ctx.Err()
			case f != nil:
				failed(i.Credentials, f)
			default:
				touched++
			}
		}
	}
	return touched, nil
}

// An idleAccount must use its refresh token.
type idleAccount struct {
	Credentials
	last string // id of its last access token, or ""
}

// idle picks those of a batch.
func (t *Tokens) idle(ctx context.Context, batch []Credentials, bind bool) ([]idleAccount, error) {
	pipe := t.vault.rdb.Pipeline()
	read := make([]*redis.SliceCmd, len(batch))
	for i, c := range batch {
		read[i] = pipe.HMGet(ctx, stateKey(c.origin()), fieldUsed, fieldRefresh, fieldID)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("oauth: idle accounts: %w", err)
	}
	var list []idleAccount
	for i, c := range batch {
		fields := read[i].Val()
		used, _ := fields[0].(string)
		sealed, _ := fields[1].(string)
		last, _ := fields[2].(string)
		idle := t.now().Sub(unixMilli(used)) > idleAfter || !t.vault.box.Current(sealed) || bind && !seal.IsBound(sealed)
		if idle && c.grant() == Delegated && !c.RefreshToken.IsZero() {
			list = append(list, idleAccount{c, last})
		}
	}
	return list, nil
}

// renew gets another access token than the account's last one.
func (t *Tokens) renew(ctx context.Context, i idleAccount, bind bool) *failure.Failure {
	a := account{Credentials: i.Credentials, fingerprint: i.Fingerprint()}
	t.mu.Lock()
	e, now := t.entryLocked(a.fingerprint), t.now()
	if f := e.failed; f != nil && now.Before(e.until) {
		t.mu.Unlock()
		return f
	}
	if e.flight == nil {
		t.startLocked(ctx, e, a, want{ends: now.Add(lastUse), avoid: i.last, bind: bind})
	}
	fl := e.flight
	t.mu.Unlock()
	_, f := fl.wait(ctx, t.patience())
	return f
}

// Forget drops what is stored for credentials, when their account is deleted or
// connected anew. The error is Redis's.
func (t *Tokens) Forget(ctx context.Context, c Credentials) error {
	t.mu.Lock()
	delete(t.entries, c.Fingerprint())
	t.mu.Unlock()
	if err := t.vault.rdb.Del(ctx, stateKey(c.origin())).Err(); err != nil {
		return fmt.Errorf("oauth: forget: %w", err)
	}
	return nil
}
