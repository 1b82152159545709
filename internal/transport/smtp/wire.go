package smtp

import (
	"context"
	"fmt"
	"net"
	"net/textproto"
	"sync"
	"time"
)

// maxOctets is what a server may send within one step: a reply, or the TLS
// handshake. Nothing honest comes near it.
const maxOctets = 256 << 10

// maxFirst is what is kept of the first octets: a reply in clear, where TLS was expected.
const maxFirst = 512

// A wire is the TCP connection below TLS. It gives the server a time and a
// number of octets for each step, and ends with a context.
type wire struct {
	net.Conn
	octets int    // left in this step
	first  []byte // what the server has sent first, maxFirst octets at most

	mu    sync.Mutex
	ended error // of the context; no deadline is set after it
}

// within starts a step. The error is that of the ended context; one of the
// connection shows when it is used, and what it has sent before can be read.
func (w *wire) within(d time.Duration) error {
	w.octets = maxOctets
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil {
		return w.ended
	}
	_ = w.SetDeadline(time.Now().Add(d))
	return nil
}

// hold lets everything on the wire fail when ctx ends. The returned function
// lets go; it is false if ctx has ended: the wire is of no use then.
func (w *wire) hold(ctx context.Context) (release func() bool) {
	if ctx.Err() != nil {
		w.end(ctx.Err())
		return func() bool { return false }
	}
	return context.AfterFunc(ctx, func() { w.end(ctx.Err()) })
}

func (w *wire) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = err
	_ = w.SetDeadline(time.Unix(1, 0))
}

// explain names the context as the reason if it is the reason.
func (w *wire) explain(err error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended != nil {
		return fmt.Errorf("%w: %w", w.ended, err)
	}
	return err
}

func (w *wire) Read(p []byte) (int, error) {
	if w.octets <= 0 {
		return 0, textproto.ProtocolError("the server sends without end")
	}
	n, err := w.Conn.Read(p[:min(len(p), w.octets)])
	w.octets -= n
	w.first = append(w.first, p[:min(n, maxFirst-len(w.first))]...)
	return n, err
}
