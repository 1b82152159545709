package netguard

import (
	"net/netip"
	"testing"
)

// nobody has no address.
func nobody(netip.Addr) bool { return false }

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, address, want string
	}{
		{"public", "8.8.8.8", ""},
		{"public IPv6", "2a01:4f8::1", ""},
		{"public, mapped", "::ffff:8.8.8.8", ""},
		{"public by NAT64", "64:ff9b::8.8.8.8", ""},

		{"unspecified", "0.0.0.0", "unspecified"},
		{"this network", "0.1.2.3", "unspecified"},
		{"unspecified IPv6", "::", reasonNotGlobal},
		{"loopback", "127.0.0.1", "loopback"},
		{"loopback, other", "127.255.255.254", "loopback"},
		{"loopback IPv6", "::1", reasonNotGlobal},
		{"loopback, mapped", "::ffff:127.0.0.1", "loopback"},
		{"loopback, mapped, with zone", "::ffff:127.0.0.1%eth0", "loopback"},
		{"loopback, compatible", "::127.0.0.1", reasonNotGlobal},
		{"loopback, translated", "::ffff:0:127.0.0.1", reasonNotGlobal},
		{"10/8, first", "10.0.0.0", "private"},
		{"10/8, last", "10.255.255.255", "private"},
		{"before 10/8", "9.255.255.255", ""},
		{"172.16/12, first", "172.16.0.0", "private"},
		{"172.16/12, last", "172.31.255.255", "private"},
		{"after 172.16/12", "172.32.0.0", ""},
		{"192.168/16", "192.168.178.1", "private"},
		{"CGNAT, first", "100.64.0.0", "shared (CGNAT)"},
		{"CGNAT, last", "100.127.255.255", "shared (CGNAT)"},
		{"after CGNAT", "100.128.0.0", ""},
		{"metadata of Alibaba", "100.100.100.200", "shared (CGNAT)"},
		{"link-local", "169.254.1.1", "link-local"},
		{"metadata", "169.254.169.254", "link-local"},
		{"metadata, mapped", "::ffff:169.254.169.254", "link-local"},
		{"metadata by NAT64", "64:ff9b::169.254.169.254", "link-local"},
		{"metadata by 6to4", "2002:a9fe:a9fe::1", "6to4"},
		{"metadata by Teredo", "2001:0:a9fe:a9fe::1", "protocol assignments"},
		{"metadata of Azure", "168.63.129.16", "metadata"},
		{"metadata of Oracle", "192.0.0.192", "protocol assignments"},
		{"metadata of Amazon", "fd00:ec2::254", reasonNotGlobal},
		{"documentation 1", "192.0.2.1", "documentation"},
		{"documentation 2", "198.51.100.1", "documentation"},
		{"documentation 3", "203.0.113.1", "documentation"},
		{"documentation IPv6", "2001:db8::1", "documentation"},
		{"documentation IPv6, new", "3fff:fff::1", "documentation"},
		{"benchmarking", "198.19.255.255", "benchmarking"},
		{"6to4 relay", "192.88.99.1", "6to4 relay"},
		{"multicast", "224.0.0.1", "multicast"},
		{"multicast, last", "239.255.255.255", "multicast"},
		{"multicast IPv6", "ff02::1", reasonNotGlobal},
		{"reserved", "240.0.0.1", "reserved"},
		{"broadcast", "255.255.255.255", "reserved"},
		{"unique local", "fd12:3456::1", reasonNotGlobal},
		{"link-local IPv6", "fe80::1", reasonNotGlobal},
		{"link-local IPv6 with zone", "fe80::1%eth0", reasonNotGlobal},
		{"site-local", "fec0::1", reasonNotGlobal},
		{"discard", "100::1", reasonNotGlobal},
		{"private by NAT64", "64:ff9b::10.0.0.1", "private"},
		{"NAT64 for local use", "64:ff9b:1::8.8.8.8", reasonNotGlobal},
		{"benchmarking IPv6", "2001:2::1", "protocol assignments"},
		{"segment routing", "5f00::1", reasonNotGlobal},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := newJudge(nil, nil, nobody).refuses(netip.MustParseAddr(c.address)); got != c.want {
				t.Errorf("%s: %q, want %q", c.address, got, c.want)
			}
		})
	}
	if got := newJudge(nil, nil, nobody).refuses(netip.Addr{}); got == "" {
		t.Error("no address at all is allowed")
	}
}

func TestAllow(t *testing.T) {
	t.Parallel()
	g, err := New(Options{Allow: []netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"),
		netip.MustParsePrefix("::ffff:172.16.0.0/108"), // 172.16.0.0/12
		netip.MustParsePrefix("fd00:1::/32"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	for address, allowed := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::10.1.2.3": true, "10.2.0.0": false,
		"172.31.0.1": true, "172.32.0.1": true, "192.168.0.1": false,
		"fd00:1::1": true, "fd00:1::1%eth0": true, "fd00:2::1": false,
	} {
		if got := g.judge.refuses(netip.MustParseAddr(address)); (got == "") != allowed {
			t.Errorf("%s: refused for %q, want allowed %v", address, got, allowed)
		}
	}
}

// FuzzAddresses asks the standard library, which knows some of it by itself, and
// all spellings of an IPv4 address.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"8.8.8.8", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "fe80::1", "2002:a00:1::", "2606:4700::1111"} {
		f.Add(netip.MustParseAddr(s).AsSlice(), "")
		f.Add(netip.MustParseAddr(s).AsSlice(), "eth0")
	}
	j := newJudge(nil, nil, nobody)
	everything := newJudge([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}, nil, nobody)
	f.Fuzz(func(t *testing.T, b []byte, zone string) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		got := j.refuses(a)
		if a.Is6() && j.refuses(a.WithZone(zone)) != got {
			t.Errorf("%v: the zone %q changes the verdict", a, zone)
		}
		plain := a.Unmap()
		if got == "" && (!plain.IsGlobalUnicast() || plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast()) {
			t.Errorf("%v is allowed", a)
		}
		if plain.Is4() {
			v4 := plain.As4()
			mapped := netip.AddrFrom16(plain.As16())
			nat := netip.MustParsePrefix(nat64).Addr().As16()
			copy(nat[12:], v4[:])
			for _, other := range []netip.Addr{mapped, netip.AddrFrom16(nat)} {
				if j.refuses(other) != got {
					t.Errorf("%v and %v are judged differently", a, other)
				}
			}
		}
		if reason := everything.refuses(a); reason != "" {
			t.Errorf("%v: %s, although everything is allowed", a, reason)
		}
	})
}
