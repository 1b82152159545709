package attack

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost/internal/porttest"
)

// guarded are paths that nobody may read who is not let in.
var guarded = []string{"/", "/problems", "/problems/export", "/queues/", "/queues/api/queues", "/metrics"}

// disguises are what a stranger can write into a request, by header or without any.
var disguises = map[string][]string{
	"as it is":        nil,
	"this machine":    {"Host", "127.0.0.1:8080"},
	"by name":         {"Host", "localhost"},
	"its proxy":       {"X-Forwarded-For", "127.0.0.1", "X-Real-Ip", "127.0.0.1"},
	"a proxy of TLS":  {"X-Forwarded-Proto", "https"},
	"a big proxy":     {"CF-Connecting-IP", "127.0.0.1", "True-Client-IP", "::1"},
	"no cookie":       {"Cookie", "rohrpost-session=; rohrpost-session-8080=x"},
	"an empty bearer": {"Authorization", "Bearer "},
	"an empty name":   {"Authorization", "Basic Og=="},
}

// TestX2LoopbackIsNobody: without users a stranger is not the operator, however the
// request came; who has the printed link is.
func TestX2LoopbackIsNobody(t *testing.T) {
	t.Parallel()
	s := newSite(t, "accounts: {file: accounts.yaml}\n")
	s.write("accounts.yaml", "platform: {address: a@platform.example, smtp: {host: 127.0.0.1, port: 1, encryption: none}}\n")
	p := s.start("web")
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			v := visitor{t, proxy(t, p.addr)}
			for disguise, header := range disguises {
				for _, path := range guarded {
					if got := v.ask(http.MethodGet, path, header...); got.status != http.StatusUnauthorized {
						t.Errorf("%s: %s: %d", disguise, path, got.status)
					}
				}
				if got := v.ask(http.MethodPost, "/queues/api/queues/default:pause", header...); got.status != http.StatusUnauthorized {
					t.Errorf("%s: a queue is paused: %d", disguise, got.status)
				}
			}
			opened := v.ask(http.MethodGet, "/?token="+p.token())
			cookie := opened.header.Get("Set-Cookie")
			if opened.status != http.StatusSeeOther || strings.Contains(opened.header.Get("Location")+cookie, p.token()) ||
				!strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") || !strings.Contains(cookie, "Path=/;") {
				t.Fatalf("%d %v", opened.status, opened.header)
			}
			for _, path := range guarded {
				if got := v.ask(http.MethodGet, path, "Cookie", sessionOf(opened)); got.status != http.StatusOK {
					t.Errorf("with the cookie: %s: %d", path, got.status)
				}
				if got := v.ask(http.MethodGet, path, "Authorization", "Bearer "+p.token()); got.status != http.StatusOK {
					t.Errorf("with the token: %s: %d", path, got.status)
				}
			}
		})
	}
	if got := strings.Count(p.said.String(), p.token()); got != 1 {
		t.Errorf("the token stands %d times in what the process says", got)
	}
}

// TestX2SignInThroughProxies: with users name and password work behind both, and
// nothing else does.
func TestX2SignInThroughProxies(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.users("olga")
	p := s.start("web")
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			v := visitor{t, proxy(t, p.addr)}
			for disguise, header := range disguises {
				for _, path := range guarded {
					got := v.ask(http.MethodGet, path, header...)
					if got.status != http.StatusUnauthorized && got.status != http.StatusTooManyRequests {
						t.Errorf("%s: %s: %d", disguise, path, got.status)
					}
				}
			}
			for _, path := range guarded {
				if got := v.ask(http.MethodGet, path, "Authorization", basic("olga", goodPassword)); got.status != http.StatusOK {
					t.Errorf("olga: %s: %d", path, got.status)
				}
			}
		})
	}
}

// TestX2EarlierProcess: a cookie and a token end with their process.
func TestX2EarlierProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	first := s.start("web")
	v := visitor{t, first.addr}
	cookie := sessionOf(v.ask(http.MethodGet, "/?token="+first.token()))
	second := s.start("web")
	name, value, _ := strings.Cut(cookie, "=")
	_, port, _ := net.SplitHostPort(second.addr)
	if !strings.HasPrefix(name, "rohrpost-session") {
		t.Fatalf("cookie %q", cookie)
	}
	v = visitor{t, second.addr}
	for _, header := range [][]string{
		{"Cookie", cookie}, {"Cookie", "rohrpost-session-" + port + "=" + value}, {"Authorization", "Bearer " + first.token()},
	} {
		if got := v.ask(http.MethodGet, "/problems", header...); got.status != http.StatusUnauthorized {
			t.Errorf("%v: %d", header, got.status)
		}
	}
}

// TestX2Socket: a unix socket is its owner's alone, and outlives no process.
func TestX2Socket(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "x2") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	path := filepath.Join(folder, "web.sock")
	s := newSite(t, fmt.Sprintf("web: {socket: %q}\n", path))
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}}
	for range 2 { // the second one finds what the first one left, which was killed
		cmd, said := s.command("web"), &text{}
		cmd.Stdout, cmd.Stderr = said, said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		status := 0
		waitFor(t, "the socket answers\n"+said.String(), func() bool {
			resp, err := client.Get("http://pages/problems")
			if err == nil {
				status = resp.StatusCode
				_ = resp.Body.Close()
			}
			return err == nil
		})
		if info, err := os.Lstat(path); err != nil || info.Mode() != os.ModeSocket|0o600 || status != http.StatusOK {
			t.Errorf("%v %v, %d", info, err, status)
		}
		if _, problem, err := s.try("", "web"); err == nil || !strings.Contains(problem, "in use") {
			t.Errorf("a second process on it: %v %s", err, problem)
		}
		if strings.Contains(said.String(), "token=") {
			t.Errorf("a link: %s", said)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	cmd := s.command("web")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the socket answers", func() bool {
		resp, err := client.Get("http://pages/healthz")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestX2Dev: dev opens by its link alone.
func TestX2Dev(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	addr := porttest.Addr(t).String()
	cmd, said := s.command("dev", "--addr", addr, "--smtp-addr", "127.0.0.1:0"), &text{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-gone:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
		}
	})
	waitFor(t, "dev runs", func() bool { return strings.Contains(said.String(), "Ctrl-C") })
	v := visitor{t, addr}
	for _, path := range append([]string{"/mails/"}, guarded...) {
		if got := v.ask(http.MethodGet, path); got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	_, link, found := strings.Cut(said.String(), "http://"+addr+"/mails/?token=")
	token, _, _ := strings.Cut(link, "\n")
	if !found {
		t.Fatalf("no link: %s", said)
	}
	opened := v.ask(http.MethodGet, "/mails/?token="+token)
	if got := v.ask(http.MethodGet, "/mails/", "Cookie", sessionOf(opened)); got.status != http.StatusOK || opened.header.Get("Location") != "/mails/" {
		t.Errorf("%d %v", got.status, opened.header)
	}
}
