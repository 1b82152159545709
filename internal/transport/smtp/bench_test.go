package smtp_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

func letter() []byte {
	const line = "The quick brown fox jumps over the lazy dog, and the dog is fine with that.\r\n"
	return []byte("From: <max@acme.example>\r\nSubject: hello\r\n\r\n" + strings.Repeat(line, 4096/len(line)))
}

func BenchmarkSend(b *testing.B) {
	srv := smtptest.Start(b, smtptest.Options{Discard: true})
	sendAll(b, smtp.Server{Account: "acme", Host: "127.0.0.1", Port: srv.Port(), Encryption: smtp.None}, 10, b.N)
}

// BenchmarkSink is for comparison with smtp-source -s 10 -l 4096 on the same
// smtp-sink.
func BenchmarkSink(b *testing.B) {
	port, _ := startSink(b)
	sendAll(b, smtp.Server{Account: "acme", Host: "127.0.0.1", Port: port, Encryption: smtp.None}, 10, b.N)
}

// TestSink sends 1,000 mails to Postfix's smtp-sink, which counts them.
func TestSink(t *testing.T) {
	t.Parallel()
	port, counters := startSink(t)
	sendAll(t, smtp.Server{Account: "acme", Host: "127.0.0.1", Port: port, Encryption: smtp.None}, 10, 1000)
	if err := counters.wait(t.Context(), 1000); err != nil {
		t.Error(err)
	}
}

// sendAll sends n mails of 4 KiB over that many connections.
func sendAll(tb testing.TB, s smtp.Server, connections, n int) {
	tr, err := smtp.New(smtp.Options{MaxConnections: connections})
	if err != nil {
		tb.Fatal(err)
	}
	m := transport.Mail{ReversePath: "max@acme.example", Recipients: []string{"a@example.org"}, Body: letter()}
	arm := func(context.Context, []int) error { return nil }
	if b, ok := tb.(*testing.B); ok {
		b.SetBytes(int64(len(m.Body)))
		b.ReportAllocs()
		b.ResetTimer()
	}
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				out, err := tr.Send(tb.Context(), s, m, arm)
				if err != nil || out.Verdicts[0].Failure != nil {
					tb.Errorf("%v, %v", err, out.Verdicts)
					return
				}
			}
		})
	}
	wg.Wait()
	tr.Close()
	if got := tr.Stats(); got.Open != 0 {
		tb.Errorf("after Close: %+v", got)
	}
}

// counters is the output of smtp-sink -c: "sess=10 quit=10 mesg=1000" over and
// over.
type counters struct {
	mu      sync.Mutex
	changed chan struct{}
	text    bytes.Buffer
}

func (c *counters) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.changed)
	c.changed = make(chan struct{})
	return c.text.Write(p)
}

func (c *counters) wait(ctx context.Context, mails int) error {
	pattern := regexp.MustCompile(`mesg=` + strconv.Itoa(mails) + `\b`)
	for {
		c.mu.Lock()
		done, changed := pattern.Match(c.text.Bytes()), c.changed
		c.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// startSink starts Postfix's smtp-sink on a free port of 127.0.0.1.
func startSink(tb testing.TB) (port int, c *counters) {
	tb.Helper()
	name, err := exec.LookPath("smtp-sink")
	if err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatal("smtp-sink of Postfix is missing")
		}
		tb.Skip("smtp-sink of Postfix is missing")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	address := l.Addr().String()
	port = l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	c = &counters{changed: make(chan struct{})}
	arguments := []string{"-c", address, "1000"}
	if os.Getuid() == 0 {
		arguments = append([]string{"-u", "nobody"}, arguments...)
	}
	cmd := exec.Command(name, arguments...)
	cmd.Stdout, cmd.Stderr = c, os.Stderr
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for tick, end := time.Tick(5*time.Millisecond), time.After(10*time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return port, c
		}
		select {
		case <-tick:
		case <-end:
			tb.Fatal(err)
		}
	}
}
