package smtp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestBusy: nobody waits for longer than MaxWait, whatever it is that is taken.
func TestBusy(t *testing.T) {
	t.Parallel()
	const wait = 250 * time.Millisecond
	for _, c := range []struct {
		name    string
		options smtp.Options
		account string // of the mail that finds no connection
		guard   *leases
		want    time.Duration
		asked   int // for leases
	}{
		{"own connections", smtp.Options{MaxConnections: 1}, "acme", &leases{proven: true}, wait, 1},
		{"MaxOpen", smtp.Options{MaxOpen: 1}, "globex", &leases{proven: true}, wait, 1},
		{"the first login", smtp.Options{}, "acme", &leases{trying: true}, 0, 1},
		{"another worker's", smtp.Options{}, "acme", &leases{held: 4, proven: true}, 0, 1},
		{"one of our own", smtp.Options{}, "acme", &leases{held: 3, proven: true}, wait, 2},
		{"a shorter wait", smtp.Options{MaxConnections: 1, MaxWait: time.Millisecond}, "acme", &leases{proven: true}, time.Millisecond, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, c.options)
				guard, done := c.guard, make(chan struct{})
				h.server.Guard = guard
				var wg sync.WaitGroup
				if c.want > 0 { // one that keeps a connection busy
					wg.Go(func() {
						out, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error { <-done; return nil })
						if err != nil || brief(out.Verdicts) != "250" {
							t.Errorf("the one that is sent: %v, %v", out, err)
						}
					})
					synctest.Wait()
				}
				s, start := h.server, time.Now()
				s.Account = c.account
				out, err := h.transport.Send(t.Context(), s, mailTo(rcpt...), h.arm)
				if !errors.Is(err, transport.ErrBusy) || out.Verdicts != nil || h.armed.Load() != 0 {
					t.Errorf("%+v, %v", out, err)
				}
				if got := time.Since(start); got != c.want || guard.asked != c.asked {
					t.Errorf("waited for %v, want %v; asked for %d leases, want %d", got, c.want, guard.asked, c.asked)
				}
				close(done)
				wg.Wait()
			})
		})
	}
}

// TestFullForAMoment: while there is no further lease the mails share what is open
// here without asking for each; then they ask again.
func TestFullForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		guard := &leases{proven: true, held: 3}
		h.server.Guard = guard
		h.On(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-time.After(10 * time.Millisecond) }))
		for round := 1; round <= 3; round++ {
			if got := parallel(t, h, 20); got["250"] != 20 {
				t.Errorf("%v", got)
			}
		}
		if guard.asked > 10 || guard.count() != [3]int{4, 4, 1} { // of 60 mails
			t.Errorf("asked %d times; %v", guard.asked, guard.count())
		}
		guard.set(func() { guard.held -= 3 })
		<-time.After(time.Second)
		if got := parallel(t, h, 20); got["250"] != 20 || guard.count() != [3]int{4, 4, 4} {
			t.Errorf("%v; %v", got, guard.count())
		}
	})
}

// TestFullNoMore: a connection that ends has its lease for the next one, at once.
func TestFullNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		h.server.Guard = &leases{proven: true, held: 2}
		two := func(mails int) map[string]int {
			t.Helper()
			release, done := make(chan struct{}), make(chan map[string]int)
			h.On(smtptest.MAIL, smtptest.Answer{}.Doing(func() { <-release }))
			go func() { done <- parallel(t, h, mails) }()
			synctest.Wait()
			if h.Open() != 2 {
				t.Errorf("%d connections, want 2", h.Open())
			}
			close(release)
			return <-done
		}
		h.Once(smtptest.RCPT, smtptest.Cut())
		if got := two(3); got["rcpt -"] != 1 || got["250"] != 2 { // the third has found that there is no more
			t.Errorf("%v", got)
		}
		if got := two(2); got["250"] != 2 {
			t.Errorf("%v", got)
		}
	})
}

// TestWarm: a thousand mails over one connection ask for one lease.
func TestWarm(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{MaxMails: 1001})
	guard := &leases{}
	h.server.Guard = guard
	for range 1000 {
		h.send(t)
	}
	if h.Sessions() != 1 || guard.asked != 1 || guard.count() != [3]int{1, 1, 1} {
		t.Errorf("%d connections, asked %d times, %v", h.Sessions(), guard.asked, guard.count())
	}
}

// TestTwoWorkers share a limit: by the server's own count there are never more.
func TestTwoWorkers(t *testing.T) {
	t.Parallel()
	a := setup(t, smtptest.Options{Username: "max", Password: "right"}, smtp.Options{MaxMails: 5, MaxConnections: 3})
	b, err := smtp.New(smtp.Options{MaxMails: 3, MaxConnections: 3, IdleTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	var (
		mu         sync.Mutex
		open, most int
		wg         sync.WaitGroup
	)
	count := func(n int) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			open += n
			most = max(most, open)
		}
	}
	a.On(smtptest.Banner, smtptest.Answer{}.Doing(count(1)))
	a.On(smtptest.QUIT, smtptest.Answer{}.Doing(count(-1)))
	guard := &leases{}
	a.server.Guard = guard
	for _, w := range []*smtp.Transport{a.transport, b} {
		for range 8 {
			wg.Go(func() {
				for sent := 0; sent < 25; {
					out, err := w.Send(t.Context(), a.server, mailTo(rcpt...), a.arm)
					switch {
					case err == nil && brief(out.Verdicts) == "250":
						sent++
					case !errors.Is(err, transport.ErrBusy):
						t.Errorf("%v, %v", out, err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	a.transport.Close()
	b.Close()
	if most != 3 || open != 0 || a.Taken() != 2*8*25 || a.Count(smtptest.AUTH) != guard.taken {
		t.Errorf("%d connections at a time, want 3; %d left; %d mails, %d logins with %d leases", most, open, a.Taken(), a.Count(smtptest.AUTH), guard.taken)
	}
	if got := guard.count(); got[0] != 0 || got[1] != 3 {
		t.Errorf("leases %v", got)
	}
}
