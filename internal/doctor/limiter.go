package doctor

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrTooOften is what a *TooOften is.
	ErrTooOften = errors.New("this account was checked too often")
	// ErrUncounted says that Redis did not answer, so that no check is allowed.
	ErrUncounted = errors.New("checks are not possible while Redis does not answer")
)

// TooOften is the error of a check that is not allowed now.
type TooOften struct {
	RetryAfter time.Duration // until the next one is
}

// Error is one line with the time to wait, in whole seconds rounded up.
func (e *TooOften) Error() string {
	return fmt.Sprintf("%v: try again in %v", ErrTooOften, (e.RetryAfter + time.Second - 1).Truncate(time.Second))
}

// Unwrap is ErrTooOften.
func (*TooOften) Unwrap() error { return ErrTooOften }

// LimiterOptions are the options of a Limiter.
type LimiterOptions struct {
	Redis  redis.UniversalClient
	Limit  int           // checks in a window; 0: 6
	Window time.Duration // 0: 1 min
}

// A Limiter counts checks and test mails per key, over all processes, in windows
// that begin with the first one. It is safe for concurrent use.
type Limiter struct{ options LimiterOptions }

// NewLimiter makes a limiter; it does no I/O.
func NewLimiter(o LimiterOptions) (*Limiter, error) {
	o.Limit, o.Window = cmp.Or(o.Limit, 6), cmp.Or(o.Window, time.Minute)
	var errs []error
	if o.Redis == nil {
		errs = append(errs, errors.New("no redis client"))
	}
	if o.Limit < 0 || o.Window < time.Millisecond {
		errs = append(errs, errors.New("limit and window must be positive"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("doctor: %w", err)
	}
	return &Limiter{o}, nil
}

//go:embed count.lua
var countSource string

var countScript = redis.NewScript(countSource)

// Allow counts one check of key (a tenant, or tenant and account). The error is
// a *TooOften, or wraps ErrUncounted.
func (l *Limiter) Allow(ctx context.Context, key string) error {
	wait, err := countScript.Run(ctx, l.options.Redis, []string{countKey(key)}, l.options.Limit, l.options.Window.Milliseconds()).Int64()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUncounted, err)
	case wait > 0:
		return &TooOften{RetryAfter: time.Duration(wait) * time.Millisecond}
	}
	return nil
}
