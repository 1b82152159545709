package breaker

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/queue"
)

// Options of a Breaker. Redis and Backlog are required.
type Options struct {
	Redis   redis.UniversalClient
	Backlog *backlog.Store
	// Reader says that this process only looks at what workers write: it drops nothing
	// that is old, and its Redis user needs no right to.
	Reader bool
	Logger zerolog.Logger   // zero: silent
	Now    func() time.Time // nil: time.Now
}

// A Watcher hears of what changes here, in the goroutine that changes it.
type Watcher interface {
	// Parked says that this process has parked an account.
	Parked(account string)
	// Reset says that an account or a server takes mails again, or that the mails which
	// wait for an account's settings may go. account is empty if it is a server.
	Reset(account, server string)
}

// A Breaker is one process's view of the states, which stand in Redis. Its methods may
// be called from any goroutine.
type Breaker struct {
	redis   redis.UniversalClient
	backlog *backlog.Store
	reader  bool
	log     zerolog.Logger
	now     func() time.Time
	watcher Watcher

	mu     sync.RWMutex
	states map[string]*State // by subject

	faults   faults
	hearsay  hearsay
	accepted accepted
}

// New checks the options. It does no I/O: what stands in Redis is known after Load, and
// kept up by Run.
func New(o Options) (*Breaker, error) {
	if o.Redis == nil || o.Backlog == nil {
		return nil, errors.New("breaker: redis and backlog are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Breaker{
		redis: o.Redis, backlog: o.Backlog, reader: o.Reader, log: o.Logger, now: o.Now, states: map[string]*State{},
		hearsay: hearsay{rumors: map[string]map[string]*rumor{}},
	}, nil
}

// Watch sets the watcher. It must be called before Run.
func (b *Breaker) Watch(w Watcher) { b.watcher = w }

// A Target is what the breaker must know of the account through which a mail leaves.
type Target struct {
	Account     string        // id
	Tenant      string        // of the mail
	Shared      bool          // several tenants send through the account
	Server      string        // host, port and encryption
	Fingerprint func() string // of today's settings; nil: this process has not met the account
}

// Parked is the state of an account whose settings were refused; nil if they were not.
// fingerprint is that of today's settings; it is called only if there is a state.
func (b *Breaker) Parked(account string, fingerprint func() string) *State {
	s := b.state(account)
	if s == nil || s.Kind != Parked || s.Fingerprint != fingerprint() {
		return nil
	}
	return s
}

// Standing is the state, other than Parked, that an account or its server has: one that
// blocks before one of mails that wait for settings; nil if there is none.
func (b *Breaker) Standing(account, server string) *State {
	for _, subject := range [...]string{account, serverSubject(server), SettingsSubject(account)} {
		if s := b.state(subject); s != nil && s.Kind != Parked {
			return s
		}
	}
	return nil
}

// IsParked reports whether an account is parked, with whichever settings.
func (b *Breaker) IsParked(account string) bool {
	s := b.state(account)
	return s != nil && s.Kind == Parked
}

// Blocked is the state that keeps a mail of this account from going. halfOpen is true
// if its time is over and one mail may try.
func (b *Breaker) Blocked(t *Target) (s *State, halfOpen bool) {
	for _, subject := range [...]string{t.Account, serverSubject(t.Server)} {
		s := b.state(subject)
		switch {
		case s == nil:
		case s.Kind != Parked:
			return s, !b.now().Before(s.Until)
		case t.Fingerprint == nil: // one mail finds out
			return s, true
		case s.Fingerprint == t.Fingerprint():
			return s, false
		}
	}
	return nil, false
}

// A Block is what keeps a mail from going now.
type Block struct {
	State   *State
	Until   time.Time // the earliest moment that is known; zero: none is
	Probing bool      // another mail tries whether it works again
	Tenant  bool      // it holds for mails of this tenant alone, which wait outside the backlog
}

// Pass lets a mail go, or says what blocks it. When a pause is over one mail goes, in
// all processes together, to find out. The error is one of Redis.
func (b *Breaker) Pass(ctx context.Context, t *Target) (*Block, error) {
	if t.Shared {
		if block := b.hushed(t); block != nil {
			return block, nil
		}
	}
	s, halfOpen := b.Blocked(t)
	if s == nil {
		return nil, nil
	}
	if !halfOpen {
		return &Block{State: s, Until: s.Until}, nil
	}
	first, err := b.redis.SetNX(ctx, probeKey(s.Subject), b.now().UnixMilli(), probeTime).Result()
	if first || err != nil {
		return nil, err
	}
	return &Block{State: s, Until: b.now().Add(LookAgain), Probing: true}, nil
}

// Park notes that the server has refused these settings. Many mails may bring the same
// refusal: it is written once.
func (b *Breaker) Park(ctx context.Context, account, fingerprint string, f *failure.Failure) error {
	if s := b.Parked(account, func() string { return fingerprint }); s != nil && s.stored {
		return nil
	}
	s := newState(Parked, account, b.now(), f)
	s.Fingerprint = fingerprint
	if err := b.put(ctx, s); err != nil {
		return err
	}
	if b.watcher != nil {
		b.watcher.Parked(account)
	}
	return nil
}

// Await notes that a mail has failed for settings that somebody must mend, and goes at
// once when they are new, a test mail is accepted, or somebody resets the account. It
// blocks no other mail.
func (b *Breaker) Await(ctx context.Context, t *Target, m queue.Ref, f *failure.Failure) error {
	if err := b.backlog.WaitForSettings(ctx, t.Account, m); err != nil {
		return err
	}
	subject, fingerprint := SettingsSubject(t.Account), t.Fingerprint()
	old := b.state(subject)
	if old != nil && old.stored && old.Fingerprint == fingerprint && (old.Stage.BeforeMail() || !f.Stage.BeforeMail()) {
		return nil
	}
	s := newState(Settings, subject, b.now(), f)
	s.Fingerprint, s.Server = fingerprint, t.Server
	return b.put(ctx, s)
}

// Reset lets the mails of an account go: those that it blocked, also if no running
// process has met the account, as after a restart, and those that wait for its settings.
// If these have met a server that is down, because of its certificate for instance, they
// find out anew. What has no state is left alone.
func (b *Breaker) Reset(ctx context.Context, account string) error {
	subject := SettingsSubject(account)
	s := b.state(subject)
	err := errors.Join(b.reset(ctx, account), b.reset(ctx, subject))
	if s != nil && b.state(serverSubject(s.Server)) != nil {
		err = errors.Join(err, b.reset(ctx, serverSubject(s.Server)))
	}
	return err
}

// reset takes a state away.
func (b *Breaker) reset(ctx context.Context, subject string) error {
	s := &State{Subject: subject}
	err := b.remove(ctx, subject)
	if err == nil && !isServer(subject) {
		if subject == s.Account() {
			err = b.backlog.Announce(ctx, subject, b.now())
		} else {
			_, err = b.backlog.Free(ctx, s.Account())
		}
	}
	b.wasReset(subject)
	return err
}

// wasReset tells the watcher.
func (b *Breaker) wasReset(subject string) {
	if b.watcher == nil {
		return
	}
	if server, ok := strings.CutPrefix(subject, ServerPrefix); ok {
		b.watcher.Reset("", server)
		return
	}
	b.watcher.Reset((&State{Subject: subject}).Account(), "")
}
