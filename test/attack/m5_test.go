package attack

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// m5Try tries settings for a mail server as a tenant's: what comes of it, as JSON.
func (s *site) m5Try(host string, port int) string {
	s.t.Helper()
	settings := fmt.Sprintf("{address: info@acme.example, smtp: {host: %q, port: %d, encryption: none}}", host, port)
	out, problem, _ := s.try(settings, "account", "test", "--json", "--tenant", "acme", "--to", "anna@acme.example", "--stdin")
	return out + problem
}

// TestM5Own: the mail server of a tenant is this machine itself, by an address of its
// network: a relay there takes mail from everybody on the machine.
func TestM5Own(t *testing.T) {
	t.Parallel()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, a := range addresses {
		own, err := netip.ParsePrefix(a.String())
		if err != nil || own.Addr().IsLoopback() || own.Addr().IsLinkLocalUnicast() {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort(own.Addr().String(), "0"))
		if err != nil {
			continue
		}
		tried++
		relay := smtptest.Start(t, smtptest.Options{Listener: listener})
		port := listener.Addr().(*net.TCPAddr).Port
		// The network is allowed, so that it does not matter whether it is a public one.
		s := newSite(t, fmt.Sprintf("accounts: {store: redis, allow_networks: ['%s'], allow_ports: [%d]}\n", own.Masked(), port))
		hosts := []string{own.Addr().String()}
		if own.Addr().Is4() {
			hosts = append(hosts, "::ffff:"+own.Addr().String())
		}
		for _, host := range hosts {
			if got := s.m5Try(host, port); !strings.Contains(got, "config_invalid") || relay.Sessions() != 0 {
				t.Errorf("%s: %d connections, %s", host, relay.Sessions(), got)
			}
		}
	}
	if tried == 0 {
		t.Skip("this machine has no address but loopback")
	}
}

// TestM5Deny: what is denied stays denied, whatever is allowed.
func TestM5Deny(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	s := newSite(t, fmt.Sprintf("accounts: {store: redis, allow_networks: [127.0.0.0/8], deny_networks: [127.0.0.0/24], allow_ports: [%d]}\n", server.Port()))
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		if got := s.m5Try(host, server.Port()); !strings.Contains(got, "config_invalid") || server.Sessions() != 0 {
			t.Errorf("%s: %d connections, %s", host, server.Sessions(), got)
		}
	}
}

// TestM5Port25 is not for tenants, unless the operator says so.
func TestM5Port25(t *testing.T) {
	t.Parallel()
	s := newSite(t, "accounts: {store: redis, allow_networks: [127.0.0.0/8]}\n")
	if got := s.m5Try("127.0.0.77", 25); !strings.Contains(got, "config_invalid") {
		t.Errorf("it was tried: %s", got)
	}
}
