package smtp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// parallel sends n mails at once and counts the verdicts.
func parallel(t *testing.T, h *harness, n int) map[string]int {
	t.Helper()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		count = map[string]int{}
	)
	for range n {
		wg.Go(func() {
			v := brief(h.send(t))
			mu.Lock()
			defer mu.Unlock()
			count[v]++
		})
	}
	wg.Wait()
	return count
}

// memory is a LoginGuard like the gate's.
type memory struct {
	mu      sync.Mutex
	refused *failure.Failure
}

func (m *memory) Refused() *failure.Failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused
}

func (m *memory) Refuse(_ context.Context, f *failure.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused = f
}

// TestOneRefusedLogin: a wrong password that several mails are about to use at the
// same time is tried once; after a release once more.
func TestOneRefusedLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, smtp.Options{MaxConnections: 8})
		guard := &memory{}
		h.server.Password, h.server.Guard = secret.New("wrong"), guard
		for logins := 1; logins <= 2; logins++ {
			for range 2 {
				if got := parallel(t, h, 20); got["auth 535"] != 20 || h.Count(smtptest.AUTH) != logins {
					t.Errorf("%v, %d logins, want %d", got, h.Count(smtptest.AUTH), logins)
				}
			}
			guard.Refuse(t.Context(), nil) // released
		}
		h.server.Version, h.server.Password = "2", secret.New("right")
		if got := parallel(t, h, 20); got["250"] != 20 {
			t.Errorf("new settings: %v", got)
		}
		h.server.Guard = nil
		h.server.Version, h.server.Password = "3", secret.New("wrong")
		if got := parallel(t, h, 3); got["auth 535"] != 3 {
			t.Errorf("without a guard: %v", got)
		}
	})
}

// TestProvenPassword is used by many connections at once, and is proven no more
// when it is refused.
func TestProvenPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, smtp.Options{MaxConnections: 8})
		release := make(chan struct{})
		h.On(smtptest.DATA, smtptest.Answer{}.Doing(func() { <-release }))
		done := make(chan map[string]int)
		go func() { done <- parallel(t, h, 8) }()
		synctest.Wait()
		if got := h.Open(); got != 8 {
			t.Errorf("%d connections at a time, want 8", got)
		}
		close(release)
		if got := <-done; got["250"] != 8 {
			t.Errorf("%v", got)
		}
		h.CutAll()
		before, release := h.Count(smtptest.AUTH), make(chan struct{})
		h.On(smtptest.AUTH, smtptest.Answer{}.Doing(func() { <-release }))
		go func() { done <- parallel(t, h, 8) }()
		synctest.Wait()
		if n := h.Count(smtptest.AUTH) - before; n != 8 {
			t.Errorf("%d logins at a time, want 8", n)
		}
		close(release)
		if got := <-done; got["250"] != 8 {
			t.Errorf("%v", got)
		}
		h.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 the password was changed"))
		h.CutAll()
		if got := parallel(t, h, 8); got["auth 535"] != 8 {
			t.Errorf("%v", got)
		}
		h.server.Guard = &memory{}
		before, release = h.Count(smtptest.AUTH), make(chan struct{})
		h.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 still").Doing(func() { <-release }))
		go func() { done <- parallel(t, h, 8) }()
		synctest.Wait()
		close(release)
		if got := <-done; got["auth 535"] != 8 || h.Count(smtptest.AUTH) != before+1 {
			t.Errorf("proven no more: %v, %d logins", got, h.Count(smtptest.AUTH)-before)
		}
	})
}

// TestDeferredLogin: a login that the server puts off says nothing of the password:
// the next one tries it.
func TestDeferredLogin(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{Username: "max", Password: "right"}, smtp.Options{MaxConnections: 4})
	h.Once(smtptest.AUTH, smtptest.Reply(454, "4.7.0 later"), smtptest.Cut())
	got := parallel(t, h, 6)
	if got["250"] != 4 || got["auth 454"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestWaitForLogin ends with the context of the mail.
func TestWaitForLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, smtp.Options{MaxConnections: 4})
		h.Once(smtptest.AUTH, smtptest.Silence())
		var wg sync.WaitGroup
		wg.Go(func() { h.send(t) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		out, err := h.transport.Send(ctx, h.server, mailTo(rcpt...), h.arm)
		if err != nil || out.Verdicts[0].Failure == nil || !errors.Is(out.Verdicts[0].Failure, context.DeadlineExceeded) {
			t.Errorf("%v, %v", out.Verdicts, err)
		}
		wg.Wait()
	})
}
