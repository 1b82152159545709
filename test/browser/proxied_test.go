package browser

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rohrpost/rohrpost/internal/porttest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// nginxConfiguration is that of a proxy with TLS, below whose path /mail/ the pages
// stand: [1] its folder, [2] its address, [3] that of the pages.
const nginxConfiguration = `
daemon off; worker_processes 1; pid %[1]s/nginx.pid; error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s ssl;
		ssl_certificate %[1]s/certificate.pem; ssl_certificate_key %[1]s/certificate.pem;
		location / { return 404; }
		location /mail/ {
			proxy_pass http://%[3]s;
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Forwarded-Proto $scheme;
		}
	}
}
`

// startNginx starts Debian's nginx at front, for pages at addr.
func startNginx(t *testing.T, front, addr string) {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/nginx")
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx is missing")
		}
		t.Skip("nginx is missing")
	}
	folder := t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("certificate.pem", certificate(t, "mail.localhost"))
	write("nginx.conf", fmt.Appendf(nil, nginxConfiguration, folder, front, addr))
	said := &text{}
	cmd := exec.Command(path, "-c", filepath.Join(folder, "nginx.conf"))
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); <-gone })
	waitFor(t, "nginx listens", func() bool {
		select {
		case <-gone:
			t.Fatalf("nginx has ended\n%s", said)
		default:
		}
		conn, err := net.Dial("tcp", front)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}

// certificate is one for a host, with its key, in PEM.
func certificate(t *testing.T, host string) []byte {
	t.Helper()
	c := smtptest.SelfSigned(t, host).Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
}

// An application is a site of another origin, whose only page shows the pages in a frame.
type application struct {
	origin string
	frame  string // the address in the frame
}

func newApplication(t *testing.T, host string) *application {
	t.Helper()
	a := &application{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><h1>CRM</h1><iframe src="`+a.frame+`" width="1200" height="700"></iframe>`)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	a.origin = "https://" + host + ":" + u.Port()
	return a
}

// TestProxied: behind nginx, below /mail/, every link and form leads below /mail/; an
// application of an allowed origin shows the pages in a frame, where a person signs in
// by its link and goes on; another site gets nothing into its frame.
func TestProxied(t *testing.T) {
	t.Parallel()
	crm, evil := newApplication(t, "crm.localhost"), newApplication(t, "evil.localhost")
	front := porttest.Addr(t).String()
	_, port, _ := strings.Cut(front, ":")
	public := "https://mail.localhost:" + port + "/mail"
	s := newSite(t, siteOptions{web: fmt.Sprintf("  public_url: %s\n  embed_origins: [%s]\n  trusted_proxies: [127.0.0.1]\n", public, crm.origin)})
	s.public = public
	startNginx(t, front, s.addr)

	t.Run("below a path", func(t *testing.T) {
		b := s.open(t, olga)
		for _, v := range views() {
			if v.status != 0 || v.foreign || strings.Contains(v.path, "{") || v.who != olga {
				continue
			}
			if status := b.visit(v.path); status != http.StatusOK {
				t.Errorf("%s: status %d", v.path, status)
			}
			for _, f := range b.forms() {
				if !strings.HasPrefix(f.Action, "/mail/") {
					t.Errorf("%s: a form leads to %s", v.path, f.Action)
				}
			}
			for _, path := range b.seen().Links {
				if !strings.HasPrefix(path, "/mail/") {
					t.Errorf("%s: a link leads to %s", v.path, path)
				}
			}
		}
		if console, outside, _ := b.noticed(); len(console)+len(outside) > 0 {
			t.Errorf("console %q, requests to %q", console, outside)
		}
	})
	t.Run("in a frame", func(t *testing.T) {
		b := newTab(t, crm.origin)
		crm.frame = s.signed(t, anna, "de")
		b.visit("/")
		frame := b.frame(public)
		frame.sees("Übersicht", "Anna")
		frame.click("Konten")
		frame.sees("Konten von acme")
	})
	t.Run("in a frame of another site", func(t *testing.T) {
		b := newTab(t, evil.origin)
		evil.frame = s.signed(t, anna, "de")
		b.visit("/")
		b.wait("the browser refuses", func() bool {
			console, _, _ := b.noticed()
			return strings.Contains(strings.Join(console, " "), "frame-ancestors")
		})
	})
}
