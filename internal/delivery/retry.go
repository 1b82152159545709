package delivery

import (
	"cmp"
	"errors"
	"math"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/ledger"
)

// Retry is when a deferred mail is tried again, and when no more. A zero field
// is its default; negative jitter, greylist and uncertain are none.
type Retry struct {
	First  time.Duration // delay after the first attempt; 1 min
	Factor float64       // of each further delay; 2
	Jitter float64       // ± this share of the delay; 0.2
	Max    time.Duration // largest delay before jitter; 2 h
	GiveUp time.Duration // after the mail was due, unless it has its own expiry; 24 h

	Greylist  time.Duration // least delay after greylisting; 5 min
	Uncertain time.Duration // pause before a mail is sent again that may have been taken; 15 min
}

func (r Retry) withDefaults() (Retry, error) {
	r.First = cmp.Or(r.First, time.Minute)
	r.Factor = cmp.Or(r.Factor, 2)
	r.Jitter = cmp.Or(r.Jitter, 0.2)
	r.Max = cmp.Or(r.Max, 2*time.Hour)
	r.GiveUp = cmp.Or(r.GiveUp, 24*time.Hour)
	r.Greylist = cmp.Or(r.Greylist, 5*time.Minute)
	r.Uncertain = cmp.Or(r.Uncertain, 15*time.Minute)
	r.Greylist, r.Uncertain = max(r.Greylist, 0), max(r.Uncertain, 0)
	var errs []error
	if r.First < 0 || r.Max < r.First {
		errs = append(errs, errors.New("retry: delays must be positive, and max not below first"))
	}
	if r.Factor < 1 || r.Jitter >= 1 {
		errs = append(errs, errors.New("retry: factor is at least 1, jitter below 1"))
	}
	if r.GiveUp < 0 || r.GiveUp > ledger.MaxWait {
		errs = append(errs, errors.New("retry: give_up is at most 168h"))
	}
	return r, errors.Join(errs...)
}

// Delay is the wait after the attempt-th attempt (1 is the first) that ended
// with f. random is uniform in [0,1). A server's own word (RetryAfter) is a
// lower bound.
func (r Retry) Delay(attempt int, f *failure.Failure, random float64) time.Duration {
	if f.Class == failure.Uncertain {
		return r.Uncertain
	}
	return max(r.backoff(float64(r.First)*math.Pow(r.Factor, float64(attempt-1)), random), r.least(f))
}

// DelayByAge is Delay after an attempt that did not count: the mail has waited for
// as long before, so that the waits double.
func (r Retry) DelayByAge(age time.Duration, f *failure.Failure, random float64) time.Duration {
	return max(r.backoff(float64(max(age, r.First)), random), r.least(f))
}

// backoff is a delay within the largest one, with jitter.
func (r Retry) backoff(d, random float64) time.Duration {
	d = math.Min(d, float64(r.Max))
	if r.Jitter > 0 {
		d *= 1 + r.Jitter*(2*random-1)
	}
	return time.Duration(d)
}

// least is what a failure demands.
func (r Retry) least(f *failure.Failure) time.Duration {
	switch {
	case f.Class == failure.Uncertain:
		return r.Uncertain
	case f.Category == "greylisted":
		return max(f.RetryAfter, r.Greylist)
	}
	return f.RetryAfter
}
