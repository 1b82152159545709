package delivery_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/branding"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/compose"
	"github.com/rohrpost/rohrpost/resolver"
)

// looking is platform with a look around its mails.
type looking struct{ platform }

func (l looking) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	s, err := l.platform.Resolve(ctx, r)
	s.Branding = &resolver.Branding{Enabled: true, Company: "Acme GmbH"}
	return s, err
}

// meeting is a Transport that keeps mails until as many are there as are wanted, and
// then for as long as an upload takes. It notes how many it had at most.
type meeting struct {
	route
	wanted int
	full   chan struct{}

	once       sync.Once
	mu         sync.Mutex
	here, most int
}

func (m *meeting) Send(ctx context.Context, a *resolver.Account, mail transport.Mail, arm transport.Arm) (transport.Outcome, error) {
	m.mu.Lock()
	m.here++
	if m.most = max(m.most, m.here); m.most == m.wanted {
		m.once.Do(func() { close(m.full) })
	}
	m.mu.Unlock()
	select {
	case <-m.full:
	case <-ctx.Done():
	}
	<-time.After(50 * time.Millisecond) // the upload itself
	m.mu.Lock()
	m.here--
	m.mu.Unlock()
	return m.route.Send(ctx, a, mail, arm)
}

// TestLargeMailsTakeTurns: bodies, trees and files of the mails in hand stay within
// MaxBytes, and a mail that alone is larger goes alone.
func TestLargeMailsTakeTurns(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<p>Guten Tag, wie geht es Ihnen heute?\n", 4<<10)
	load := compose.Load{Text: int64(len("Guten Tag")), HTML: int64(len(page)), Look: &branding.Look{Enabled: true}}
	for name, c := range map[string]struct {
		bytes int64
		most  int
	}{
		"two at a time": {2*load.Memory() + 1, 2},
		"alone":         {load.Memory() / 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &meeting{wanted: c.most, full: make(chan struct{})}
			h := newHarness(t, func(o *delivery.Options) {
				o.Resolver, o.MaxBytes = looking{}, c.bytes
				m.route = o.Transport.(route)
				o.Transport = m
			})
			h.start()
			for range 6 {
				h.send(rohrpost.Message{To: to("a@example.org"), HTML: page})
			}
			for range 6 {
				h.next("accepted")
			}
			if m.most != c.most {
				t.Errorf("%d mails at a time, not %d", m.most, c.most)
			}
		})
	}
}

// TestTooLateToCompose: an attempt whose time is over before the mail is written is
// deferred with that reason, and nothing of it is sent.
func TestTooLateToCompose(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.AttemptTimeout, o.Resolver = 300*time.Millisecond, slow{} })
	h.start()
	id := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("deferred")
	list := h.entries(id)
	if len(list) == 0 || list[0].Rule != 122 || list[0].Category != "timeout" || list[0].Final || list[0].NextAttempt.IsZero() {
		t.Errorf("entries %+v", list)
	}
	if n := len(h.server.Mails()); n > 0 {
		t.Errorf("%d mails were sent", n)
	}
}

// slow is a resolver that takes all the time of an attempt.
type slow struct{ platform }

func (s slow) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	<-ctx.Done()
	return s.platform.Resolve(ctx, r)
}
