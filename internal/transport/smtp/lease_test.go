package smtp_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestLeasesComeBack on every way that a connection can end.
func TestLeasesComeBack(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, []int) error { return errors.New("not now") }
	for _, c := range []struct {
		name    string
		options smtp.Options
		stage   smtptest.Stage
		answer  smtptest.Answer
		mails   func(t *testing.T, h *harness)
		held    int // before Close
		taken   int
	}{
		{name: "kept", held: 1, taken: 1},
		{name: "no banner", stage: smtptest.Banner, answer: smtptest.Reply(421, "busy").ThenCut(), taken: 1},
		{name: "cut at EHLO", stage: smtptest.EHLO, answer: smtptest.Cut(), taken: 1},
		{name: "login refused", stage: smtptest.AUTH, answer: smtptest.Reply(535, "5.7.8 no"), taken: 1},
		{name: "login put off", stage: smtptest.AUTH, answer: smtptest.Reply(454, "4.7.0 later"), taken: 1},
		{name: "cut at MAIL", stage: smtptest.MAIL, answer: smtptest.Cut(), taken: 1},
		{name: "cut at the dot", stage: smtptest.Dot, answer: smtptest.Cut(), taken: 1},
		{name: "cut after the dot", stage: smtptest.Dot, answer: smtptest.Reply(250, "ok").ThenCut(), held: 1, taken: 1},
		{name: "not armed", taken: 1, mails: func(t *testing.T, h *harness) {
			if _, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), refuse); err == nil {
				t.Error("armed")
			}
		}},
		{name: "a panic", taken: 1, mails: func(t *testing.T, h *harness) {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error { panic("arm") })
		}},
		{name: "context at an end", stage: smtptest.MAIL, answer: smtptest.Silence(), taken: 1, mails: func(t *testing.T, h *harness) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := h.transport.Send(ctx, h.server, mailTo(rcpt...), h.arm); err != nil {
				t.Error(err)
			}
		}},
		{name: "dead while idle: the lease stays", held: 1, taken: 1, mails: func(t *testing.T, h *harness) {
			h.send(t)
			h.CutAll()
			h.send(t)
		}},
		{name: "dead while idle, and the login refused", taken: 1, mails: func(t *testing.T, h *harness) {
			h.send(t)
			h.CutAll()
			h.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 no"))
			h.send(t)
		}},
		{name: "idle for too long", taken: 1, mails: func(t *testing.T, h *harness) {
			h.send(t)
			<-time.After(time.Minute)
		}},
		{name: "enough mails", options: smtp.Options{MaxMails: 2}, held: 1, taken: 3, mails: func(t *testing.T, h *harness) {
			for range 5 {
				h.send(t)
			}
		}},
		{name: "new settings", held: 1, taken: 2, mails: func(t *testing.T, h *harness) {
			h.send(t)
			h.server.Version = "2"
			h.send(t)
		}},
		{name: "evicted", options: smtp.Options{MaxOpen: 1}, held: 1, taken: 2, mails: func(t *testing.T, h *harness) {
			h.send(t)
			h.server.Account = "globex"
			h.send(t)
		}},
		{name: "closed in between", taken: 1, mails: func(t *testing.T, h *harness) {
			_, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error {
				h.transport.Close()
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}},
		{name: "for one mail", taken: 2, mails: func(t *testing.T, h *harness) {
			h.server.Once = true
			h.send(t)
			synctest.Wait()
			h.send(t)
		}},
		{name: "given up while idle", taken: 1, mails: func(t *testing.T, h *harness) {
			h.send(t)
			h.transport.Yield("globex") // which has none
			h.transport.Yield("acme")
		}},
		{name: "given up after its mail", taken: 1, mails: func(t *testing.T, h *harness) {
			_, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error {
				h.transport.Yield("acme")
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}},
		{name: "given up once", held: 1, taken: 2, mails: func(t *testing.T, h *harness) {
			_, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error {
				h.transport.Yield("acme")
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			synctest.Wait()
			h.send(t)
			h.send(t)
		}},
		{name: "asked for too long ago", held: 1, taken: 1, mails: func(t *testing.T, h *harness) {
			_, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error {
				h.transport.Yield("acme")
				<-time.After(3 * time.Second)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}},
		{name: "an examination", taken: 1, mails: func(t *testing.T, h *harness) {
			for _, step := range h.transport.Check(t.Context(), h.server, smtp.CheckOptions{Resolver: names{}}) {
				if step.Failure != nil {
					t.Error(step.Failure)
				}
			}
		}},
		{name: "an examination that fails", stage: smtptest.AUTH, answer: smtptest.Reply(535, "5.7.8 no"), taken: 1, mails: func(t *testing.T, h *harness) {
			_ = h.transport.Check(t.Context(), h.server, smtp.CheckOptions{Resolver: names{}})
		}},
		{name: "a wrong host", mails: func(t *testing.T, h *harness) {
			h.server.Host = "["
			h.send(t)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, c.options)
				guard := &leases{}
				h.server.Guard, h.server.MaxConnections = guard, 1
				if c.stage != "" {
					h.On(c.stage, c.answer)
				}
				if c.mails == nil {
					h.send(t)
				} else {
					c.mails(t, h)
				}
				synctest.Wait()
				if diff := cmp.Diff([3]int{c.held, min(c.taken, 1), c.taken}, guard.count()); diff != "" {
					t.Errorf("held now, at most, taken (-want +got):\n%s", diff)
				}
				h.transport.Close()
				if held := guard.count()[0]; held != 0 {
					t.Errorf("%d leases after Close", held)
				}
			})
		})
	}
}

// TestNoLease: an error of the guard is Send's, and nothing is left behind.
func TestNoLease(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	guard := &leases{err: errors.New("redis is away")}
	h.server.Guard = guard
	for range 10 {
		if _, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), h.arm); !errors.Is(err, guard.err) {
			t.Fatal(err)
		}
	}
	if got := h.transport.Stats(); got != (smtp.Stats{}) || h.Sessions() != 0 {
		t.Errorf("%+v, %d sessions", got, h.Sessions())
	}
}

// TestSlowRelease: no mail waits for a Redis that does not answer.
func TestSlowRelease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		h.server.Guard = &leases{release: func() { <-time.After(time.Second) }}
		start := time.Now()
		h.Once(smtptest.Banner, smtptest.Reply(421, "busy"))
		h.Once(smtptest.RCPT, smtptest.Cut())
		for _, want := range []string{"banner 421", "rcpt -", "250"} {
			if want == "rcpt -" {
				<-time.After(time.Second) // the first login is alone until its lease is back
			}
			if got := brief(h.send(t)); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("took %v", got)
		}
	})
}
