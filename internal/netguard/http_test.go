package netguard_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rohrpost/rohrpost/internal/netguard"
)

// site is an https server with its client, guarded to know that one port of 127.0.0.1.
func site(t *testing.T, h http.HandlerFunc) (*httptest.Server, *http.Client) {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	g := guard(t, netguard.Options{Ports: []int{srv.Listener.Addr().(*net.TCPAddr).Port}, RootCAs: roots})
	client := g.HTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	return srv, client
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	srv, client := site(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	resp, err := client.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	}
}

// TestMoved: a body may move within its host.
func TestMoved(t *testing.T) {
	t.Parallel()
	srv, client := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/token", http.StatusPermanentRedirect)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	resp, err := client.Post(srv.URL, "text/plain", strings.NewReader("geheim"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if b, err := io.ReadAll(resp.Body); string(b) != "geheim" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	internal := httptest.NewTLSServer(http.NotFoundHandler()) // a port that is not allowed
	t.Cleanup(internal.Close)
	for _, c := range []struct {
		name, method, target string
		code                 int
		want                 error // nil: refused by the guard
	}{
		{"to a metadata address", http.MethodGet, "https://169.254.169.254/latest/meta-data/", 302, nil},
		{"to another port", http.MethodGet, internal.URL, 302, nil},
		{"to plain http", http.MethodGet, "http://127.0.0.1/", 302, netguard.ErrNotHTTPS},
		{"to a file", http.MethodGet, "file:///etc/passwd", 302, netguard.ErrNotHTTPS},
		{"in a circle", http.MethodGet, "/", 302, netguard.ErrRedirects},
		{"with the body to another host", http.MethodPost, "https://other.example/", 307, netguard.ErrMovedBody},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			srv, client := site(t, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				http.Redirect(w, r, c.target, c.code)
			})
			req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL, strings.NewReader("client_secret=geheim"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatalf("%s", resp.Status)
			}
			if _, ok := errors.AsType[*netguard.Refused](err); c.want == nil && !ok || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%v", err)
			}
			if got := asked.Load(); got > 4 {
				t.Errorf("%d requests", got)
			}
		})
	}
}

// TestNoProxy: the environment names a proxy, and nobody asks it. The server has
// a name, because loopback addresses never go through a proxy.
func TestNoProxy(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.3:9")
	t.Setenv("NO_PROXY", "")
	srv, _ := site(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate()) // it is for example.com too
	port := srv.Listener.Addr().(*net.TCPAddr).Port
	ns := &nameserver{answers: map[string][][]netip.Addr{"example.com.": {{allowed}}}}
	client := guard(t, netguard.Options{Ports: []int{port}, RootCAs: roots, Resolver: ns.resolver(t)}).HTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	resp, err := client.Get(fmt.Sprintf("https://example.com:%d/", port))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
}

// TestWebPorts: the HTTP client may use 443, and not the ports of mail.
func TestWebPorts(t *testing.T) {
	t.Parallel()
	g := guard(t, netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	client := g.HTTPClient()
	t.Cleanup(client.CloseIdleConnections)
	for port, want := range map[string]bool{"443": true, "25": false, "587": false, "8443": false} {
		resp, err := client.Get("https://127.0.0.9:" + port + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		if _, ok := errors.AsType[*netguard.Refused](err); ok == want {
			t.Errorf("port %s: %v", port, err)
		}
	}
}

// TestCertificates are verified.
func TestCertificates(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	g := guard(t, netguard.Options{Ports: []int{srv.Listener.Addr().(*net.TCPAddr).Port}})
	resp, err := g.HTTPClient().Get(srv.URL)
	if err == nil {
		_ = resp.Body.Close()
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("%v", err)
	}
}
