package attack

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost/internal/porttest"
)

// find is a program that Debian keeps in /usr/sbin.
func find(t *testing.T, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal(name + " is missing")
	}
	t.Skip(name + " is missing")
	return ""
}

// proxied starts a proxy in front of addr as its users configure it, and says where
// it listens. %[1]s of the configuration is the folder, %[2]s the proxy's address,
// %[3]s the one behind it.
func proxied(t *testing.T, addr, program, configuration string, args ...string) string {
	t.Helper()
	program = find(t, program)
	folder, front := t.TempDir(), porttest.Addr(t).String()
	file := filepath.Join(folder, "proxy.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, configuration, folder, front, addr), 0o600); err != nil {
		t.Fatal(err)
	}
	said := &text{}
	cmd := exec.Command(program, append(args, file)...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-gone
	})
	waitFor(t, "the proxy listens", func() bool {
		select {
		case <-gone:
			t.Fatalf("%s has ended\n%s", program, said)
		default:
		}
		conn, err := net.Dial("tcp", front)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return front
}

// proxies are the two of Debian: nginx with the proxy_pass of its manual, which
// names the upstream as Host and says nothing of whom it forwards, and haproxy.
var proxies = map[string]func(t *testing.T, addr string) string{
	"direct": func(_ *testing.T, addr string) string { return addr },
	"nginx": func(t *testing.T, addr string) string {
		return proxied(t, addr, "nginx", `
daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server { listen %[2]s; location / { proxy_pass http://%[3]s; } }
}
`, "-c")
	},
	"haproxy": func(t *testing.T, addr string) string {
		return proxied(t, addr, "haproxy", `
defaults
	mode http
	timeout connect 5s
	timeout client 30s
	timeout server 30s
frontend front
	bind %[2]s
	default_backend pages
backend pages
	server one %[3]s # in %[1]s
`, "-db", "-f")
	},
}

// A visitor asks for pages and keeps cookies of its own making: none.
type visitor struct {
	t    *testing.T
	addr string
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with these headers, in pairs, and follows nothing. "Host" is
// the host that the request names.
func (v visitor) ask(method, path string, header ...string) answer {
	v.t.Helper()
	a, err := v.try(method, path, header...)
	if err != nil {
		v.t.Fatal(err)
	}
	return a
}

// try is ask for goroutines, which may not end a test.
func (v visitor) try(method, path string, header ...string) (answer, error) {
	r, err := http.NewRequestWithContext(v.t.Context(), method, "http://"+v.addr+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

var printedLink = regexp.MustCompile(`(?m)^http://[^/\s]+/\?token=(\w+)$`)

// token is what the process printed for whoever started it.
func (p *process) token() string {
	p.t.Helper()
	waitFor(p.t, "a link is printed", func() bool { return printedLink.MatchString(p.said.String()) })
	return printedLink.FindStringSubmatch(p.said.String())[1]
}

// sessionOf is the cookie of an answer.
func sessionOf(a answer) string {
	cookie, _, _ := strings.Cut(a.header.Get("Set-Cookie"), ";")
	return cookie
}
