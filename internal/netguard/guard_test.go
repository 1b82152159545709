package netguard_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
)

var (
	allowed = netip.MustParseAddr("127.0.0.1")
	refused = netip.MustParseAddr("127.0.0.2")
)

// two are listeners on the same port of both addresses. Closing the allowed one
// is left to the test.
func two(t *testing.T) (on map[netip.Addr]net.Listener, port int) {
	t.Helper()
	for range 20 { // the free port of one may be taken on the other
		a, err := net.Listen("tcp", net.JoinHostPort(allowed.String(), "0"))
		if err != nil {
			t.Fatal(err)
		}
		port = a.Addr().(*net.TCPAddr).Port
		b, err := net.Listen("tcp", net.JoinHostPort(refused.String(), strconv.Itoa(port)))
		if err != nil {
			_ = a.Close()
			continue
		}
		t.Cleanup(func() { _, _ = a.Close(), b.Close() })
		return map[netip.Addr]net.Listener{allowed: a, refused: b}, port
	}
	t.Fatal("no port is free on both addresses")
	return nil, 0
}

// untouched fails if anybody has connected: the first in the queue must be the
// connection made here.
func untouched(t *testing.T, l net.Listener) {
	t.Helper()
	marker, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = marker.Close() }()
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Close() }()
	if first.RemoteAddr().String() != marker.LocalAddr().String() {
		t.Errorf("%v got a connection", l.Addr())
	}
}

func guard(t *testing.T, o netguard.Options) *netguard.Guard {
	t.Helper()
	if o.Allow == nil {
		o.Allow = []netip.Prefix{netip.PrefixFrom(allowed, 32)}
	}
	g, err := netguard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestOneOfTwo: of a name with two addresses only the allowed one is dialed, in
// whichever order they come.
func TestOneOfTwo(t *testing.T) {
	t.Parallel()
	v6 := netip.MustParseAddr("::1") // refused; it comes first, in a race with IPv4
	for _, c := range []struct {
		name      string
		addresses []netip.Addr
		down      bool // nobody listens on the allowed one
		want      string
	}{
		{"allowed first", []netip.Addr{allowed, refused}, false, ""},
		{"refused first", []netip.Addr{refused, allowed}, false, ""},
		{"refused by IPv6", []netip.Addr{v6, allowed}, false, ""},
		{"only refused", []netip.Addr{refused, v6}, false, "config_invalid"},
		{"the allowed one is down", []netip.Addr{refused, allowed}, true, "host_unreachable connection_refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			on, port := two(t)
			if c.down {
				_ = on[allowed].Close()
			}
			ns := &nameserver{answers: map[string][][]netip.Addr{"mail.test.": {c.addresses}}}
			g := guard(t, netguard.Options{Ports: []int{port}, Resolver: ns.resolver(t)})
			conn, err := g.DialContext(t.Context(), "tcp", fmt.Sprintf("mail.test:%d", port))
			if err == nil {
				if got := netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr(); got != allowed {
					t.Errorf("connected to %v", got)
				}
				_ = conn.Close()
			}
			var category string
			if f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err}); f != nil {
				category = f.Category
			}
			if (category == "") != (c.want == "") || !strings.Contains(c.want, category) {
				t.Errorf("%v: %q, want %q", err, category, c.want)
			}
			untouched(t, on[refused])
		})
	}
}

// TestRebinding: a name that was harmless when it was looked at is not dialed
// when it has become another.
func TestRebinding(t *testing.T) {
	t.Parallel()
	on, port := two(t)
	ns := &nameserver{answers: map[string][][]netip.Addr{"evil.test.": {{allowed}, {refused}}}}
	resolver := ns.resolver(t)
	g := guard(t, netguard.Options{Ports: []int{port}, Resolver: resolver})
	first, err := resolver.LookupNetIP(t.Context(), "ip4", "evil.test")
	if err != nil || len(first) != 1 || first[0] != allowed {
		t.Fatalf("first look: %v, %v", first, err)
	}
	conn, err := g.DialContext(t.Context(), "tcp", fmt.Sprintf("evil.test:%d", port))
	if _, ok := errors.AsType[*netguard.Refused](err); !ok {
		t.Errorf("second look: %v, %v", conn, err)
	}
	untouched(t, on[refused])
}

func TestRefused(t *testing.T) {
	t.Parallel()
	on, port := two(t)
	for _, c := range []struct {
		name, network, address, reason string
	}{
		{"loopback", "tcp", on[refused].Addr().String(), "loopback"},
		{"private", "tcp4", fmt.Sprintf("10.0.0.1:%d", port), "private"},
		{"mapped", "tcp", fmt.Sprintf("[::ffff:127.0.0.2]:%d", port), "loopback"},
		{"with zone", "tcp", fmt.Sprintf("[fe80::1%%lo]:%d", port), "not global"},
		{"name of this machine", "tcp", fmt.Sprintf("localhost:%d", port+1), "port not global loopback"},
		{"empty host", "tcp", fmt.Sprintf(":%d", port), "network"},
		{"port", "tcp", "127.0.0.1:22", "port"},
		{"port by name", "tcp", "127.0.0.1:ssh", "port"},
		{"port of a public address", "tcp", "8.8.8.8:53", "port"},
		{"unix socket", "unix", "/var/run/docker.sock", "network"},
		{"UDP", "udp", fmt.Sprintf("127.0.0.1:%d", port), "network"},
		{"raw IP", "ip4:1", "127.0.0.1", "network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			g := guard(t, netguard.Options{Ports: []int{port}, Logger: zerolog.New(&log)})
			conn, err := g.DialContext(t.Context(), c.network, c.address)
			r, ok := errors.AsType[*netguard.Refused](err)
			if !ok {
				t.Fatalf("%v, %v", conn, err)
			}
			if !strings.Contains(c.reason, r.Reason) || r.Address == "" {
				t.Errorf("%+v, want reason %q", r, c.reason)
			}
			if !strings.Contains(log.String(), r.Reason) {
				t.Errorf("log %q lacks the reason", &log)
			}
			if want := (&netguard.Refused{}).Error(); err.Error() != want {
				t.Errorf("it tells more than that it was refused: %q", err)
			}
		})
	}
}

// TestClass: a refusal parks the account with a remedy, without trying again.
func TestClass(t *testing.T) {
	t.Parallel()
	g := guard(t, netguard.Options{})
	_, err := g.DialContext(t.Context(), "tcp", "10.0.0.1:25")
	f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err, Host: "mail.example.org"})
	if f == nil || f.Class != failure.Config || f.Category != "config_invalid" || strings.Contains(f.Error(), "10.0.0.1") {
		t.Errorf("%v", f)
	}
	if !errors.Is(err, failure.ErrSettings) {
		t.Errorf("%v", err)
	}
}

// TestUsualPorts are the ones without any option.
func TestUsualPorts(t *testing.T) {
	t.Parallel()
	g := guard(t, netguard.Options{})
	for port, want := range map[int]bool{25: false, 465: true, 587: true, 588: true, 2525: true, 80: false, 443: false, 143: false, 6379: false, 22: false} {
		conn, err := g.DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port)) // mostly nobody is there
		if conn != nil {
			_ = conn.Close()
		}
		if _, ok := errors.AsType[*netguard.Refused](err); ok == want {
			t.Errorf("port %d: %v", port, err)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []netguard.Options{
		{Ports: []int{0}}, {Ports: []int{25, 65536}}, {Ports: []int{-1}}, {Allow: []netip.Prefix{{}}}, {Deny: []netip.Prefix{{}}},
	} {
		if _, err := netguard.New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}
