package smtptest

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
)

// Options of a server. The zero value is a server on a free port of 127.0.0.1
// without TLS and login.
type Options struct {
	// Listener is where clients come from. Nil: a free port of 127.0.0.1.
	// The server closes it.
	Listener net.Listener
	// Extensions are the EHLO lines. Nil: PIPELINING, SIZE 10485760, 8BITMIME,
	// ENHANCEDSTATUSCODES. STARTTLS and AUTH are added where they apply.
	Extensions []string
	// TLS offers STARTTLS.
	TLS *tls.Config
	// Implicit speaks TLS from the first byte instead.
	Implicit bool
	// Username, when set, makes a login necessary before MAIL. It is offered
	// with and without TLS.
	Username, Password string
	// Mechanisms are offered for the login. Nil: PLAIN and LOGIN, or XOAUTH2 with
	// Token. Also known are CRAM-MD5, SCRAM-SHA-256 and, with Token, OAUTHBEARER.
	Mechanisms []string
	// Token, when set, makes a login necessary too, and says which access tokens
	// are good for XOAUTH2 and OAUTHBEARER (RFC 7628).
	Token func(user, token string) bool
	// RefuseAtOnce refuses a token with 535 like Exchange, without the challenge
	// that Google sends before.
	RefuseAtOnce bool
	// MaxSessions, when set, is how many connections there may be at a time. Further
	// ones are answered with 421.
	MaxSessions int
	// Discard counts mails but does not keep them.
	Discard bool
}

// login tells whether MAIL needs one.
func (o *Options) login() bool { return o.Username != "" || o.Token != nil }

// A Mail is a transaction that the server took.
type Mail struct {
	Session     int      // 1 is the first connection
	ReversePath string   // without angle brackets
	Parameters  string   // of MAIL, "SIZE=17 SMTPUTF8"
	Recipients  []string // in order, without angle brackets
	Body        []byte   // without dot-stuffing and final dot
	TLS         bool
	Username    string // "": no login
}

// A Server is a scripted SMTP server.
type Server struct {
	options  Options
	listener net.Listener
	wg       sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when a session ends
	closed   bool
	open     map[*session]bool
	sessions int
	always   map[Stage]Answer
	once     map[Stage][]Answer
	visits   map[Stage]int
	mails    []Mail
	taken    int
}

// Start is Listen for a test, which fails if it cannot. The server is closed
// when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	s, err := Listen(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Listen starts a server. The error is that of the listener.
func Listen(o Options) (*Server, error) {
	if o.Listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("smtptest: %w", err)
		}
		o.Listener = l
	}
	if o.Extensions == nil {
		o.Extensions = []string{"PIPELINING", "SIZE 10485760", "8BITMIME", "ENHANCEDSTATUSCODES"}
	}
	switch {
	case o.Mechanisms != nil:
	case o.Token != nil:
		o.Mechanisms = []string{"XOAUTH2"}
	default:
		o.Mechanisms = []string{"PLAIN", "LOGIN"}
	}
	s := &Server{
		options:  o,
		listener: o.Listener,
		changed:  make(chan struct{}),
		open:     make(map[*session]bool),
		always:   make(map[Stage]Answer),
		once:     make(map[Stage][]Answer),
		visits:   make(map[Stage]int),
	}
	s.wg.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = c.Close()
			return
		}
		s.sessions++
		ss := &session{server: s, raw: c, number: s.sessions, gone: make(chan struct{}), excess: s.fullLocked()}
		s.open[ss] = true
		s.wg.Go(func() { s.serve(ss) })
		s.mu.Unlock()
	}
}

// fullLocked reports that no further connection may be open. One that was told goodbye
// counts no more: its client need not know when it is gone.
func (s *Server) fullLocked() bool {
	open := 0
	for ss := range s.open {
		if !ss.leaving && !ss.excess {
			open++
		}
	}
	return s.options.MaxSessions > 0 && open >= s.options.MaxSessions
}

func (s *Server) serve(ss *session) {
	ss.run()
	_ = ss.raw.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, ss)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Close cuts all connections and waits for all goroutines. It may be called
// twice.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close()
	s.CutAll()
	s.wg.Wait()
}

// CutAll closes every open connection. The server goes on.
func (s *Server) CutAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ss := range s.open {
		ss.hangUp()
	}
}

// Addr is "host:port".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the TCP port, 0 for a listener of another kind.
func (s *Server) Port() int {
	if a, ok := s.listener.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// Mails are the transactions taken so far. Nil with Options.Discard.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Taken is the number of transactions taken so far.
func (s *Server) Taken() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken
}

// Sessions is the number of connections so far.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Open is the number of open connections.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Count is how often a stage was visited so far.
func (s *Server) Count(stage Stage) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.visits[stage]
}

// Counts is how often each stage was visited so far.
func (s *Server) Counts() map[Stage]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.visits)
}

// WaitOpen returns when exactly n connections are open, or with the error of
// the context. It notices connections that end, not those that begin.
func (s *Server) WaitOpen(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		open, changed := len(s.open), s.changed
		s.mu.Unlock()
		if open == n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("smtptest: %d connections open, not %d: %w", open, n, ctx.Err())
		}
	}
}
