package route_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/lease"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/oauth"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/route"
	"github.com/rohrpost/rohrpost/internal/secret/seal"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/resolver"
)

// TestMain makes this process trust the certificate of net/http/httptest, which
// all scripted servers here have: a route knows no other authorities than those
// of the system.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	server.Close()
	dir, err := os.MkdirTemp("", "rohrpost-roots")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		panic(err)
	}
	for name, value := range map[string]string{"SSL_CERT_FILE": file, "SSL_CERT_DIR": dir} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}

// trusted is a server with a certificate that this process trusts.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	return &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}
}

// A bench has what routes are made of.
type bench struct {
	*testing.T
	rdb redis.UniversalClient
	box *seal.Box
}

func newBench(t *testing.T) *bench {
	t.Helper()
	identity, _, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	box, err := seal.New(seal.Options{Identities: identity})
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t, redistest.Start(t).Client(t), box}
}

// open makes a route. Accounts of tenants may reach this machine at these ports,
// and without any not at all.
func (b *bench) open(ports ...int) *route.Route {
	b.Helper()
	return b.openWith(route.Options{}, ports...)
}

// openWith is open with more options.
func (b *bench) openWith(o route.Options, ports ...int) *route.Route {
	b.Helper()
	options := netguard.Options{Ports: ports}
	if len(ports) > 0 {
		options.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	guard, err := netguard.New(options)
	if err != nil {
		b.Fatal(err)
	}
	parked, err := breaker.New(breaker.Options{Redis: b.rdb, Backlog: backlog.New(b.rdb, nil)})
	if err != nil {
		b.Fatal(err)
	}
	leases, err := lease.New(lease.Options{Redis: b.rdb})
	if err != nil {
		b.Fatal(err)
	}
	o.Breaker, o.Leases, o.Guard, o.HELO = parked, leases, guard, "worker.example"
	o.Tokens = func(client *http.Client) (*oauth.Tokens, error) {
		return oauth.New(oauth.Options{Redis: b.rdb, Box: b.box, HTTPClient: client})
	}
	o.Microsoft = route.Application{ClientID: "ms-app", ClientSecret: resolver.NewSecret("ms-secret")}
	o.Google = route.Application{ClientID: "g-app", ClientSecret: resolver.NewSecret("g-secret")}
	r, err := route.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

// send hands a mail over, again if it finds no connection, and answers with its
// only verdict.
func (b *bench) send(r *route.Route, a *resolver.Account) transport.Verdict {
	b.Helper()
	for {
		out, err := r.Send(b.Context(), a, mail(), armed)
		if errors.Is(err, transport.ErrBusy) {
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		return out.Verdicts[0]
	}
}

// waitFor returns when what happens beside the test has happened.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it is not so: %s", what)
		}
	}
}

func armed(context.Context, []int) error { return nil }

func mail() transport.Mail {
	return transport.Mail{
		JobID: "1", ReversePath: "max@acme.example", Recipients: []string{"anna@example.org"},
		Body: []byte("From: max@acme.example\r\nTo: anna@example.org\r\nSubject: Test\r\nMessage-ID: <1@acme.example>\r\n\r\nHello\r\n"),
	}
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
