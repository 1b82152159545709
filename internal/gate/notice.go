package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A Kind of notice.
type Kind string

// The kinds.
const (
	Parked Kind = "parked" // an account whose login was refused: until it is released
	Slow   Kind = "slow"   // an account that was asked for a pause
	Down   Kind = "down"   // a server that cannot be reached
)

// A Notice says why an account or a server takes no mails.
type Notice struct {
	Kind        Kind      `json:"kind"`
	Subject     string    `json:"subject"`               // an account's id, or "server/" and host:port
	Fingerprint string    `json:"fingerprint,omitempty"` // of the settings that were refused
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"`  // then one mail tries; zero: until it is released
	Level       int       `json:"level,omitempty"` // how many times in a row

	Stage      failure.Stage `json:"stage"`
	Class      failure.Class `json:"class"`
	Category   string        `json:"category"`
	Rule       int           `json:"rule"` // picks the hint
	Code       int           `json:"code,omitempty"`
	Enhanced   string        `json:"enhanced,omitempty"`
	Diagnostic string        `json:"diagnostic,omitempty"`

	stored bool // it stands in Redis
}

// bound lets a notice close for no longer than it was meant to, counted from when it
// was read here first: whose clock is an hour ahead would close for an hour more. before
// is what was known of the subject; nil: nothing.
func (n *Notice) bound(before *Notice, now time.Time) {
	if before != nil && before.Kind == n.Kind && before.Since.Equal(n.Since) && before.Level == n.Level {
		n.Until = before.Until
		return
	}
	if most := now.Add(n.Until.Sub(n.Since)).UTC(); n.Until.After(most) {
		n.Until = most
	}
}

// Failure is the reason, for the log of a mail that waits.
func (n *Notice) Failure() *failure.Failure {
	return &failure.Failure{
		Stage: n.Stage, Class: n.Class, Category: n.Category, Rule: n.Rule,
		Code: n.Code, Enhanced: n.Enhanced, Diagnostic: n.Diagnostic,
	}
}

const serverPrefix = "server/"

// serverSubject is the subject of a notice about a server.
func serverSubject(server string) string { return serverPrefix + server }

func isServer(subject string) bool { return strings.HasPrefix(subject, serverPrefix) }

func newNotice(kind Kind, subject string, since time.Time, f *failure.Failure) *Notice {
	return &Notice{
		Kind: kind, Subject: subject, Since: since.UTC(), Stage: f.Stage, Class: f.Class, Category: f.Category,
		Rule: f.Rule, Code: f.Code, Enhanced: f.Enhanced, Diagnostic: f.Diagnostic,
	}
}

// Parked is the notice of an account whose settings were refused; nil if there is
// none. fingerprint is that of today's settings; it is asked for only if there is
// a notice.
func (g *Gate) Parked(account string, fingerprint func() string) *Notice {
	n := g.notice(account)
	if n == nil || n.Kind != Parked || n.Fingerprint != fingerprint() {
		return nil
	}
	return n
}

func (g *Gate) notice(subject string) *Notice {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.notices[subject]
}

// Park notes that the login with these settings was refused. Many mails may bring
// the same refusal: it is written once.
func (g *Gate) Park(ctx context.Context, account, fingerprint string, f *failure.Failure) error {
	if n := g.Parked(account, func() string { return fingerprint }); n != nil && n.stored {
		return nil
	}
	n := newNotice(Parked, account, g.now(), f)
	n.Fingerprint = fingerprint
	if err := g.put(ctx, n); err != nil {
		return err
	}
	g.spread(account)
	return nil
}

// put makes a notice known, here at once, even if Redis is away.
func (g *Gate) put(ctx context.Context, n *Notice) error {
	g.set(n.Subject, n)
	text, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("notice of %s: %w", n.Subject, err)
	}
	if err := g.write(ctx, n.Subject, func(pipe redis.Pipeliner) { pipe.HSet(ctx, NoticesKey, n.Subject, text) }); err != nil {
		return err
	}
	kept := *n
	kept.stored = true
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.notices[n.Subject] == n {
		g.notices[n.Subject] = &kept
	}
	return nil
}

// Release takes the notice of an account or server away, and lets its mails go: also
// those of a parked account that no running process has met, as after a restart.
// Releasing one that has none does nothing.
func (g *Gate) Release(ctx context.Context, subject string) error {
	g.set(subject, nil)
	g.freed(subject)
	err := g.write(ctx, subject, func(pipe redis.Pipeliner) { pipe.HDel(ctx, NoticesKey, subject) })
	if err != nil || isServer(subject) {
		return err
	}
	return g.rooms.announce(ctx, subject, g.now())
}

// write changes the hash, then tells everybody: in this order, so that whoever is
// told finds the change.
func (g *Gate) write(ctx context.Context, subject string, do func(redis.Pipeliner)) error {
	pipe := g.redis.Pipeline()
	do(pipe)
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	return g.redis.Publish(ctx, changed, noticeEvent+subject).Err()
}

func (g *Gate) set(subject string, n *Notice) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n == nil {
		delete(g.notices, subject)
		return
	}
	g.notices[subject] = n
}

// Load reads the notices.
func (g *Gate) Load(ctx context.Context) error {
	values, err := g.redis.HGetAll(ctx, NoticesKey).Result()
	if err != nil {
		return err
	}
	notices := make(map[string]*Notice, len(values))
	for subject, text := range values {
		n := &Notice{}
		if err := json.Unmarshal([]byte(text), n); err != nil {
			return fmt.Errorf("the notice of %s is damaged: %w", subject, err)
		}
		n.stored = true
		notices[subject] = n
	}
	now := g.now()
	g.mu.Lock()
	old := g.notices
	for subject, n := range notices {
		n.bound(old[subject], now)
	}
	var freed []string
	for subject := range old {
		if notices[subject] == nil {
			freed = append(freed, subject)
		}
	}
	g.notices = notices
	g.mu.Unlock()
	for _, subject := range freed {
		g.freed(subject)
	}
	return nil
}

// Notices are all that Load has found, by subject.
func (g *Gate) Notices() []*Notice {
	g.mu.RLock()
	defer g.mu.RUnlock()
	out := make([]*Notice, 0, len(g.notices))
	for _, n := range g.notices {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b *Notice) int { return strings.Compare(a.Subject, b.Subject) })
	return out
}
