package e2e

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestPauseAfterKill: of two workers one has all four connections of an account with
// 1,500 mails, and is killed with SIGKILL. The other sends soon: it need not wait until
// the leases of the connections end by themselves, after half a minute. With E2E_FULL=1
// there are five rounds instead of one.
func TestPauseAfterKill(t *testing.T) {
	const most = 12 * time.Second // on a quiet machine less than five
	rounds := 1
	if os.Getenv("E2E_FULL") != "" {
		rounds = 5
	}
	var pauses []time.Duration
	for tries := 0; len(pauses) < rounds; tries++ {
		pause, ok := pauseOnce(t)
		switch {
		case ok:
			pauses = append(pauses, pause)
			t.Logf("round %d: the next worker sends %v after the kill", len(pauses), pause.Round(time.Millisecond))
		case tries == 3*rounds:
			t.Fatal("the second worker always had a connection: nothing can be measured")
		}
	}
	slices.Sort(pauses)
	t.Logf("pause until the next worker sends, %d rounds: median %d ms, longest %d ms", rounds, pauses[rounds/2].Milliseconds(), pauses[rounds-1].Milliseconds())
	if pauses[rounds-1] > most {
		t.Errorf("the longest pause was %v, want less than %v", pauses[rounds-1], most)
	}
}

// pauseOnce kills the worker that has all connections, and waits for the first mail of the
// other. It is not ok if that one had a connection already: a busy machine can keep the
// first from renewing a lease in time.
func pauseOnce(t *testing.T) (pause time.Duration, ok bool) {
	t.Helper()
	const (
		mails, connections = 1500, 4
		slowness           = 40 * time.Millisecond
		settled            = 500 // mails, which take five seconds
	)
	server := smtptest.Start(t, smtptest.Options{})
	server.On(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-time.After(slowness) })) // the slowness itself
	s := newSite(t, server.Port())
	s.run(fmt.Sprintf("{address: info@acme.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, max_connections: %d}}", server.Port(), connections),
		"account", "set", "--tenant", "acme")
	first := s.worker()
	s.send("acme", mails)
	waitFor(t, "the first worker has all connections", func() bool { return server.Open() == connections })
	second := s.worker()
	defer second.end(syscall.SIGKILL)
	known := server.Taken()
	waitFor(t, "both run for some seconds", func() bool { return server.Taken() > known+settled })
	if second.metric("rohrpost_connections{") != 0 {
		first.end(syscall.SIGKILL)
		return 0, false
	}
	begin, sessions := time.Now(), server.Sessions()
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	return nextMail(t, server, sessions).Sub(begin), true
}

// nextMail waits for a mail of a session after these.
func nextMail(t *testing.T, server *smtptest.Server, sessions int) time.Time {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for begin, seen := time.Now(), server.Taken(); ; <-tick.C {
		now := time.Now()
		if server.Taken() > seen {
			mails := server.Mails()
			if slices.ContainsFunc(mails[seen:], func(m smtptest.Mail) bool { return m.Session > sessions }) {
				return now
			}
			seen = len(mails)
		}
		if now.Sub(begin) > time.Minute {
			t.Fatal("no other worker has sent anything for a minute")
		}
	}
}
