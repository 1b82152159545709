package netguard

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// Options of a Guard. The zero value allows public addresses and the ports of
// mail submission.
type Options struct {
	// Allow are addresses that may be dialed whatever they are. One of this
	// machine's own is allowed by a prefix of its full length alone.
	Allow []netip.Prefix
	// Deny are addresses that are never dialed, whatever Allow says.
	Deny []netip.Prefix
	// Ports that DialContext may dial, at allowed networks too. Empty: 465, 587,
	// 588, 2525. The HTTP client may use 443 and those that are in this list
	// beside the ports of mail, which are these and 25.
	Ports []int
	// Resolver looks names up. Nil: net.DefaultResolver.
	Resolver *net.Resolver
	// Interfaces are the addresses of this machine. Nil: net.InterfaceAddrs.
	Interfaces func() ([]net.Addr, error)
	// RootCAs verify certificates for the HTTP client. Nil: those of the system.
	RootCAs *x509.CertPool
	Logger  zerolog.Logger
}

// A Guard dials. It is safe for concurrent use.
type Guard struct {
	options  Options
	own      *interfaces
	judge    *judge
	webPorts []int
}

// New checks the options; it does no I/O.
func New(o Options) (*Guard, error) {
	usual := []int{465, 587, 588, 2525}
	mail := append([]int{25}, usual...)
	if len(o.Ports) == 0 {
		o.Ports = usual
	}
	if o.Interfaces == nil {
		o.Interfaces = net.InterfaceAddrs
	}
	g := &Guard{options: o, own: &interfaces{list: o.Interfaces, now: time.Now}, webPorts: []int{443}}
	var errs []error
	for _, port := range o.Ports {
		if port < 1 || port > 65535 {
			errs = append(errs, fmt.Errorf("port %d is not within 1 to 65535", port))
		}
		if !slices.Contains(mail, port) {
			g.webPorts = append(g.webPorts, port)
		}
	}
	allow, err := unmapped(o.Allow)
	deny, denyErr := unmapped(o.Deny)
	if err := errors.Join(append(errs, err, denyErr)...); err != nil {
		return nil, fmt.Errorf("netguard: %w", err)
	}
	g.judge = newJudge(allow, deny, g.own.has)
	return g, nil
}

// unmapped are the prefixes as addresses are judged: IPv4 is not mapped into IPv6.
func unmapped(prefixes []netip.Prefix) ([]netip.Prefix, error) {
	var errs []error
	var out []netip.Prefix
	for _, p := range prefixes {
		if !p.IsValid() {
			errs = append(errs, fmt.Errorf("network %v is no prefix", p))
			continue
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

// Refused says that an address was not dialed, because it is not allowed. As an
// error it wraps failure.ErrNotAllowed.
type Refused struct {
	Address string // host:port after resolution, for operators
	Reason  string // for operators: loopback, private, port …
}

// Error tells an outsider that it is not allowed, and the operator where it can be.
func (*Refused) Error() string {
	return "the address of this server is not allowed here (an operator can allow it: accounts.allow_networks, accounts.allow_ports)"
}

// Unwrap is failure.ErrNotAllowed, which is an ErrSettings too.
func (*Refused) Unwrap() error { return failure.ErrNotAllowed }

// errNoneAnswered stands for the refusal of one address when another one of the
// same name was allowed and did not answer.
var errNoneAnswered = errors.New("no allowed address of the server could be reached")

// DialContext is net.Dialer's, over tcp, tcp4 or tcp6, to allowed addresses and
// ports. The error is a *Refused if the name has no other ones.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return g.dial(ctx, network, address, g.options.Ports)
}

func (g *Guard) dial(ctx context.Context, network, address string, ports []int) (net.Conn, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, g.refuse(address, reasonNetwork)
	}
	if err := g.own.refresh(); err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var allowed atomic.Bool // an address of this name, perhaps beside others
	dialer := net.Dialer{
		Resolver: cmp.Or(g.options.Resolver, net.DefaultResolver),
		// Called for each address, after socket and before connect.
		ControlContext: func(_ context.Context, _, resolved string, _ syscall.RawConn) error {
			if refused := g.check(resolved, ports); refused != nil {
				return refused
			}
			allowed.Store(true)
			return nil
		},
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if refused, ok := errors.AsType[*Refused](err); ok {
		if allowed.Load() {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errNoneAnswered}
		}
		return nil, refused // without the address that the net package wraps around it
	}
	if err != nil && !allowed.Load() {
		return nil, undialed{err}
	}
	return conn, err
}

// check is nil if the address, "ip:port", may be dialed.
func (g *Guard) check(resolved string, ports []int) *Refused {
	target, err := netip.ParseAddrPort(resolved)
	if err != nil {
		return g.refuse(resolved, reasonNetwork)
	}
	if reason := g.judge.refuses(target.Addr()); reason != "" {
		return g.refuse(resolved, reason)
	}
	if !slices.Contains(ports, int(target.Port())) {
		return g.refuse(resolved, reasonPort)
	}
	return nil
}

func (g *Guard) refuse(address, reason string) *Refused {
	g.options.Logger.Warn().Str("address", address).Str("reason", reason).Msg("connection refused by the guard")
	return &Refused{Address: address, Reason: reason}
}
