package smtp_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestDeadConnection replaces a kept connection that turns out dead before MAIL
// is answered, once, and only then.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		answers  []smtptest.Answer // to MAIL, after the first mail
		want     string
		sessions int
	}{
		{"421", []smtptest.Answer{smtptest.Reply(421, "4.4.2 idle for too long").ThenCut()}, "250", 2},
		{"cut", []smtptest.Answer{smtptest.Cut()}, "250", 2},
		{"reset", []smtptest.Answer{smtptest.Reset()}, "250", 2},
		{"421 on the new one too", []smtptest.Answer{smtptest.Reply(421, "busy").ThenCut(), smtptest.Reply(421, "busy").ThenCut()}, "mail 421", 2},
		{"cut on the new one too", []smtptest.Answer{smtptest.Cut(), smtptest.Cut()}, "mail -", 2},
		{"4yz", []smtptest.Answer{smtptest.Reply(451, "4.3.0 later")}, "mail 451", 1},
		{"silence", []smtptest.Answer{smtptest.Silence()}, "mail -", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{}, smtp.Options{Timeouts: smtp.Timeouts{Mail: 100 * time.Millisecond}})
			if got := brief(h.send(t)); got != "250" {
				t.Fatal(got)
			}
			h.Once(smtptest.MAIL, c.answers...)
			if got := brief(h.send(t)); got != c.want {
				t.Errorf("second mail %q, want %q", got, c.want)
			}
			if h.Sessions() != c.sessions {
				t.Errorf("%d sessions, want %d", h.Sessions(), c.sessions)
			}
			if got := brief(h.send(t)); got != "250" {
				t.Errorf("third mail %q", got)
			}
		})
	}
	t.Run("closed while idle", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{}, smtp.Options{})
		for range 3 {
			if got := brief(h.send(t)); got != "250" {
				t.Fatal(got)
			}
			h.CutAll()
			if err := h.WaitOpen(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
		if h.Taken() != 3 || h.Sessions() != 3 {
			t.Errorf("taken %d in %d sessions", h.Taken(), h.Sessions())
		}
	})
	t.Run("not after MAIL", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{}, smtp.Options{})
		h.send(t)
		h.Once(smtptest.RCPT, smtptest.Cut())
		if got := brief(h.send(t)); got != "rcpt -" || h.Sessions() != 1 {
			t.Errorf("%q in %d sessions", got, h.Sessions())
		}
	})
}

func TestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{MaxConnections: 5, MaxWait: time.Minute})
		h.server.MaxConnections = 2
		release := make(chan struct{})
		arm := func(context.Context, []int) error { <-release; return nil }
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				out, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), arm)
				if err != nil || brief(out.Verdicts) != "250" {
					t.Errorf("%q, %v", brief(out.Verdicts), err)
				}
			})
		}
		synctest.Wait()
		if diff := cmp.Diff(smtp.Stats{Open: 2, InUse: 2, Waiting: 4}, h.transport.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.transport.Send(ctx, h.server, mailTo(rcpt...), arm); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited for a connection: %v", err)
		}
		close(release)
		wg.Wait()
		if diff := cmp.Diff(smtp.Stats{Open: 2, Idle: 2}, h.transport.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
		if h.Sessions() != 2 || h.Taken() != 6 {
			t.Errorf("taken %d in %d sessions", h.Taken(), h.Sessions())
		}
	})
}

func TestIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		h.send(t)
		<-time.After(29 * time.Second) // by the bubble's clock
		h.send(t)
		<-time.After(29 * time.Second)
		synctest.Wait()
		if got := h.transport.Stats(); got != (smtp.Stats{Open: 1, Idle: 1}) {
			t.Errorf("after 29 s: %+v", got)
		}
		<-time.After(time.Second)
		synctest.Wait()
		if got := h.transport.Stats(); got != (smtp.Stats{}) {
			t.Errorf("after 30 s: %+v", got)
		}
		if h.Sessions() != 1 || h.Count(smtptest.QUIT) != 1 || h.Open() != 0 {
			t.Errorf("%d sessions, %d QUIT, %d open", h.Sessions(), h.Count(smtptest.QUIT), h.Open())
		}
	})
}

// TestIdleByNow does not hand out a connection that is too old by the clock,
// even if the timer has not come yet (a machine that slept).
func TestIdleByNow(t *testing.T) {
	t.Parallel()
	now := time.Now()
	h := setup(t, smtptest.Options{}, smtp.Options{Now: func() time.Time { return now }})
	h.send(t)
	now = now.Add(31 * time.Second)
	h.send(t)
	if h.Sessions() != 2 {
		t.Errorf("%d sessions, want a second", h.Sessions())
	}
}

func TestNewVersion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
		h.server.MaxConnections = 1
		h.send(t)
		old := h.server
		h.server.Version = "2"
		h.send(t) // waits until the old connection is closed: the limit counts both
		synctest.Wait()
		if got := h.transport.Stats(); got != (smtp.Stats{Open: 1, Idle: 1}) || h.Open() != 1 || h.Sessions() != 2 {
			t.Errorf("%+v, %d open, %d sessions", got, h.Open(), h.Sessions())
		}
		// One that is in use while the version changes is not kept.
		h.server.MaxConnections = 2
		old.MaxConnections = 2
		_, err := h.transport.Send(t.Context(), old, mailTo(rcpt...), func(context.Context, []int) error {
			h.send(t)
			return nil
		})
		synctest.Wait()
		if got := h.transport.Stats(); err != nil || got != (smtp.Stats{Open: 1, Idle: 1}) {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestMaxMails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{MaxMails: 3})
		for range 7 {
			h.send(t)
		}
		synctest.Wait()
		if h.Sessions() != 3 || h.Open() != 1 || h.Count(smtptest.QUIT) != 2 {
			t.Errorf("%d sessions, %d open, %d QUIT", h.Sessions(), h.Open(), h.Count(smtptest.QUIT))
		}
	})
}

// TestMaxOpenWaits hands a place over as soon as the other account is done.
func TestMaxOpenWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{MaxOpen: 1})
		release, start := make(chan struct{}), time.Now()
		var wg sync.WaitGroup
		for _, account := range []string{"a", "b", "c"} {
			wg.Go(func() {
				s := h.server
				s.Account = account
				out, err := h.transport.Send(t.Context(), s, mailTo(rcpt...), func(context.Context, []int) error { <-release; return nil })
				if err != nil || brief(out.Verdicts) != "250" {
					t.Errorf("%s: %q, %v", account, brief(out.Verdicts), err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if got := time.Since(start); got != 0 {
			t.Errorf("took %v", got)
		}
	})
}

// TestMaxOpen takes the place of the longest idle connection of another account.
func TestMaxOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{MaxOpen: 2})
		for i := range 5 {
			h.server.Account = fmt.Sprint(i)
			h.send(t)
			<-time.After(time.Second)
		}
		if got := h.transport.Stats(); got != (smtp.Stats{Open: 2, Idle: 2}) || h.Open() != 2 {
			t.Errorf("%+v, %d open at the server", got, h.Open())
		}
		h.send(t) // the last account's is among the two
		h.server.Account = "3"
		h.send(t)
		if h.Sessions() != 5 {
			t.Errorf("%d sessions: not the longest idle one was closed", h.Sessions())
		}
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{MaxConnections: 1})
		release := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			out, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(context.Context, []int) error { <-release; return nil })
			if err != nil || brief(out.Verdicts) != "250" {
				t.Errorf("the mail in use: %q, %v", brief(out.Verdicts), err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if _, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), h.arm); !errors.Is(err, smtp.ErrClosed) {
				t.Errorf("the one that waited: %v", err)
			}
		})
		synctest.Wait()
		h.transport.Close()
		if _, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), h.arm); !errors.Is(err, smtp.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		close(release)
		wg.Wait()
		synctest.Wait()
		if h.Open() != 0 || h.Taken() != 1 {
			t.Errorf("%d open, %d taken", h.Open(), h.Taken())
		}
	})
}

// TestStress sends over few connections with every kind of trouble: nothing is
// lost, taken twice or left open.
func TestStress(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{MaxConnections: 3, MaxMails: 7, MaxOpen: 5, MaxWait: time.Minute})
	for range 20 {
		h.Once(smtptest.Banner, smtptest.Reply(421, "busy").ThenCut(), smtptest.Answer{}, smtptest.Answer{})
		h.Once(smtptest.MAIL, smtptest.Answer{}, smtptest.Answer{}, smtptest.Cut(), smtptest.Reply(451, "4.3.0 later"))
		h.Once(smtptest.RCPT, smtptest.Answer{}, smtptest.Answer{}, smtptest.Answer{}, smtptest.Reply(550, "5.1.1 no"))
		h.Once(smtptest.DATA, smtptest.Answer{}, smtptest.Answer{}, smtptest.Reply(451, "4.3.0 later"), smtptest.Reset())
		h.Once(smtptest.Dot, smtptest.Answer{}, smtptest.Reply(452, "4.3.1 full"), smtptest.Answer{})
	}
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		accepted int
	)
	for g := range 20 {
		wg.Go(func() {
			s := h.server
			s.Account = fmt.Sprint(g % 3)
			for range 20 {
				out, err := h.transport.Send(t.Context(), s, mailTo(rcpt[0]), func(context.Context, []int) error { return nil })
				if err != nil {
					t.Error(err)
					return
				}
				if n := h.Open(); n > 5+5 { // places are given back when QUIT is answered, a moment before the server sees the end
					t.Errorf("%d connections open", n)
				}
				if out.Verdicts[0].Failure == nil {
					mu.Lock()
					accepted++
					mu.Unlock()
				} else if out.Verdicts[0].Failure.Class == "uncertain" {
					t.Errorf("uncertain: %v", out.Verdicts[0].Failure)
				}
			}
		})
	}
	wg.Wait()
	h.transport.Close()
	if accepted != h.Taken() || accepted == 0 {
		t.Errorf("%d accepted, %d taken", accepted, h.Taken())
	}
	if err := h.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}
}
