package netguard

import (
	"net/netip"
	"slices"
)

// The reasons to refuse, for logs.
const (
	reasonNotGlobal = "not global"
	reasonPort      = "port"
	reasonNetwork   = "network"
	reasonDenied    = "denied"
	reasonOwn       = "own address"
)

// special are the blocks that lead to no public server although they lie within
// the unicast space, with their names in the logs: the IANA special-purpose
// registries (RFC 6890), multicast, and one address of a cloud.
func special() []block {
	return []block{
		{"0.0.0.0/8", "unspecified"},
		{"10.0.0.0/8", "private"},
		{"100.64.0.0/10", "shared (CGNAT)"}, // RFC 6598; 100.100.100.200 is Alibaba's metadata
		{"127.0.0.0/8", "loopback"},
		{"168.63.129.16/32", "metadata"}, // Azure's, although a public address
		{"169.254.0.0/16", "link-local"}, // 169.254.169.254 is the metadata of most clouds
		{"172.16.0.0/12", "private"},
		{"192.0.0.0/24", "protocol assignments"}, // 192.0.0.192 is Oracle's metadata
		{"192.0.2.0/24", "documentation"},
		{"192.88.99.0/24", "6to4 relay"},
		{"192.168.0.0/16", "private"},
		{"198.18.0.0/15", "benchmarking"},
		{"198.51.100.0/24", "documentation"},
		{"203.0.113.0/24", "documentation"},
		{"224.0.0.0/4", "multicast"},
		{"240.0.0.0/4", "reserved"}, // and broadcast

		{"2001::/23", "protocol assignments"}, // Teredo too, which embeds an IPv4 address
		{"2001:db8::/32", "documentation"},
		{"2002::/16", "6to4"}, // embeds an IPv4 address
		{"3fff::/20", "documentation"},
	}
}

type block struct{ prefix, name string }

// unicast is all of IPv6 that is assigned to servers (RFC 4291 §2.4, IANA). Not
// in it: loopback, unique local (fd00:ec2::254 is Amazon's metadata), link-local,
// site-local, multicast, IPv4-compatible, and 64:ff9b:1::/48, NAT64 for local use
// (RFC 8215), which hides its IPv4 address at a place that nobody else knows.
const unicast = "2000::/3"

// nat64 has an IPv4 address in its last four octets (RFC 6052 §2.1), sixToFour in
// the third to the sixth (RFC 3056 §2).
const (
	nat64     = "64:ff9b::/96"
	sixToFour = "2002::/16"
)

// A judge knows which addresses may be dialed.
type judge struct {
	allow, deny               []netip.Prefix
	own                       func(netip.Addr) bool // of this machine
	special                   []named
	unicast, nat64, sixToFour netip.Prefix
}

type named struct {
	netip.Prefix
	name string
}

func newJudge(allow, deny []netip.Prefix, own func(netip.Addr) bool) *judge {
	j := &judge{
		allow: allow, deny: deny, own: own,
		unicast: netip.MustParsePrefix(unicast), nat64: netip.MustParsePrefix(nat64), sixToFour: netip.MustParsePrefix(sixToFour),
	}
	for _, b := range special() {
		j.special = append(j.special, named{netip.MustParsePrefix(b.prefix), b.name})
	}
	return j
}

// refuses is the reason to refuse a, or "".
func (j *judge) refuses(a netip.Addr) string {
	a = a.WithZone("").Unmap() // no prefix contains an address with a zone
	for _, way := range j.ways(a) {
		switch {
		case holds(j.deny, way):
			return reasonDenied
		case j.own(way) && !j.allowsAlone(way):
			return reasonOwn
		}
	}
	if holds(j.allow, a) {
		return ""
	}
	if j.nat64.Contains(a) {
		return j.refuses(embedded(a, 12))
	}
	if !a.Is4() && !j.unicast.Contains(a) { // the zero Addr too
		return reasonNotGlobal
	}
	for _, s := range j.special {
		if s.Contains(a) {
			return s.name
		}
	}
	return ""
}

// ways are a and the IPv4 address that it may lead to.
func (j *judge) ways(a netip.Addr) []netip.Addr {
	switch {
	case j.nat64.Contains(a):
		return []netip.Addr{a, embedded(a, 12)}
	case j.sixToFour.Contains(a):
		return []netip.Addr{a, embedded(a, 2)}
	}
	return []netip.Addr{a}
}

func embedded(a netip.Addr, at int) netip.Addr {
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[at : at+4]))
}

func holds(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// allowsAlone reports whether the operator has named this address and no other: a
// network that this machine happens to be in does not mean the machine itself.
func (j *judge) allowsAlone(a netip.Addr) bool {
	return slices.ContainsFunc(j.allow, func(p netip.Prefix) bool { return p.IsSingleIP() && p.Contains(a) })
}
