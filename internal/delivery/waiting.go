package delivery

import (
	"math/rand/v2"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/dispatch"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// A mail that waits for longer than this is told of in the error log.
const delayedFirst, delayedAgain = 15 * time.Minute, time.Hour

// due is the moment from which the age of the job counts.
func (a *attempt) due() time.Time {
	if a.record != nil && !a.record.Due.IsZero() {
		return a.record.Due
	}
	return a.job.Due()
}

// delayed is for how long the mail has been waiting, if that is to be told now:
// once after a quarter of an hour, once after an hour.
func (a *attempt) delayed() time.Duration {
	told := a.due()
	if a.record != nil && a.record.UpdatedAt.After(told) {
		told = a.record.UpdatedAt
	}
	for _, limit := range [...]time.Duration{delayedAgain, delayedFirst} {
		if at := a.due().Add(limit); !a.w.now().Before(at) && told.Before(at) {
			return limit
		}
	}
	return 0
}

// A worker receives a mail from its backlog when it is the mail's turn. The task comes by
// itself only if none does: when a worker dies while another one, with a wrong clock,
// has the same task in hand. Such a mail looks for itself after firstLook, then when it
// is as old again, and later each lookMost; a parked one, which may wait for days, each
// parkedMost. It passes over no moment at which its delay is told.
const (
	firstLook  = 4 * time.Minute
	lookMost   = 15 * time.Minute
	parkedMost = time.Hour
	// firstAlone is the same of a mail that waits in no backlog.
	firstAlone = 15 * time.Second
	// lookSpread is the time over which mails that came together tell their delay: fifty
	// thousand looks at once would hold up all other mails.
	lookSpread = 2 * time.Minute
)

// net is after how long a waiting mail looks for itself, and at last when its time is
// over.
func (a *attempt) net() time.Duration {
	return a.netAt(rand.Float64()) //nolint:gosec // jitter is no secret
}

// netAt is net for a random number, uniform in [0,1): mails that came together look one
// after the other.
func (a *attempt) netAt(random float64) time.Duration {
	now := a.w.now()
	age, first, most := max(0, now.Sub(a.due())), firstLook, lookMost
	switch {
	case a.wait == nil:
	case a.wait.Alone: // nobody receives it: it comes when it may
		first = max(firstAlone, a.wait.Until.Sub(now))
	case a.wait.Reason == dispatch.Parked:
		most = parkedMost
	}
	step := min(max(age, first), most)
	pause := step + time.Duration(random*float64(step)/2)
	for _, limit := range [...]time.Duration{delayedAgain, delayedFirst} {
		if left := limit - age; left > 0 && left < pause {
			pause = left + time.Duration(random*float64(lookSpread))
		}
	}
	return min(pause, a.deadline().Sub(now))
}

// told reports whether nothing is to be written of a mail that waits: it waits for
// a connection, which is nobody's trouble, or its record says so already.
func (a *attempt) told() bool {
	if a.delayed() > 0 {
		return false
	}
	return a.wait.Reason == dispatch.Busy || a.record != nil && a.record.State == a.waitState()
}

// waitState is the state of a job that waits.
func (a *attempt) waitState() rohrpost.State {
	if a.wait.Reason == dispatch.Parked {
		return rohrpost.Parked
	}
	return rohrpost.Deferred
}

// schedule sets the state of a job for which somebody waits, and when it goes on.
func (a *attempt) schedule(c *conclusion, out transport.Outcome) {
	now := a.w.now()
	if a.wait != nil {
		c.State, c.delay = a.waitState(), a.net()
		// The account may be freed before: a mail waits to its last moment.
		if last := a.deadline().Add(-time.Millisecond); a.wait.Until.After(last) {
			c.Next = last
		} else {
			c.Next = a.wait.Until
		}
		return
	}
	c.State = rohrpost.Deferred
	if !a.untried(c.Verdicts) {
		c.delay = a.inTime(a.pause(c, out), c.Verdicts)
	}
	c.Next = now.Add(c.delay)
}

// lastTry is how long before its end a mail is tried at last that its pauses would let
// expire.
const lastTry = 5 * time.Second

// inTime is a pause that leaves the mail its last attempt: no pause lets a mail expire
// that still has time. Those to whom it may have gone out already do not get it early.
func (a *attempt) inTime(pause time.Duration, verdicts map[int]rohrpost.RecipientStatus) time.Duration {
	left := a.deadline().Sub(a.w.now())
	if pause < left || left < 2*lastTry {
		return pause
	}
	for _, i := range a.open {
		if verdicts[i].State == rohrpost.RecipientUncertain {
			return pause
		}
	}
	return left - lastTry
}

// untried reports whether there are recipients that no server was asked for: a
// mail to many leaves in portions.
func (a *attempt) untried(verdicts map[int]rohrpost.RecipientStatus) bool {
	for i := range a.recipients {
		v, tried := verdicts[i]
		if !tried {
			v = a.previous(i)
		}
		if v.State == rohrpost.RecipientWaiting {
			return true
		}
	}
	return false
}

// pause is how long the job waits for its next attempt: what the most patient of
// its recipients needs. It ends when the delay is to be told, if that is not long
// before.
func (a *attempt) pause(c *conclusion, out transport.Outcome) time.Duration {
	retry, now := &a.w.opts.Retry, a.w.now()
	age := max(0, now.Sub(a.due()))
	n := 1
	if a.record != nil {
		n = a.record.Attempts + 1
	}
	pause := time.Duration(0)
	asked := time.Duration(0) // by the server
	for k, i := range a.open {
		f := out.Verdicts[k].Failure
		if f == nil || !a.waits(i, c.Verdicts[i].State) {
			continue
		}
		f = a.timely(f)
		random := rand.Float64() //nolint:gosec // jitter is no secret
		if c.Counts {
			pause = max(pause, retry.Delay(n, f, random))
		} else {
			pause = max(pause, retry.DelayByAge(age, f, random))
		}
		asked = max(asked, retry.least(f))
	}
	if pause == 0 {
		pause = retry.First // of recipients that an earlier portion has put off
	}
	for _, limit := range [...]time.Duration{delayedFirst, delayedAgain} {
		if left := limit - age; left < pause && left > pause/2 && left >= asked {
			return left
		}
	}
	return pause
}

// timely is the failure without a pause that would outlast the mail: no server's word
// takes a mail's last attempt from it.
func (a *attempt) timely(f *failure.Failure) *failure.Failure {
	if a.w.now().Add(f.RetryAfter).Before(a.deadline()) {
		return f
	}
	without := *f
	without.RetryAfter = 0
	return &without
}
