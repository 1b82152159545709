package redistest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/redisconn"
)

// patience bounds every wait for the server: to be ready, and to be gone.
const patience = 20 * time.Second

// A Server is one redis-server. Its methods end the test when they fail, so
// they belong on the test's goroutine, and must not run at the same time.
type Server struct {
	tb       testing.TB
	program  string
	dir      string
	addr     string // host:port; empty: the socket in dir
	password string
	args     []string
	sentinel bool     // its configuration is in dir, and is all that it is given
	process  *process // nil while the server is down
}

// An Option changes how a server is started.
type Option func(*Server)

// AOF keeps the data on disk, synced with each write: they survive Stop and Kill.
func AOF() Option { return Args("--appendonly", "yes", "--appendfsync", "always") }

// Password is what clients must give; URL has it.
func Password(password string) Option {
	return func(s *Server) {
		s.password = password
		s.args = append(s.args, "--requirepass", password)
	}
}

// TCP listens on a free loopback port instead of the unix socket.
func TCP() Option {
	return func(s *Server) { s.addr = porttest.Addr(s.tb).String() }
}

// Args are handed to redis-server after the package's own, which they override.
func Args(args ...string) Option {
	return func(s *Server) { s.args = append(s.args, args...) }
}

// Start runs a server until the test ends, and returns when it answers.
func Start(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	program := lookPath(tb)
	// tb.TempDir has the test's name in it: too long for a socket (108 bytes).
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{tb: tb, program: program, dir: dir}
	for _, opt := range opts {
		opt(s)
	}
	tb.Cleanup(func() {
		if s.process != nil {
			s.Kill()
		}
	})
	s.Start()
	return s
}

// Start runs the server again, at its old address and with the data that it
// has kept.
func (s *Server) Start() {
	s.tb.Helper()
	if s.process != nil {
		s.tb.Fatal("redistest: the server runs already")
	}
	p, err := start(s.program, s.commandLine(), filepath.Join(s.dir, "log"))
	if err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
	s.process = p
	if err := s.waitReady(); err != nil {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		s.tb.Fatalf("redistest: %v\n%s", err, log)
	}
}

// Stop ends the server as an operator does (SIGTERM): with AOF nothing is lost.
func (s *Server) Stop() { s.tb.Helper(); s.end(terminateSignal) }

// Kill ends the server as a power cut does (SIGKILL).
func (s *Server) Kill() { s.tb.Helper(); s.end(os.Kill) }

// Pause makes the server a black hole (SIGSTOP): the kernel still takes
// connections and bytes for it, but nothing answers until Resume.
func (s *Server) Pause() { s.tb.Helper(); s.signal(pauseSignal) }

// Resume ends Pause (SIGCONT).
func (s *Server) Resume() { s.tb.Helper(); s.signal(resumeSignal) }

// Client is a new client, closed when tb ends. It does not depend on the
// server's being up.
func (s *Server) Client(tb testing.TB) redis.UniversalClient {
	tb.Helper()
	client, err := s.open()
	if err != nil {
		tb.Fatalf("redistest: %v", err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

// URL is what redisconn.Open and the configuration take: database 0, with the
// password if there is one.
func (s *Server) URL() string {
	u := url.URL{Scheme: "unix", Path: s.socket()}
	if s.addr != "" {
		u = url.URL{Scheme: "redis", Host: s.addr, Path: "/0"}
	}
	if s.password != "" {
		u.User = url.UserPassword("", s.password)
	}
	return u.String()
}

// Addr is host:port, or empty without TCP.
func (s *Server) Addr() string { return s.addr }

func (s *Server) socket() string { return filepath.Join(s.dir, "redis.sock") }

func (s *Server) open() (redis.UniversalClient, error) {
	return redisconn.Open(redisconn.Options{URL: s.URL(), ClientName: "redistest"})
}

func (s *Server) commandLine() []string {
	if s.sentinel {
		return []string{filepath.Join(s.dir, sentinelFile), "--sentinel"}
	}
	args := []string{"--dir", s.dir, "--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"}
	if s.addr == "" {
		args = append(args, "--port", "0", "--unixsocket", s.socket(), "--unixsocketperm", "700")
	} else {
		host, port, _ := net.SplitHostPort(s.addr)
		args = append(args, "--bind", host, "--port", port)
	}
	return append(args, s.args...)
}

// waitReady asks until the server answers. One that loads its data answers
// LOADING, which is not ready.
func (s *Server) waitReady() error {
	client, err := s.open()
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return until(ctx, s.process.gone, func() error { return s.answers(ctx, client) })
}

// until asks again until there is no error, pausing 1 ms at first and 50 ms at
// most. It ends early with ctx, or when the server is gone.
func until(ctx context.Context, gone <-chan struct{}, ask func() error) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := ask()
		if err == nil {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-gone:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, err)
		}
	}
}

// answers dials first: go-redis logs each dial that fails. What answers must be this
// server: another one may have taken its port in the meantime.
func (s *Server) answers(ctx context.Context, client redis.UniversalClient) error {
	network, addr := "unix", s.socket()
	if s.addr != "" {
		network, addr = "tcp", s.addr
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	_ = conn.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return err
	}
	about, err := client.Info(ctx, "server").Result()
	if err == nil && !strings.Contains(about, fmt.Sprintf("process_id:%d\r\n", s.process.Pid)) {
		err = fmt.Errorf("another server answers at %s", addr)
	}
	return err
}

func (s *Server) signal(sig os.Signal) {
	s.tb.Helper()
	if s.process == nil {
		s.tb.Fatal("redistest: the server is down")
	}
	if err := s.process.Signal(sig); err != nil {
		s.tb.Fatalf("redistest: %v", err)
	}
}

// end signals the process and waits for it.
func (s *Server) end(sig os.Signal) {
	s.tb.Helper()
	s.signal(sig)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.process.gone:
		s.process = nil
	case <-timer.C:
		s.tb.Fatalf("redistest: the server is still there %v after %v", patience, sig)
	}
}

func lookPath(tb testing.TB) string {
	tb.Helper()
	for _, name := range []string{"redis-server", "valkey-server"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if os.Getenv("CI") != "" {
		tb.Fatal("redistest: redis-server is missing")
	}
	tb.Skip("redistest: redis-server is missing")
	return ""
}
