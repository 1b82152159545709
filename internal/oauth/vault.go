package oauth

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
)

//go:embed claim.lua
var claimSource string

//go:embed store.lua
var storeSource string

//go:embed release.lua
var releaseSource string

var (
	claimScript   = redis.NewScript(claimSource)
	storeScript   = redis.NewScript(storeSource)
	releaseScript = redis.NewScript(releaseSource)
)

const (
	// keepRefresh is how long a refresh token is kept after its last use:
	// beyond what any provider lets it live (Google: 6 months unused).
	keepRefresh = 200 * 24 * time.Hour
	// forcedPause: a token that came in place of a rejected one and is rejected
	// again within this time is not replaced.
	forcedPause = 5 * time.Minute
)

// A token is an access token.
type token struct {
	value          secret.String
	stale, expires time.Time // from stale on the next one is asked for
}

// id stands for a token in Redis.
func id(s secret.String) string {
	if s.IsZero() {
		return ""
	}
	return digest("token", s.Reveal())[:32]
}

// A vault keeps the tokens of grants in Redis, sealed.
type vault struct {
	rdb  redis.UniversalClient
	box  *seal.Box
	hold time.Duration // of a lock
}

// A want says which token will do.
type want struct {
	origin, fingerprint string
	endpoint            string    // where the refresh token may be shown
	bind                bool      // seal for this grant even if the stored token is not
	asker               string    // unique to this attempt
	ends                time.Time // it must not end before
	fresh               time.Time // it must not be stale at; zero: it may
	avoid               string    // id of the token that is not wanted
	forced              time.Time // see claim.lua; zero: avoid was not rejected
}

// A verdict is the answer to a claim.
type verdict string

const (
	given verdict = "token"
	again verdict = "rejected" // as was the one before
	busy  verdict = "busy"     // somebody asks the provider
	yours verdict = "yours"    // to ask the provider
)

// A claim is the answer to a want.
type claim struct {
	verdict
	token    token         // given; without a value if it cannot be opened
	id       string        // given
	revision string        // yours
	refresh  secret.String // yours; zero: none is stored, or it cannot be opened
	unbound  bool          // yours: the refresh token is sealed for no grant in particular
	refused  error         // what is stored is not for this grant: seal.ErrPurpose or ErrUnbound
}

// access and refresh are what tokens are sealed for: somebody who copies one into the
// hash of another grant has it used neither there nor at another endpoint.
func (w *want) access() seal.Purpose {
	return seal.Purpose{"token": "access", "credentials": w.fingerprint}
}

func (w *want) refresh() seal.Purpose {
	return seal.Purpose{"token": "refresh", "grant": w.origin, "endpoint": w.endpoint}
}

func (v *vault) claim(ctx context.Context, w want) (claim, error) {
	forced := ""
	if !w.forced.IsZero() {
		forced = strconv.FormatInt(w.forced.UnixMilli(), 10)
	}
	fresh := int64(0)
	if !w.fresh.IsZero() {
		fresh = w.fresh.UnixMilli()
	}
	answer, err := claimScript.Run(ctx, v.rdb, []string{stateKey(w.origin), lockKey(w.origin)},
		w.fingerprint, w.ends.UnixMilli(), fresh, w.avoid, forced, w.asker, v.hold.Milliseconds()).StringSlice()
	if err != nil {
		return claim{}, err
	}
	c := claim{verdict: verdict(answer[0])}
	switch {
	case c.verdict == given && len(answer) == 5:
		c.id = answer[4]
		c.token.value, err = v.box.Open(answer[1], w.access())
		c.refused = notMeant(err)
		c.token.stale, c.token.expires = unixMilli(answer[2]), unixMilli(answer[3])
	case c.verdict == yours && len(answer) == 3:
		c.revision = answer[1]
		c.refresh, err = v.box.Open(answer[2], w.refresh())
		c.refused = notMeant(err)
		c.unbound = !c.refresh.IsZero() && !seal.IsBound(answer[2])
	}
	return c, nil
}

// notMeant is the error of a token that could be opened and must not be used.
func notMeant(err error) error {
	if errors.Is(err, seal.ErrPurpose) || errors.Is(err, seal.ErrUnbound) {
		return err
	}
	return nil
}

func unixMilli(s string) time.Time {
	ms, _ := strconv.ParseInt(s, 10, 64)
	return time.UnixMilli(ms)
}

// errStale says that another token was stored in the meantime.
var errStale = errors.New("another token was stored in the meantime")

// A deposit is what store writes.
type deposit struct {
	revision string
	token    token
	refresh  secret.String // zero: the grant has none
	now      time.Time
	forced   bool // the token is in place of a rejected one
	// unbound: sealed for no grant in particular, as the refresh token before. A
	// worker of an older version that runs beside this one could not read others,
	// and would go back to the account's first refresh token.
	unbound bool
}

// seal makes the arguments of store.lua. The error is the box's.
func (v *vault) seal(w want, d deposit) ([]any, error) {
	forAccess, forRefresh := w.access(), w.refresh()
	if d.unbound {
		forAccess, forRefresh = nil, nil
	}
	access, err := v.box.Seal(d.token.value, forAccess)
	if err != nil {
		return nil, err
	}
	refresh, err := v.box.Seal(d.refresh, forRefresh)
	if err != nil {
		return nil, err
	}
	keep, forced := d.token.expires.Sub(d.now)+24*time.Hour, int64(0)
	if !d.refresh.IsZero() {
		keep = keepRefresh
	}
	if d.forced {
		forced = d.now.UnixMilli()
	}
	return []any{
		w.asker, d.revision, keep.Milliseconds(),
		fieldRefresh, refresh, fieldUsed, d.now.UnixMilli(),
		fieldAccess, access, fieldID, id(d.token.value), fieldFingerprint, w.fingerprint,
		fieldStale, d.token.stale.UnixMilli(), fieldExpires, d.token.expires.UnixMilli(), fieldForced, forced,
	}, nil
}

// store writes what seal made. The error is errStale or Redis's; after the
// latter it may be repeated.
func (v *vault) store(ctx context.Context, w want, args []any) error {
	answer, err := storeScript.Run(ctx, v.rdb, []string{stateKey(w.origin), lockKey(w.origin)}, args...).Text()
	switch {
	case err != nil:
		return err
	case answer == "stale":
		return errStale
	case answer == "ok":
		return nil
	}
	return fmt.Errorf("store answered %q", answer)
}

func (v *vault) release(ctx context.Context, w want) error {
	return releaseScript.Run(ctx, v.rdb, []string{lockKey(w.origin)}, w.asker).Err()
}
