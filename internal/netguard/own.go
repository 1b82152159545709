package netguard

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ownFor is how long the addresses of this machine are taken to be what they were.
const ownFor = 5 * time.Second

// An interfaces knows the addresses of this machine. What listens there often
// trusts every client on the machine itself: a local relay takes its mail.
type interfaces struct {
	list func() ([]net.Addr, error)
	now  func() time.Time

	mu        sync.RWMutex
	addresses map[netip.Addr]struct{}
	read      time.Time
}

// refresh reads the addresses again if that is due. The error is that they are not
// known: nothing may be dialed then.
func (i *interfaces) refresh() error {
	i.mu.RLock()
	fresh := i.addresses != nil && i.now().Sub(i.read) < ownFor
	i.mu.RUnlock()
	if fresh {
		return nil
	}
	list, err := i.list()
	if err != nil {
		return fmt.Errorf("the addresses of this machine cannot be read: %w", err)
	}
	addresses := make(map[netip.Addr]struct{}, len(list))
	for _, a := range list {
		if network, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(network.IP); ok {
				addresses[ip.Unmap()] = struct{}{}
			}
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.addresses, i.read = addresses, i.now()
	return nil
}

// has reports whether an address, without zone and unmapped, is this machine's.
// Loopback is not meant: it has a name of its own among the special blocks.
func (i *interfaces) has(a netip.Addr) bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	_, own := i.addresses[a]
	return own && !a.IsLoopback()
}
