package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestManyAccounts sends one mail through each of 10,000 accounts: the
// connections that are kept open stay bounded, whoever they belong to.
func TestManyAccounts(t *testing.T) {
	const (
		accounts    = 10_000
		concurrency = 50
		maxOpen     = 256 // of the transport
	)
	server := smtptest.Start(t, smtptest.Options{Username: "login", Password: "password"})
	s := newSite(t, server.Port())
	var file strings.Builder
	file.WriteString("platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: 1, encryption: none}}\ntenants:\n")
	messages := make([]rohrpost.Message, accounts)
	for i := range messages {
		fmt.Fprintf(&file, "  t%d: {account: {address: info@t%[1]d.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, allow_plaintext_login: true, username: login, password: password}}}\n",
			i, server.Port())
		messages[i] = message()
		messages[i].Tenant = fmt.Sprint("t", i)
		messages[i].To = []rohrpost.Address{{Address: fmt.Sprintf("kunde@t%d.example", i)}}
	}
	s.write("accounts.yaml", file.String())
	begin := time.Now()
	s.run("", "account", "import", "accounts.yaml")
	imported := time.Since(begin)

	w := s.worker(fmt.Sprint("ROHRPOST_WORKER_CONCURRENCY=", concurrency))
	const rss = "process_resident_memory_bytes"
	before := w.metric(rss)
	peak := watch(t, server, w)
	begin = time.Now()
	receipts := s.sendAll(messages)
	for i, r := range receipts { // the operator's client would look among all tenants
		waitAccepted(t, 3*time.Minute, s.mail.ForTenant(messages[i].Tenant), []rohrpost.Receipt{r})
	}
	took := time.Since(begin)
	p := peak()
	t.Logf("%d accounts: imported in %v; %d mails in %v over %d connections; at most %d open at the server, %.0f busy, %.0f idle (%d samples); memory of the worker %.1f MiB before, %.1f MiB after",
		accounts, imported.Round(time.Millisecond), len(receipts), took.Round(time.Millisecond), server.Sessions(),
		p.open, p.busy, p.idle, p.samples, before/(1<<20), w.metric(rss)/(1<<20))

	// The server sees a connection end a little later than the worker, which
	// opens the next one at once.
	if p.open > maxOpen+concurrency || p.busy > maxOpen || p.idle > maxOpen {
		t.Errorf("more than %d connections", maxOpen)
	}
	if p.open < maxOpen/2 {
		t.Errorf("only %d connections: the bound was not reached, and the test has shown nothing", p.open)
	}
	checkOnce(t, receipts, server)
	for _, m := range server.Mails() {
		if want := strings.Replace(m.Recipients[0], "kunde", "info", 1); m.ReversePath != want {
			t.Fatalf("a mail from %s, not %s", m.ReversePath, want)
		}
	}
}

// peaks are the largest numbers of connections that were seen.
type peaks struct {
	open       int // at the server
	busy, idle float64
	samples    int
}

// watch looks every few milliseconds how many connections there are, until its
// answer is called.
func watch(t *testing.T, server *smtptest.Server, w *process) func() peaks {
	ctx, cancel := context.WithCancel(t.Context())
	var p peaks
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		const between = 20 // samples at the server, to one of the worker
		for ; ctx.Err() == nil; p.samples++ {
			p.open = max(p.open, server.Open())
			if p.samples%between == 0 {
				p.busy = max(p.busy, w.metric(`rohrpost_connections{state="busy"}`))
				p.idle = max(p.idle, w.metric(`rohrpost_connections{state="idle"}`))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	end := func() peaks { cancel(); group.Wait(); return p }
	t.Cleanup(func() { end() })
	return end
}
