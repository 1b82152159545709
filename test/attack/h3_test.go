package attack

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/producer"
)

// TestH3CostlyLogin: a server offers SCRAM alone and wants two thousand million
// iterations. Test mail, doctor and worker break that off, and tell why.
func TestH3CostlyLogin(t *testing.T) {
	t.Parallel()
	const most = 5 * time.Second
	port := costlyServer(t)
	s := newSite(t, "worker: {concurrency: 10}\nlog: {level: debug}\n")
	s.write("accounts.yaml", fmt.Sprintf(`platform: {address: noreply@platform.example, smtp: {host: 127.0.0.1, port: 1, encryption: none}}
tenants:
  mallory:
    account:
      address: info@mallory.example
      smtp: {host: 127.0.0.1, port: %d, encryption: none, username: info, password: hunter2-canary, allow_plaintext_login: true}
`, port))
	for _, args := range [][]string{
		{"account", "doctor", "--tenant", "mallory"},
		{"account", "test", "--tenant", "mallory", "--to", "info@mallory.example"},
	} {
		start := time.Now()
		cmd := s.command(args...)
		timer := time.AfterFunc(4*most, func() { _ = cmd.Process.Kill() })
		out, err := cmd.CombinedOutput()
		timer.Stop()
		took, cpu := time.Since(start), time.Duration(0)
		if cmd.ProcessState != nil {
			cpu = cmd.ProcessState.UserTime()
		}
		t.Logf("%s: %v, %v of a core", strings.Join(args[:2], " "), took, cpu)
		if err == nil || took > most || cpu > most || !strings.Contains(string(out), "100,000") {
			t.Errorf("%v: %v after %v, %v of a core\n%s", args, err, took, cpu, out)
		}
	}
	worker := s.start("worker")
	p, err := producer.Open(s.redis.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	start, before := time.Now(), cpuOf(t, worker.addr)
	for n := range 5 {
		if _, err := p.Send(t.Context(), rohrpost.Message{
			ID: fmt.Sprintf("mallory-%d", n), Tenant: "mallory", Subject: "x", Text: "x", To: []rohrpost.Address{{Address: "x@mallory.example"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, "the login is refused", func() bool {
		st, err := p.Status(t.Context(), "mallory-0")
		return err == nil && len(st.History) > 0
	})
	st, err := p.Status(t.Context(), "mallory-0")
	if err != nil || st.History[0].Category != "config_invalid" {
		t.Errorf("%v, %+v", err, st.History)
	}
	took, cpu := time.Since(start), cpuOf(t, worker.addr)-before
	t.Logf("worker: %v, %v of a core", took, cpu)
	if took > most || cpu > most {
		t.Errorf("the worker took %v and %v of a core", took, cpu)
	}
}

// cpuOf is the processor time of a process so far, as its metrics tell.
func cpuOf(t *testing.T, addr string) time.Duration {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "process_cpu_seconds_total "); ok {
			seconds, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(seconds * float64(time.Second))
		}
	}
	t.Fatal("no processor time among the metrics")
	return 0
}

// costlyServer has answered everybody who wants to log in.
func costlyServer(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	serve := func(c net.Conn) {
		defer func() { _ = c.Close() }()
		in := bufio.NewScanner(c)
		say := func(format string, a ...any) { _, _ = fmt.Fprintf(c, format+"\r\n", a...) }
		say("220 costly")
		for in.Scan() {
			switch verb, _, _ := strings.Cut(in.Text(), " "); verb {
			case "EHLO":
				say("250-costly\r\n250 AUTH SCRAM-SHA-256")
			case "AUTH":
				say("334 ")
			default:
				first, _ := base64.StdEncoding.DecodeString(in.Text())
				_, nonce, _ := strings.Cut(string(first), ",r=")
				say("334 %s", base64.StdEncoding.EncodeToString([]byte("r="+nonce+"x,s=c2FsdA==,i=2000000000")))
			}
		}
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
