package attack

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// silent listens at every address of this machine, takes connections and says nothing.
// taken is how many connections it has.
func silent(t *testing.T) (port int, taken func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var conns []net.Conn
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			_ = c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, func() int { mu.Lock(); defer mu.Unlock(); return len(conns) }
}

// H4: one tenant has many accounts at servers that never answer, at one or at a server
// each, or one account that may have a thousand connections. Another tenant's critical
// mail leaves in under two seconds throughout.
func TestH4AllWorkers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		accounts    int
		host        func(n int) string
		connections int
	}{
		"14 accounts at a silent server":  {14, func(int) string { return "127.0.0.1" }, 4},
		"300 accounts at as many servers": {300, func(n int) string { return fmt.Sprintf("127.0.%d.%d", 1+n/200, 1+n%200) }, 4},
		"an account of 1,000 connections": {1, func(int) string { return "127.0.0.1" }, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const most, mails = 2 * time.Second, 100
			port, taken := silent(t)
			good := smtptest.Start(t, smtptest.Options{})
			s := newSite(t, "worker: {concurrency: 20, shutdown_timeout: 10s}\n")
			var accounts strings.Builder
			fmt.Fprintf(&accounts, "tenants:\n  globex: {account: {address: info@globex.example, smtp: {host: 127.0.0.1, port: %d, encryption: none}}}\n  mallory:\n    users:\n", good.Port())
			for n := range tt.accounts {
				fmt.Fprintf(&accounts, "      u%d: {account: {address: u%d@mallory.example, smtp: {host: %s, port: %d, encryption: none, max_connections: %d}}}\n",
					n, n, tt.host(n), port, tt.connections)
			}
			s.write("accounts.yaml", accounts.String())
			p, err := producer.Open(s.redis.URL())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Close() })
			var evil []rohrpost.Message
			for n := range 600 {
				evil = append(evil, rohrpost.Message{
					Tenant: "mallory", User: rohrpost.User{ID: fmt.Sprint("u", n%tt.accounts)}, Origin: rohrpost.Manual, Priority: rohrpost.Critical,
					To: []rohrpost.Address{{Address: "x@example.org"}}, Subject: "x", Text: "x",
				})
			}
			if _, err := p.SendBatch(t.Context(), evil); err != nil {
				t.Fatal(err)
			}
			worker := s.start("worker")
			waitFor(t, "the servers are silent", func() bool { return taken() > 0 })
			var took []time.Duration
			for n := range mails {
				start := time.Now()
				if _, err := p.Send(t.Context(), rohrpost.Message{
					Tenant: "globex", Priority: rohrpost.Critical, To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "x", Text: "x",
				}); err != nil {
					t.Fatal(err)
				}
				tick := time.NewTicker(time.Millisecond)
				for good.Taken() <= n {
					if time.Since(start) > 15*time.Second {
						t.Fatalf("mail %d has not left; the silent servers have %d connections\n%s", n, taken(), worker.said)
					}
					<-tick.C
				}
				tick.Stop()
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			p50, p99, longest := took[mails/2-1], took[mails*99/100-1], took[mails-1]
			t.Logf("%d critical mails beside %d silent connections: p50 %v, p99 %v, longest %v",
				mails, taken(), p50.Round(time.Millisecond), p99.Round(time.Millisecond), longest.Round(time.Millisecond))
			if p99 > most {
				t.Errorf("p99 is %v, want at most %v", p99, most)
			}
		})
	}
}
