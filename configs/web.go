package configs

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/notice"
)

const (
	// bcrypt below 10 is guessed, above 15 every login takes seconds.
	minBcryptCost, maxBcryptCost = 10, 15
	// minToken is the length of 96 random bits in base64.
	minToken = 16
	// maxSocket is the longest path of a unix socket, in bytes: Linux has 108 with
	// the NUL at the end. socketDetour is what the name is longer by while the
	// socket is made.
	maxSocket, socketDetour = 107, len("/.4294967295/s")
)

func (w *Web) check(p *problems) {
	host, ok := p.listen("web.addr", w.Addr)
	p.add(ok && len(w.Users) == 0 && len(w.Links) == 0 && w.OIDC.Issuer == "" && w.Socket == "" && !loopback(host), "web.addr",
		"%s can be reached from outside: add web.users, or listen on 127.0.0.1:8080", w.Addr)
	socket := string(w.Socket)
	p.add(len(socket) > maxSocket || len(filepath.Dir(socket)) > maxSocket-socketDetour, "web.socket",
		"is %d bytes long, the path of a unix socket has at most %d, that of its folder %d: choose a shorter one",
		len(socket), maxSocket, maxSocket-socketDetour)
	if w.PublicURL != "" {
		err := notice.CheckURL(w.PublicURL)
		p.add(err != nil, "web.public_url", "%v", err)
	}
	_, err := w.Proxies()
	p.add(err != nil, "web.trusted_proxies", "%v", err)
	n := len(w.MetricsToken.Reveal())
	p.add(n > 0 && n < minToken, "web.metrics_token",
		"is %d characters long, which can be guessed: openssl rand -base64 32 prints a good one", n)
	w.checkUsers(p)
	w.checkPlace(p)
	w.checkLinks(p)
	w.checkForwardAuth(p)
	w.checkOIDC(p)
}

func (w *Web) checkUsers(p *problems) {
	names := map[string]bool{}
	for i := range w.Users {
		u, key := &w.Users[i], fmt.Sprintf("web.users[%d]", i)
		// A colon ends the user name in HTTP Basic (RFC 7617 §2).
		p.add(u.Name == "" || strings.ContainsFunc(u.Name, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }),
			key+".name", "%q must be a name without colon", u.Name)
		p.add(names[u.Name], key+".name", "%q is there twice: keep one", u.Name)
		names[u.Name] = true
		cost, err := bcrypt.Cost([]byte(u.PasswordBcrypt.Reveal()))
		p.add((!u.PasswordBcrypt.IsZero() || w.ForwardAuth.Header == "") && (err != nil || cost < minBcryptCost || cost > maxBcryptCost), key+".password_bcrypt",
			"must be a bcrypt hash of cost %d to %d: rohrpost web hash-password makes one", minBcryptCost, maxBcryptCost)
		p.oneOf(key+".role", u.Role, RoleOperator, RoleAdmin, RoleReader, RoleUser)
		p.add(u.Role == RoleOperator && u.Tenant != "", key+".tenant", "an operator sees all tenants: leave it out, or make the role admin")
		if u.Address != "" {
			err := rohrpost.CheckAddress(u.Address)
			p.add(err != nil, key+".address", "%v", err)
		}
		p.add((u.Role == RoleAdmin || u.Role == RoleReader || u.Role == RoleUser) && u.Tenant == "", key+".tenant", "is empty: name the tenant of this %s", u.Role)
		p.add(u.Role == RoleUser && u.User == "", key+".user", "is empty: write the id of the user whose account is theirs")
		p.add(u.Role != RoleUser && u.User != "", key+".user", "is for the role user: leave it out")
	}
}

// Proxies are TrustedProxies, parsed. An address alone is the prefix with nothing
// but it.
func (w *Web) Proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range w.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if addr, notAddr := netip.ParseAddr(text); err != nil && notAddr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is no address and no network: write 127.0.0.1 or 10.1.0.0/16", text)
		}
		out = append(out, prefix)
	}
	return out, nil
}

// Warnings are what a process with pages should tell its operator, one line each.
func (w *Web) Warnings() []string {
	host, _, _ := net.SplitHostPort(w.Addr)
	if w.Socket != "" || loopback(host) || len(w.TrustedProxies) > 0 {
		return nil
	}
	return []string{"web.addr " + w.Addr + " can be reached from outside, and passwords travel in clear: " +
		"listen on 127.0.0.1, put a proxy with TLS in front, and name it in web.trusted_proxies"}
}

// Warnings are what a worker without pages should tell its operator, one line
// each; it takes the token for metrics from the pages' settings.
func (w *Worker) Warnings(pages Web) []string {
	host, _, _ := net.SplitHostPort(w.Addr)
	if w.Addr == "" || loopback(host) || !pages.MetricsToken.IsZero() {
		return nil
	}
	return []string{"worker.addr " + w.Addr + " can be reached from outside, and everybody may read /metrics there: " +
		"set web.metrics_token, or listen on 127.0.0.1"}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
