package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// The links: one from each worker to Redis, one from the producers, and one to
// each mail server.
const (
	producerLink = workers
	serverLinks  = producerLink + 1
	links        = serverLinks + servers
)

func linkName(i int) string {
	switch {
	case i < workers:
		return fmt.Sprintf("worker %d to redis", i)
	case i == producerLink:
		return "producers to redis"
	}
	return "workers to " + serverName(i-serverLinks)
}

// A toxic is what may be wrong with a link, in toxiproxy's words: downstream is
// what the server says.
type toxic struct {
	kind, attributes, direction string
}

func toxics() []toxic {
	return []toxic{
		{"latency", `{"latency": 300, "jitter": 250}`, "downstream"},
		{"latency", `{"latency": 1500, "jitter": 500}`, "upstream"},
		{"timeout", `{"timeout": 0}`, "downstream"}, // silence
		{"timeout", `{"timeout": 0}`, "upstream"},
		{"timeout", `{"timeout": 700}`, "downstream"}, // silence, then the end
		{"reset_peer", `{"timeout": 0}`, "downstream"},
		{"reset_peer", `{"timeout": 400}`, "downstream"},
		{"reset_peer", `{"timeout": 100}`, "upstream"},
		{"slow_close", `{"delay": 2000}`, "downstream"},
		{"slow_close", `{"delay": 2000}`, "upstream"},
		{"slicer", `{"average_size": 8, "size_variation": 4, "delay": 2000}`, "downstream"},
		{"slicer", `{"average_size": 64, "size_variation": 30, "delay": 1000}`, "upstream"},
		{"limit_data", `{"bytes": 3000}`, "downstream"},
		{"limit_data", `{"bytes": 20000}`, "upstream"},
	}
}

// A link is a way to a server that can be cut and poisoned.
type link struct {
	name, upstream string
	addr           string // where clients connect to
	proxy          *toxiproxy.Proxy
	replaced       int
}

func newLink(t *testing.T, name, upstream string) *link {
	t.Helper()
	l := &link{name: name, upstream: upstream, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(steadyPort(t)))}
	if err := l.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bounded(func() error { l.proxy.Stop(); return nil }) })
	return l
}

// steadyPort is a free one below those that the system gives to clients: one of
// them could take it while its server is down.
func steadyPort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 16000 + rand.IntN(16000)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func (l *link) open() error {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l.proxy = toxiproxy.NewProxy(server, l.name, l.addr, l.upstream)
	return l.proxy.Start()
}

// cut ends all connections and refuses new ones, until the context ends.
func (l *link) cut(ctx context.Context) error {
	if err := bounded(func() error { l.proxy.Stop(); return nil }); err != nil {
		return l.replace()
	}
	<-ctx.Done()
	return l.proxy.Start()
}

// poison adds a toxic, and takes it away when the context ends.
func (l *link) poison(ctx context.Context, x toxic, number int) error {
	name := x.kind + strconv.Itoa(number)
	text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, name, x.kind, x.direction, x.attributes)
	add := func() error { _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(text)); return err }
	if err := bounded(add); err != nil {
		return l.replace()
	}
	<-ctx.Done()
	remove := func() error { return l.proxy.Toxics.RemoveToxic(context.WithoutCancel(ctx), name) }
	if err := bounded(remove); err != nil {
		return l.replace()
	}
	return nil
}

// replace puts a new proxy in the place of one that hangs: toxiproxy 2.5.0 waits
// for ever when a connection ends while its toxics change.
func (l *link) replace() error {
	l.replaced++
	old := l.proxy
	_ = bounded(func() error { old.Stop(); return nil }) // it closes its listener even if it hangs
	return l.open()
}

var errHangs = errors.New("it hangs")

// bounded leaves a call alone that takes too long.
func bounded(call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	select {
	case err := <-done:
		return err
	case <-time.After(5 * time.Second):
		return errHangs
	}
}
