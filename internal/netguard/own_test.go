package netguard

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// machine is one that has these addresses, which a test may change.
type machine struct{ addresses []string }

func (m *machine) list() ([]net.Addr, error) {
	var out []net.Addr
	for _, a := range m.addresses {
		ip, network, err := net.ParseCIDR(a)
		if err != nil {
			return nil, err
		}
		out = append(out, &net.IPNet{IP: ip, Mask: network.Mask})
	}
	return out, nil
}

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

// TestOwn: what this machine has is refused in every spelling, public or in a
// network that is allowed, unless that very address is allowed.
func TestOwn(t *testing.T) {
	t.Parallel()
	m := &machine{[]string{"127.0.0.1/8", "::1/128", "9.8.7.6/24", "10.1.0.7/16", "2a01:4f8::7/64", "fe80::7/64"}}
	for _, c := range []struct {
		name, address string
		allow         []netip.Prefix
		want          string
	}{
		{"public", "9.8.7.6", nil, reasonOwn},
		{"public, mapped", "::ffff:9.8.7.6", nil, reasonOwn},
		{"public by NAT64", "64:ff9b::9.8.7.6", nil, reasonOwn},
		{"public by 6to4, which is allowed", "2002:908:706::1", prefixes("2002::/16"), reasonOwn},
		{"public IPv6", "2a01:4f8::7", nil, reasonOwn},
		{"public IPv6, with zone", "2a01:4f8::7%eth0", nil, reasonOwn},
		{"link-local, in an allowed network", "fe80::7%eth0", prefixes("fe80::/10"), reasonOwn},
		{"private, in an allowed network", "10.1.0.7", prefixes("10.1.0.0/16"), reasonOwn},
		{"NAT64, which is allowed", "64:ff9b::9.8.7.6", prefixes("64:ff9b::/96"), reasonOwn},
		{"everything is allowed", "9.8.7.6", prefixes("0.0.0.0/0", "::/0"), reasonOwn},
		{"allowed by itself", "9.8.7.6", prefixes("9.8.7.6/32"), ""},
		{"allowed by itself, IPv6", "2a01:4f8::7", prefixes("2a01:4f8::7/128"), ""},
		{"allowed by itself, mapped", "9.8.7.6", prefixes("::ffff:9.8.7.6/128"), ""},
		{"the next one", "9.8.7.7", nil, ""},
		{"the next one, IPv6", "2a01:4f8::8", nil, ""},
		{"the next one in an allowed network", "10.1.0.8", prefixes("10.1.0.0/16"), ""},
		{"loopback", "127.0.0.1", nil, "loopback"},
		{"loopback, allowed", "127.0.0.1", prefixes("127.0.0.0/8"), ""},
	} {
		g, err := New(Options{Allow: c.allow, Interfaces: m.list})
		if err != nil {
			t.Fatal(err)
		}
		if err := g.own.refresh(); err != nil {
			t.Fatal(err)
		}
		if got := g.judge.refuses(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("%s: %s: %q, want %q", c.name, c.address, got, c.want)
		}
	}
}

// TestDeny goes before everything that is allowed, in every spelling.
func TestDeny(t *testing.T) {
	t.Parallel()
	g, err := New(Options{
		Allow: prefixes("10.0.0.0/8", "9.9.9.9/32", "2002::/16"),
		Deny:  prefixes("10.2.0.0/16", "9.9.9.0/24", "::ffff:8.8.0.0/112", "2a01:4f8::/32"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"10.1.0.1": "", "10.2.0.1": reasonDenied, "::ffff:10.2.0.1": reasonDenied, "64:ff9b::10.2.0.1": reasonDenied, "2002:a02:1::": reasonDenied,
		"9.9.9.9": reasonDenied, "9.9.10.9": "", "8.8.8.8": reasonDenied, "8.9.8.8": "", "2a01:4f8:1::1": reasonDenied, "2a01:4f8:1::1%eth0": reasonDenied, "2a01:4f9::1": "",
	} {
		if got := g.judge.refuses(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}

// TestOwnChanges: an address that comes up later is found, one that has gone is
// forgotten.
func TestOwnChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &machine{[]string{"9.8.7.6/24"}}
		g, err := New(Options{Interfaces: m.list})
		if err != nil {
			t.Fatal(err)
		}
		check := func(address, want string) {
			t.Helper()
			if err := g.own.refresh(); err != nil {
				t.Fatal(err)
			}
			if got := g.judge.refuses(netip.MustParseAddr(address)); got != want {
				t.Errorf("%s: %q, want %q", address, got, want)
			}
		}
		check("9.8.7.6", reasonOwn)
		m.addresses = []string{"9.8.7.5/24"}
		<-time.After(ownFor)
		check("9.8.7.6", "")
		check("9.8.7.5", reasonOwn)
	})
}

// TestOwnUnknown: nothing is dialed, and nobody's settings are blamed.
func TestOwnUnknown(t *testing.T) {
	t.Parallel()
	broken := errors.New("no netlink here")
	g, err := New(Options{Allow: prefixes("127.0.0.0/8"), Interfaces: func() ([]net.Addr, error) { return nil, broken }})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := g.DialContext(t.Context(), "tcp", "127.0.0.1:587")
	if conn != nil || !errors.Is(err, broken) {
		t.Errorf("%v, %v", conn, err)
	}
	if f := failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err}); f.Class != failure.Transient {
		t.Errorf("%v is %s", f, f.Class)
	}
	if _, err := g.HTTPClient().Get("https://127.0.0.1/"); !errors.Is(err, broken) {
		t.Errorf("over HTTP: %v", err)
	}
}
