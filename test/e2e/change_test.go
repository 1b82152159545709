package e2e

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestChangeIsUsedByAll changes an account by the command line while two workers
// send through it: within a second both of them use what is new, and neither uses
// what was before. There are more connections than two workers of ten mails at a time
// can have, old and new: else one may leave them all to the other.
func TestChangeIsUsedByAll(t *testing.T) {
	const rounds, limit = 5, time.Second
	listener := listen(t)
	server := smtptest.Start(t, smtptest.Options{Listener: listener})
	s := newSite(t, server.Port())
	set := func(address string) {
		s.run(fmt.Sprintf("{address: %s, smtp: {host: 127.0.0.1, port: %d, encryption: none, max_connections: 40}}", address, server.Port()), "account", "set", "--tenant", "acme")
	}
	workers := []string{"first.example", "second.example"}
	set("round0@acme.example")
	for _, name := range workers {
		s.worker("ROHRPOST_WORKER_HELO="+name, "ROHRPOST_WORKER_CONCURRENCY=10")
	}
	flow := s.flow(2*time.Millisecond, "acme")
	for round := 1; round <= rounds; round++ {
		address := fmt.Sprintf("round%d@acme.example", round)
		s.more([]*smtptest.Server{server}, 100)
		set(address)
		fresh, old := observe(server, listener, address, limit+limit/5)
		for _, worker := range workers {
			if at, ok := fresh[worker]; !ok || at > limit || old[worker] > limit {
				t.Errorf("round %d: %s does not use the change within %v", round, worker, limit)
			}
		}
		t.Logf("round %d: first mail with the new From after %v, last with the old one after %v", round, fresh, old)
	}
	receipts := flow.end()
	waitAccepted(t, time.Minute, s.mail, receipts)
	checkOnce(t, receipts, server)
}

// observe looks at the mails that come from now on, for some time: when each
// worker's first one has this reverse-path, and when its last one has another.
func observe(server *smtptest.Server, listener *namingListener, address string, long time.Duration) (first, other map[string]time.Duration) {
	first, other = map[string]time.Duration{}, map[string]time.Duration{}
	begin, seen := time.Now(), server.Taken()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for time.Since(begin) < long {
		<-tick.C
		mails, since := server.Mails(), time.Since(begin).Round(time.Millisecond)
		for _, m := range mails[seen:] {
			worker := listener.name(m.Session)
			if m.ReversePath != address {
				other[worker] = since
			} else if _, ok := first[worker]; !ok {
				first[worker] = since
			}
		}
		seen = len(mails)
	}
	return first, other
}

// A namingListener reads along what clients call themselves in EHLO.
type namingListener struct {
	net.Listener

	mu    sync.Mutex
	names []string // by connection, in their order
}

func listen(t *testing.T) *namingListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &namingListener{Listener: l}
}

// name is that of a session; 1 is the first.
func (l *namingListener) name(session int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.names[session-1]
}

// Accept is net.Listener's.
func (l *namingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names = append(l.names, "")
	return &namedConn{Conn: c, listener: l, index: len(l.names) - 1}, nil
}

type namedConn struct {
	net.Conn
	listener *namingListener
	index    int
}

// Read is net.Conn's.
func (c *namedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if name, ok := bytes.CutPrefix(p[:n], []byte("EHLO ")); ok {
		name, _, _ = bytes.Cut(name, []byte("\r\n"))
		c.listener.mu.Lock()
		defer c.listener.mu.Unlock()
		c.listener.names[c.index] = string(name)
	}
	return n, err
}
