package netguard

import "net/netip"

// The reasons to refuse, for logs.
const (
	reasonNotGlobal = "not global"
	reasonPort      = "port"
	reasonNetwork   = "network"
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

// nat64 has an IPv4 address in its last four octets (RFC 6052 §2.1).
const nat64 = "64:ff9b::/96"

// A judge knows which addresses may be dialed.
type judge struct {
	allow          []netip.Prefix
	special        []named
	unicast, nat64 netip.Prefix
}

type named struct {
	netip.Prefix
	name string
}

func newJudge(allow []netip.Prefix) *judge {
	j := &judge{allow: allow, unicast: netip.MustParsePrefix(unicast), nat64: netip.MustParsePrefix(nat64)}
	for _, b := range special() {
		j.special = append(j.special, named{netip.MustParsePrefix(b.prefix), b.name})
	}
	return j
}

// refuses is the reason to refuse a, or "".
func (j *judge) refuses(a netip.Addr) string {
	a = a.WithZone("").Unmap() // no prefix contains an address with a zone
	for _, p := range j.allow {
		if p.Contains(a) {
			return ""
		}
	}
	if j.nat64.Contains(a) {
		b := a.As16()
		return j.refuses(netip.AddrFrom4([4]byte(b[12:])))
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
