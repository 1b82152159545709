package netguard_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameserver answers the queries for a name one after the other: the last
// answer stays.
type nameserver struct {
	mu      sync.Mutex
	answers map[string][][]netip.Addr
}

// resolver is one that asks the nameserver, over UDP on loopback.
func (n *nameserver) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 512)
		for {
			size, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			if reply, err := n.answer(b[:size]); err == nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	})
	t.Cleanup(func() { _ = conn.Close(); wg.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (n *nameserver) answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true},
		Questions: m.Questions,
	}
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	addresses, known := n.next(q.Name.String(), q.Type == dnsmessage.TypeA)
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return reply.Pack()
}

// next goes on with each query for A; that for AAAA comes beside it.
func (n *nameserver) next(name string, forward bool) ([]netip.Addr, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	queue := n.answers[name]
	if len(queue) == 0 {
		return nil, false
	}
	if forward && len(queue) > 1 {
		n.answers[name] = queue[1:]
	}
	return queue[0], true
}
