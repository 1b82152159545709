package breaker

import (
	"context"
	"sync"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

const (
	slowFirst, slowMost = 15 * time.Second, time.Hour  // pauses of an account, unless its server asks for more
	downFirst, downMost = 5 * time.Second, time.Minute // of a server that cannot be reached
	tripAfter           = 3                            // faults in a row
	probeTime           = time.Minute                  // for one mail to try; then another may
	// mostFaults bounds the accounts and servers of which faults are counted.
	mostFaults = 10_000
	// LookAgain is when a mail asks again that found another one trying.
	LookAgain = time.Second
)

// A Result is what an attempt has shown of its account and server.
type Result struct {
	Failure *failure.Failure // that of the account or server if there is one, else any; nil: accepted
	Reached bool             // the server has seen the mail: it counts at the rates
	// Accepted says that the server has taken the mail, for one recipient at least.
	Accepted bool
	// Domains are those of the recipients of whom Failure was said.
	Domains []string
}

// Record draws the consequences of an attempt. It answers what blocks the mail itself
// now; nil if nothing does.
func (b *Breaker) Record(ctx context.Context, t *Target, r Result) *Block {
	if r.Accepted {
		b.accepted.add(t.Account, b.now())
	}
	f, scope := r.Failure, failure.ScopeMail
	if f != nil {
		scope = f.Scope()
	}
	switch {
	case scope != failure.ScopeServer && scope != failure.ScopeAccount:
		b.hearsay.refute(t, f)
		b.works(ctx, t)
		return nil
	case f.Hearsay():
		b.overhear(ctx, t, r)
		return nil
	case scope == failure.ScopeServer:
		return b.fault(ctx, Down, serverSubject(t.Server), f)
	case f.NeedsPerson():
		if err := b.Park(ctx, t.Account, t.Fingerprint(), f); err != nil {
			b.log.Warn().Err(err).Str("account", t.Account).Msg("the refused login is not known to other workers yet")
		}
		return &Block{State: b.state(t.Account)}
	case f.Class == failure.Throttle: // the server has asked for a pause
		s := b.trip(ctx, Slow, t.Account, f)
		return &Block{State: s, Until: s.Until}
	}
	return b.fault(ctx, Slow, t.Account, f)
}

// pause is how long a state of this kind and level blocks. Hearsay gets no pause that
// it asks for: the next mail tries soon.
func pause(kind Kind, level int, f *failure.Failure) time.Duration {
	first, most, asked := slowFirst, slowMost, f.RetryAfter
	switch {
	case kind == Down:
		first, most = downFirst, downMost
	case f.Hearsay():
		most, asked = hearsayMost, 0
	}
	return max(min(first<<min(level-1, 10), most), asked)
}

// trip blocks an account or a server for a while, longer each time in a row. A state
// that blocks already stays: many mails may bring the same news.
func (b *Breaker) trip(ctx context.Context, kind Kind, subject string, f *failure.Failure) *State {
	old, s := b.state(subject), newState(kind, subject, b.now(), f)
	s.Level = 1
	if old != nil && old.Kind != Parked {
		if b.now().Before(old.Until) {
			return old
		}
		s.Level, s.First = old.Level+1, old.Began()
	}
	s.Until = b.now().Add(pause(kind, s.Level, f)).UTC()
	if err := b.put(ctx, s); err != nil {
		b.log.Warn().Err(err).Str("subject", subject).Msg("other workers do not know yet that this is blocked")
	}
	b.redis.Del(ctx, probeKey(subject))
	b.log.Warn().Str("subject", subject).Str("kind", string(kind)).Time("until", s.Until).
		Str("category", f.Category).Int("reply_code", f.Code).Msg("mails wait")
	return s
}

// restore takes the state away from an account or server that works.
func (b *Breaker) restore(ctx context.Context, subject string) {
	s := b.state(subject)
	if s == nil || s.Kind == Parked || s.Kind == Slow && b.now().Before(s.Until) {
		return // a mail that was on its way before the pause says nothing about it
	}
	if err := b.reset(ctx, subject); err != nil {
		b.log.Warn().Err(err).Str("subject", subject).Msg("other workers do not know yet that this works again")
		return
	}
	b.redis.Del(ctx, probeKey(subject))
	b.log.Info().Str("subject", subject).Str("kind", string(s.Kind)).Msg("mails go again")
}

// fault counts a failure that says little alone. After some in a row the account or
// server is blocked.
func (b *Breaker) fault(ctx context.Context, kind Kind, subject string, f *failure.Failure) *Block {
	if b.faults.add(subject) < tripAfter && b.state(subject) == nil {
		return nil
	}
	s := b.trip(ctx, kind, subject, f)
	return &Block{State: s, Until: s.Until}
}

// works notes that account and server do what they should. Mails that wait for settings
// go with the next one that is accepted, unless the server has refused their sender.
func (b *Breaker) works(ctx context.Context, t *Target) {
	server := serverSubject(t.Server)
	b.faults.clear(t.Account, server)
	b.restore(ctx, t.Account)
	b.restore(ctx, server)
	if s := b.state(SettingsSubject(t.Account)); s != nil && s.Stage.BeforeMail() {
		b.restore(ctx, s.Subject)
	}
}

// faults are failures in a row, by subject.
type faults struct {
	mu    sync.Mutex
	inRow map[string]int
}

// add counts a failure, and answers how many there are.
func (f *faults) add(subject string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.inRow == nil || len(f.inRow) >= mostFaults && f.inRow[subject] == 0 {
		f.inRow = map[string]int{} // counted again from their next failure
	}
	f.inRow[subject]++
	return f.inRow[subject]
}

func (f *faults) clear(subjects ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range subjects {
		delete(f.inRow, s)
	}
}
