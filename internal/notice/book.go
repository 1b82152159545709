package notice

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"
)

const (
	// most is how many notices a tenant gets within window.
	most, window = 10, 24 * time.Hour
	// again is how soon the same cause of the same account is told again.
	again = 15 * time.Minute
	// mostNamed is how many accounts a notice names; it counts the others.
	mostNamed = 20
)

// A told is the latest that was told of an account.
type told struct {
	Cause  string    `json:"cause"`
	Since  time.Time `json:"since"`
	At     time.Time `json:"at"`
	Notice string    `json:"notice"` // id
}

// A notice is one mail.
type notice struct {
	ID     string    `json:"id"` // of the job
	At     time.Time `json:"at"`
	Faults []fault   `json:"faults"`
	More   int       `json:"more,omitempty"` // accounts that it does not name
	Next   time.Time `json:"next,omitzero"`  // before which nothing else is told; zero: that is open
}

// A book is what a tenant was told.
type book struct {
	Told    map[string]told `json:"told"` // by account
	Sent    []time.Time     `json:"sent"` // notices, within the window
	Pending *notice         `json:"pending,omitempty"`
}

// tell notes what of the faults is to be told next. It answers whether the book has
// changed. A notice that was begun, by a process that was killed perhaps, goes first,
// unless all that it tells of works again.
func (b *book) tell(now time.Time, gather time.Duration, faults []fault) bool {
	if b.Pending != nil && slices.ContainsFunc(faults, b.pends) {
		return false
	}
	changed := b.Pending != nil
	b.Pending = nil
	fresh := slices.DeleteFunc(slices.Clone(faults), func(f fault) bool { return !b.fresh(now, f) })
	b.Sent = slices.DeleteFunc(b.Sent, func(t time.Time) bool { return now.Sub(t) >= window })
	if len(fresh) == 0 || !ripe(now, gather, fresh) || len(b.Sent) >= most {
		return changed
	}
	b.forget(now, faults)
	b.Sent = append(b.Sent, now)
	n := &notice{ID: noticeID(fresh), At: now, Faults: fresh}
	if len(b.Sent) == most {
		n.Next = b.Sent[0].Add(window)
	}
	if b.Told == nil {
		b.Told = map[string]told{}
	}
	for _, f := range fresh {
		b.Told[f.Account] = told{Cause: f.Cause, Since: f.Since, At: now, Notice: n.ID}
	}
	if n.More = max(0, len(fresh)-mostNamed); n.More > 0 {
		n.Faults = fresh[:mostNamed]
	}
	b.Pending = n
	return true
}

// ripe reports whether the oldest of some faults is old enough to be told.
func ripe(now time.Time, gather time.Duration, faults []fault) bool {
	return slices.ContainsFunc(faults, func(f fault) bool { return now.Sub(f.Since) >= gather })
}

// fresh reports whether a fault is to be told.
func (b *book) fresh(now time.Time, f fault) bool {
	t, ok := b.Told[f.Account]
	return !ok || !t.Since.Equal(f.Since) && (t.Cause != f.Cause || now.Sub(t.At) >= again)
}

// pends reports whether the pending notice tells of a fault.
func (b *book) pends(f fault) bool {
	t := b.Told[f.Account]
	return t.Notice == b.Pending.ID && t.Since.Equal(f.Since)
}

// rests is until when a fault needs no other look at the book.
func (b *book) rests(now time.Time, f fault) time.Time {
	t, ok := b.Told[f.Account]
	switch {
	case ok && t.Since.Equal(f.Since):
		return now.Add(window) // the book lives on while something stands
	case ok && !b.fresh(now, f):
		return t.At.Add(again)
	case len(b.Sent) >= most:
		return b.Sent[0].Add(window)
	}
	return now
}

// forget drops what was told long ago of accounts that work.
func (b *book) forget(now time.Time, faults []fault) {
	stands := map[string]bool{}
	for _, f := range faults {
		stands[f.Account] = true
	}
	maps.DeleteFunc(b.Told, func(account string, t told) bool { return !stands[account] && now.Sub(t.At) >= window })
}

// done notes that a notice is in the queue. It answers whether it was pending.
func (b *book) done(id string) bool {
	if b.Pending == nil || b.Pending.ID != id {
		return false
	}
	b.Pending = nil
	return true
}

// noticeID follows from what is told, so that a repeat is the same job.
func noticeID(faults []fault) string {
	sum := sha256.New()
	for _, f := range faults {
		_, _ = fmt.Fprintf(sum, "%s\x00%s\x00%d\n", f.Account, f.Cause, f.Since.UnixNano())
	}
	return "notice-" + hex.EncodeToString(sum.Sum(nil)[:16])
}
