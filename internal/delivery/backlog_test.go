package delivery_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/delivery"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/resolver"
)

// narrow is platform with one connection.
type narrow struct{ platform }

func (n narrow) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	s, err := n.platform.Resolve(ctx, r)
	s.Account.SMTP.MaxConnections = 1
	return s, err
}

// TestBusyAccount: mails of an account with one slow connection wait in its backlog,
// not in the workers, and go out one after another, each once. Nothing is written
// of the wait.
func TestBusyAccount(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Resolver, o.Concurrency = narrow{}, 8 })
	h.server.On(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-time.After(60 * time.Millisecond) })) // the slowness itself
	h.start()
	var ids []string
	for range 20 {
		ids = append(ids, h.send(rohrpost.Message{To: to("a@example.org")}))
	}
	waits := 0
	for accepted := 0; accepted < len(ids); {
		if h.next("accepted", "busy") == "accepted" {
			accepted++
		} else {
			waits++
		}
	}
	if n := h.server.Taken(); n != len(ids) {
		t.Errorf("%d mails at the server", n)
	}
	for _, id := range ids {
		if st := h.status(id); st.Attempts != 1 || len(st.History) != 1 {
			t.Errorf("%+v", st)
		}
	}
	if waits == 0 || waits > 2*len(ids) {
		t.Errorf("%d waits", waits)
	}
}

// TestRateOfAnAccount: what is above the limit waits for a minute, and says so.
func TestRateOfAnAccount(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Resolver = limited{limits: resolver.Limits{PerMinute: 2}} })
	h.start()
	first, second := h.send(rohrpost.Message{To: to("a@example.org")}), h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("accepted")
	h.next("accepted")
	third := h.send(rohrpost.Message{To: to("c@example.org")})
	h.next("rate")
	if h.status(first).State != rohrpost.Accepted || h.status(second).State != rohrpost.Accepted {
		t.Error("the first two")
	}
	st := h.status(third)
	if left := time.Until(*st.NextAttempt); st.State != rohrpost.Deferred || st.Attempts != 0 || left < 30*time.Second || left > 62*time.Second ||
		len(st.History) != 1 || st.History[0].Category != "rate_limited" {
		t.Errorf("%+v", st)
	}
	if list := h.entries(third); len(list) != 0 {
		t.Errorf("nothing has failed, and yet: %+v", list)
	}
}

// TestThrottled: after a reply that asks for a pause the account's mails wait, the
// one that met it included, and no attempt is counted.
func TestThrottled(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Retry.GiveUp = time.Hour })
	h.server.Once(smtptest.MAIL, smtptest.Reply(450, "4.7.0 rate limit, slow down"))
	h.start()
	first := h.send(rohrpost.Message{To: to("a@example.org")})
	h.next("deferred")
	second := h.send(rohrpost.Message{To: to("b@example.org")})
	h.next("slow")
	for _, id := range []string{first, second} {
		st := h.status(id)
		if st.State != rohrpost.Deferred || st.Attempts != 0 || st.NextAttempt == nil || time.Until(*st.NextAttempt) < time.Minute {
			t.Errorf("%+v", st)
		}
	}
	if n := h.server.Count(smtptest.MAIL); n != 1 {
		t.Errorf("%d mails reached the server", n)
	}
	if err := h.newBreaker().Reset(t.Context(), "platform"); err != nil { // an operator knows better
		t.Fatal(err)
	}
	h.next("accepted")
	h.next("accepted")
}

// fallen has a tenant's account, and the platform's to fall back to.
type fallen struct{ platform }

func (f fallen) Resolve(ctx context.Context, r resolver.Request) (resolver.Sender, error) {
	s, err := f.platform.Resolve(ctx, r)
	s.Account.Level, s.Account.Tenant, s.Account.Address = resolver.Tenant, r.Tenant, "info@acme.example"
	s.From.Address, s.ReversePath = "info@acme.example", "info@acme.example"
	return s, err
}

func (f fallen) Fallback(ctx context.Context, r resolver.Request, _ resolver.Sender) (resolver.Sender, bool, error) {
	s, err := f.platform.Resolve(ctx, r)
	s.Fallback, s.Why = true, "the tenant's account is parked"
	return s, err == nil, err
}

// TestFallback: while a tenant's account is parked its mails leave through the
// platform's, if the tenant wants it so, and the history says so. The one that has found
// out does as well.
func TestFallback(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(o *delivery.Options) { o.Resolver = fallen{} })
	h.server.Once(smtptest.MAIL, smtptest.Reply(530, "5.7.57 Client not authenticated to send mail"))
	h.start()
	first := h.send(rohrpost.Message{Tenant: "acme", To: to("a@example.org")})
	h.next("deferred")
	second := h.send(rohrpost.Message{Tenant: "acme", To: to("b@example.org")})
	for range 2 {
		h.next("accepted")
	}
	for _, id := range []string{first, second} {
		if st := h.status(id); st.Account != "platform" || st.Why != "the tenant's account is parked" {
			t.Errorf("%+v", st)
		}
	}
	for _, m := range h.server.Mails() {
		if m.ReversePath != "noreply@platform.example" || !strings.Contains(string(m.Body), "From: Platform <noreply@platform.example>") {
			t.Errorf("%s\n%s", m.ReversePath, m.Body)
		}
	}
}
