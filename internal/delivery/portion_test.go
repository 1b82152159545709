package delivery_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
)

// limited is platform with limits.
type limited struct {
	platform
	limits resolver.Limits
}

func (l limited) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	s, err := l.platform.Resolve(ctx, r)
	s.Account.Limits = l.limits
	return s, err
}

// many is so many recipients.
func many(n int) []rohrpost.Address {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("r%d@example.org", i)
	}
	return to(list...)
}

// received is how often each recipient has got the mail, and the largest transaction.
func (h *harness) received() (times map[string]int, most int) {
	times = map[string]int{}
	for _, m := range h.server.Mails() {
		most = max(most, len(m.Recipients))
		for _, r := range m.Recipients {
			times[r]++
		}
	}
	return times, most
}

// TestPortions: a mail to more recipients than its account may have leaves in
// portions, to each recipient once, although some must be asked twice.
func TestPortions(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Resolver = limited{limits: resolver.Limits{RecipientsPerMail: 3}} })
	h.server.Once(smtptest.RCPT, smtptest.Reply(451, "4.3.0 later"))
	h.start()
	id := h.send(rohrpost.Message{To: many(8)})
	h.next("deferred")
	for range 2 {
		h.next("accepted", "deferred")
	}
	for h.status(id).State != rohrpost.Accepted {
		h.next("accepted")
	}
	times, most := h.received()
	for _, r := range many(8) {
		if times[r.Address] != 1 {
			t.Errorf("%s has the mail %d times", r.Address, times[r.Address])
		}
	}
	if most != 3 {
		t.Errorf("%d recipients at a time, want 3", most)
	}
}

// TestTooManyRecipients: a server that takes fewer than it was offered gets the
// rest at once, without a mark on anybody, and fewer from then on.
func TestTooManyRecipients(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(*smtptest.Server){
		"some are taken": func(s *smtptest.Server) {
			s.Once(smtptest.RCPT, smtptest.Answer{}, smtptest.Answer{}, smtptest.Reply(452, "4.5.3 too many recipients"),
				smtptest.Reply(452, "4.5.3 too many recipients"), smtptest.Reply(452, "4.5.3 too many recipients"))
		},
		"none is": func(s *smtptest.Server) {
			s.Once(smtptest.Dot, smtptest.Reply(552, "5.5.3 too many recipients"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t)
			script(h.server)
			h.start()
			id := h.send(rohrpost.Message{To: many(5)})
			for h.status(id).State != rohrpost.Accepted {
				h.next("accepted", "deferred")
			}
			times, most := h.received()
			for _, r := range many(5) {
				if times[r.Address] != 1 {
					t.Errorf("%s has the mail %d times", r.Address, times[r.Address])
				}
			}
			if most != 2 {
				t.Errorf("%d recipients at a time, want 2", most)
			}
		})
	}
}
