package delivery_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
)

// moving is an account that has another domain at each attempt.
type moving struct {
	platform
	domains []string
	next    atomic.Int64
}

func (m *moving) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	s, err := m.platform.Resolve(ctx, r)
	at := min(int(m.next.Add(1)), len(m.domains)) - 1
	s.From.Address = "noreply@" + m.domains[at]
	return s, err
}

// The first sender's domain stays, whoever sends later.
func TestMessageIDIsDecidedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) {
		o.Resolver = &moving{domains: []string{"first.example", "second.example"}}
	})
	h.server.Once(smtptest.Dot, smtptest.Reply(451, "4.3.0 later"))
	id := h.send(rohrpost.Message{To: to("kunde@example.org")})
	if st := h.status(id); st.MessageID != "" {
		t.Errorf("before it leaves: %q", st.MessageID)
	}
	h.start()
	h.next("accepted")
	want := "<" + id + "@first.example>"
	if got := h.server.Mails()[0]; !strings.Contains(string(got.Body), "\r\nMessage-ID: "+want+"\r\n") && !strings.Contains(string(got.Body), "\r\nMessage-Id: "+want+"\r\n") {
		t.Errorf("it left as\n%s", got.Body)
	}
	if st := h.status(id); st.MessageID != want || st.Attempts != 2 {
		t.Errorf("%q after %d attempts", st.MessageID, st.Attempts)
	}
	if entries := h.entries(id); len(entries) != 1 || entries[0].MessageID != want {
		t.Errorf("in the error log: %+v", entries)
	}
}

func TestMessageIDDomain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ sender, option, want string }{
		"international":   {"bücher.example", "", "xn--bcher-kva.example"},
		"configured":      {"first.example", "mail.acme.example", "mail.acme.example"},
		"an address":      {"[192.0.2.1]", "", "rohrpost.invalid"},
		"no name for all": {"localhost", "", "rohrpost.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, func(o *delivery.Options) {
				o.Resolver, o.Outgoing.MessageIDDomain = &moving{domains: []string{tt.sender}}, tt.option
			})
			id := h.send(rohrpost.Message{To: to("kunde@example.org")})
			h.start()
			h.next("accepted")
			if data := string(h.server.Mails()[0].Body); !strings.Contains(data, "<"+id+"@"+tt.want+">") {
				t.Errorf("no @%s in\n%s", tt.want, data)
			}
		})
	}
}
