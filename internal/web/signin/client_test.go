package signin

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	named := proxies{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	tests := map[string]struct {
		proxies   proxies
		peer      string
		forwarded []string
		want      string
	}{
		"direct":                    {nil, "192.0.2.1:1", nil, "192.0.2.1"},
		"no proxy is named":         {nil, "127.0.0.1:1", []string{"192.0.2.1"}, "127.0.0.1"},
		"a proxy":                   {named, "127.0.0.1:1", []string{"192.0.2.1"}, "192.0.2.1"},
		"a proxy that says nothing": {named, "127.0.0.1:1", nil, "127.0.0.1"},
		"not the proxy":             {named, "192.0.2.9:1", []string{"192.0.2.1"}, "192.0.2.9"},
		"forged in front":           {named, "127.0.0.1:1", []string{"203.0.113.5, 192.0.2.1"}, "192.0.2.1"},
		"forged in a line before":   {named, "127.0.0.1:1", []string{"203.0.113.5", "192.0.2.1"}, "192.0.2.1"},
		"two proxies":               {named, "127.0.0.1:1", []string{"203.0.113.5, 192.0.2.1, 10.1.1.1"}, "192.0.2.1"},
		"proxies alone":             {named, "127.0.0.1:1", []string{"10.1.1.1"}, "10.1.1.1"},
		"with a port":               {named, "127.0.0.1:1", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		"IPv6 with a port":          {named, "127.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		"not an address":            {named, "127.0.0.1:1", []string{"192.0.2.1, unknown"}, "127.0.0.1"},
		"IPv4 as IPv6":              {named, "[::ffff:127.0.0.1]:1", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		"a zone":                    {nil, "[fe80::1%eth0]:1", nil, "fe80::1"},
		"a socket":                  {named, "@", []string{"192.0.2.1"}, "192.0.2.1"},
		"a socket, nothing named":   {nil, "", []string{"192.0.2.1"}, "127.0.0.1"},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.forwarded
		if got := tt.proxies.client(r).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestNeighborhood(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "::1": "::/64",
	} {
		if got := neighborhood(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s", addr, got)
		}
	}
}
