package e2e

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// loud is how much a noisy neighbour queues, and how long before the others. The
// full measure takes ten minutes: E2E_FULL=1.
func loud() (mails int, before time.Duration) {
	if os.Getenv("E2E_FULL") != "" {
		return 50_000, time.Minute
	}
	return 1_000, 3 * time.Second
}

// TestNoisyNeighbour: a tenant with a long queue and a slow, dead or refusing server
// does not hold up another tenant's mail.
func TestNoisyNeighbour(t *testing.T) {
	const (
		quiet       = 500
		connections = 3
		slowness    = 100 * time.Millisecond
	)
	for name, tt := range map[string]struct {
		options smtptest.Options
		script  func(*smtptest.Server)
		check   func(t *testing.T, a *smtptest.Server, taken int, long time.Duration)
	}{
		"slow": {
			script: func(a *smtptest.Server) {
				a.On(smtptest.Dot, smtptest.Answer{}.Doing(func() { <-time.After(slowness) })) // the slowness itself
			},
			check: func(t *testing.T, _ *smtptest.Server, taken int, long time.Duration) {
				ideal := connections * float64(long) / float64(slowness)
				t.Logf("A: %d mails in %v, %.2f of what its server can take", taken, long.Round(time.Millisecond), float64(taken)/ideal)
				if float64(taken) < 0.5*ideal { // 0.9 and more on a quiet machine
					t.Errorf("A has got %d mails through, its server takes %.0f in that time", taken, ideal)
				}
			},
		},
		"black hole": {
			script: func(a *smtptest.Server) { a.On(smtptest.Banner, smtptest.Silence()) },
			check: func(t *testing.T, a *smtptest.Server, _ int, _ time.Duration) {
				t.Logf("A: %d connections were tried", a.Sessions())
			},
		},
		"refused login": {
			options: smtptest.Options{Username: "login", Password: "another"},
			check: func(t *testing.T, a *smtptest.Server, _ int, _ time.Duration) {
				if n := a.Count(smtptest.AUTH); n != 1 {
					t.Errorf("A has logged in %d times, want once", n)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := smtptest.Start(t, tt.options), smtptest.Start(t, smtptest.Options{})
			if tt.script != nil {
				tt.script(a)
			}
			s := newSite(t, a.Port(), b.Port())
			for tenant, server := range map[string]*smtptest.Server{"a": a, "b": b} {
				s.run(fmt.Sprintf("{address: info@%s.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, max_connections: %d, username: login, password: wrong, allow_plaintext_login: true, authentication: %v}}",
					tenant, server.Port(), connections, tenant == "a" && tt.options.Username != ""), "account", "set", "--tenant", tenant)
			}
			s.worker()
			alone := s.burst("b", quiet)

			mails, before := loud()
			begin := time.Now()
			s.send("a", mails)
			taken, since := a.Taken(), time.Now()
			<-time.After(before - time.Since(begin)) // the head start itself
			beside := s.burst("b", quiet)
			tt.check(t, a, a.Taken()-taken, time.Since(since))
			t.Logf("B's %d mails alone: %v; beside %d of A: %v; throughput %.2f of that alone", quiet, alone, mails, beside, alone.took.Seconds()/beside.took.Seconds())
			if beside.p99 > max(2*time.Second, 4*alone.p99) { // alone it is as slow on a machine that is busy
				t.Errorf("B's p99 is %v, and %v alone", beside.p99, alone.p99)
			}
		})
	}
}

// A burst is how long the mails of one moment took.
type burst struct{ p50, p99, took time.Duration }

func (b burst) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, all in %v", b.p50.Round(time.Millisecond), b.p99.Round(time.Millisecond), b.took.Round(time.Millisecond))
}

// burst sends mails at once and waits until they are through.
func (s *site) burst(tenant string, n int) burst {
	s.t.Helper()
	receipts := s.send(tenant, n)
	waitAccepted(s.t, 2*time.Minute, s.mail, receipts)
	var took []time.Duration
	for _, r := range receipts {
		st, err := s.mail.Status(s.t.Context(), r.ID)
		if err != nil || st.State != rohrpost.Accepted {
			s.t.Fatalf("%+v, %v", st, err)
		}
		took = append(took, st.UpdatedAt.Sub(st.EnqueuedAt))
	}
	slices.Sort(took)
	return burst{p50: took[n/2], p99: took[n*99/100], took: took[n-1]}
}
