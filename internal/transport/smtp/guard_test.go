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
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// leases is a Guard like that of package route: one lease alone until somebody has logged in,
// none after a refusal.
type leases struct {
	mu             sync.Mutex
	held, most     int // now, and at a time
	taken, asked   int
	trying, proven bool
	refused        *failure.Failure
	err            error
	release        func() // called by Release
}

func (l *leases) Take(_ context.Context, limit int) (smtp.Lease, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	switch {
	case l.err != nil:
		return nil, l.err
	case l.refused != nil:
		return nil, l.refused
	case l.held >= limit, l.trying:
		return nil, transport.ErrBusy
	}
	l.trying = !l.proven
	l.held++
	l.taken++
	l.most = max(l.most, l.held)
	return &lease{leases: l, first: !l.proven}, nil
}

// set changes what the guard knows.
func (l *leases) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// count is how many are held, were held at most, and were taken.
func (l *leases) count() [3]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return [3]int{l.held, l.most, l.taken}
}

type lease struct {
	*leases
	first, released bool
}

func (l *lease) Opened(_ context.Context, f *failure.Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case f == nil:
		l.proven = true
		l.trying = l.trying && !l.first
	case f.Class == failure.Config && f.Code/100 == 5:
		l.refused, l.proven = f, false
	}
}

func (l *lease) Release() {
	if l.release != nil {
		l.release()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		panic("released twice")
	}
	l.released = true
	l.trying = l.trying && !l.first
	l.held--
}

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
			v := "busy"
			out, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), h.arm)
			if err == nil {
				v = brief(out.Verdicts)
			} else if !errors.Is(err, transport.ErrBusy) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			count[v]++
		})
	}
	wg.Wait()
	return count
}

// TestOneRefusedLogin: a wrong password that several mails are about to use at the
// same time is tried once; after a release once more. The right one is used by all
// as soon as the first is in.
func TestOneRefusedLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, smtp.Options{MaxConnections: 8})
		guard := &leases{}
		h.server.Password, h.server.Guard = secret.New("wrong"), guard
		// send lets the first login go on when everybody else waits for it.
		send := func(n int, want string) (wait func()) {
			t.Helper()
			login := make(chan struct{})
			h.On(smtptest.AUTH, smtptest.Answer{}.Doing(func() { <-login }))
			var wg sync.WaitGroup
			wg.Go(func() {
				if got := parallel(t, h, n); got[want] != n {
					t.Errorf("%v, want %d %q", got, n, want)
				}
			})
			synctest.Wait()
			close(login)
			return wg.Wait
		}
		for logins := 1; logins <= 2; logins++ {
			for range 2 {
				send(20, "auth 535")()
				if h.Sessions() != logins || h.Count(smtptest.AUTH) != logins {
					t.Errorf("%d connections, %d logins, want %d", h.Sessions(), h.Count(smtptest.AUTH), logins)
				}
			}
			guard.set(func() { guard.refused = nil })
		}
		h.server.Version, h.server.Password = "2", secret.New("right")
		release := make(chan struct{})
		h.On(smtptest.DATA, smtptest.Answer{}.Doing(func() { <-release }))
		wait := send(8, "250")
		synctest.Wait()
		if got := h.Open(); got != 8 {
			t.Errorf("%d connections at a time, want 8", got)
		}
		close(release)
		wait()
	})
}

// TestProvenPassword is used by many connections at once, and is proven no more
// when it is refused.
func TestProvenPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Username: "max", Password: "right"}, smtp.Options{MaxConnections: 8})
		guard := &leases{proven: true}
		h.server.Guard = guard
		logins := func(verdict string, want int) {
			t.Helper()
			before, release := h.Count(smtptest.AUTH), make(chan struct{})
			answer := smtptest.Answer{}
			if verdict != "250" {
				answer = smtptest.Reply(535, "5.7.8 the password was changed")
			}
			h.On(smtptest.AUTH, answer.Doing(func() { <-release }))
			var wg sync.WaitGroup
			wg.Go(func() {
				if got := parallel(t, h, 8); got[verdict] != 8 {
					t.Errorf("%v, want 8 %q", got, verdict)
				}
			})
			synctest.Wait()
			close(release)
			wg.Wait()
			h.CutAll()
			synctest.Wait()
			if got := h.Count(smtptest.AUTH) - before; got != want {
				t.Errorf("%d logins at a time, want %d", got, want)
			}
		}
		logins("250", 8)
		logins("auth 535", 8)
		guard.set(func() { guard.refused = nil }) // released
		logins("auth 535", 1)
	})
}

// TestDeferredLogin: a login that the server puts off says nothing of the password:
// the next one tries it.
func TestDeferredLogin(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{Username: "max", Password: "right"}, smtp.Options{MaxConnections: 4, MaxWait: 10 * time.Second})
	h.server.Guard = &leases{}
	h.Once(smtptest.AUTH, smtptest.Reply(454, "4.7.0 later"), smtptest.Cut())
	got := parallel(t, h, 6)
	if got["250"] != 4 || got["auth 454"] != 1 || got["auth -"] != 1 {
		t.Errorf("%v", got)
	}
}
