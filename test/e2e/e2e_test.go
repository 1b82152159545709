// Package e2e runs the real program against a real Redis and Postfix's smtp-sink.
package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/producer"
)

// program is the built binary, or the one that ROHRPOST_PROGRAM names.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	// Those that run side by side wait: for leases, minutes, fail-overs.
	if err := flag.Set("test.parallel", "8"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if program = os.Getenv("ROHRPOST_PROGRAM"); program != "" {
		_ = os.Unsetenv("ROHRPOST_PROGRAM") // to the program it would be an unknown setting
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "rohrpost-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "rohrpost")
	build := exec.Command("go", "build", "-o", program, "github.com/rohrpost/rohrpost/cmd/rohrpost")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// need finds a program of the system, or skips the test; in CI it must be there.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = filepath.Join("/usr/sbin", name)
		if _, err = os.Stat(path); err == nil {
			return path
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing: %v", name, err)
		}
		t.Skipf("%s is missing (make test installs it)", name)
	}
	return path
}

// A sink is Postfix's smtp-sink that writes down what it takes.
type sink struct {
	t    *testing.T
	addr *net.TCPAddr
	dump string
}

// startSink starts smtp-sink with more options, as "-W", ".:1".
func startSink(t *testing.T, options ...string) *sink {
	t.Helper()
	path := need(t, "smtp-sink")
	dir, err := os.MkdirTemp("", "sink-") // not t.TempDir: another user must reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &sink{t: t, addr: porttest.Addr(t), dump: filepath.Join(dir, "dump")}
	args := append(options, "-D", s.dump)
	if os.Geteuid() == 0 {
		args = append(args, "-u", unprivileged(t, dir))
	}
	start(t, exec.Command(path, append(args, s.addr.String(), "1000")...))
	waitFor(t, "smtp-sink", func() bool {
		c, err := net.Dial("tcp", s.addr.String())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return s
}

// unprivileged gives dir to a user under whom smtp-sink is willing to run.
func unprivileged(t *testing.T, dir string) string {
	t.Helper()
	const name = "nobody"
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, uid, -1); err != nil {
		t.Fatal(err)
	}
	return name
}

// taken counts the mails of each Message-ID that the sink has.
func (s *sink) taken() map[string]int {
	s.t.Helper()
	text, err := os.ReadFile(s.dump)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	count := map[string]int{}
	for line := range bytes.Lines(text) {
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(name, "Message-ID") {
			count[strings.TrimSpace(value)]++
		}
	}
	return count
}

// start runs a command until the test ends.
func start(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(cmd.Path), tail(output.String()))
		}
	})
	return cmd
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// waitFor asks again until it is true, for a minute at most.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	waitAtMost(t, time.Minute, what, ok)
}

func waitAtMost(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("not within %v: %s", limit, what)
		case <-tick.C:
		}
	}
}

// startWorker runs "rohrpost worker" against a Redis and a sink.
func startWorker(t *testing.T, redisURL string, s *sink, settings ...string) *exec.Cmd {
	t.Helper()
	accounts := filepath.Join(t.TempDir(), "accounts.yaml")
	text := fmt.Sprintf("platform:\n  address: noreply@platform.example\n  smtp: {host: 127.0.0.1, port: %d, encryption: none, max_connections: 20}\n", s.addr.Port)
	if err := os.WriteFile(accounts, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "worker", "--log-level", "warn", "--redis", redisURL, "--accounts", accounts)
	cmd.Env = append(os.Environ(), settings...)
	return start(t, cmd)
}

func openProducer(t *testing.T, url string) *producer.Client {
	t.Helper()
	mail, err := producer.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mail.Close() })
	return mail
}

// fourKB is the body of the usual test mail.
var fourKB = strings.Repeat("Sehr geehrte Damen und Herren, anbei erhalten Sie Ihre Rechnung.\r\n", 62)

func message() rohrpost.Message {
	return rohrpost.Message{To: []rohrpost.Address{{Address: "kunde@example.org"}}, Subject: "Ihre Rechnung", Text: fourKB}
}
