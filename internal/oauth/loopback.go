package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Loopback is where the browser comes back to when a command line connects a mailbox:
// a listener on the loopback interface (RFC 8252 §7.3).
type Loopback struct {
	listener net.Listener
	provider Provider
	server   *http.Server
	serving  sync.WaitGroup
	ended    chan error // of one
}

// ListenLoopback listens at an address of the loopback interface, and lets complete end
// a sign-in. addr "": 127.0.0.1 and a free port, which both providers allow for
// installed applications.
func ListenLoopback(ctx context.Context, p Provider, addr string, complete Complete) (*Loopback, error) {
	addr = cmp.Or(addr, "127.0.0.1:0")
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("oauth: %q is no address and port of the loopback interface", addr)
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	l := &Loopback{listener: listener, provider: p, ended: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.Handle("/{$}", Complete(func(ctx context.Context, r Redirect) (string, error) { // and nothing else: browsers ask for icons
		mailbox, err := complete(ctx, r)
		if !errors.Is(err, ErrNoSignIn) {
			select {
			case l.ended <- err:
			default: // it has ended before
			}
		}
		return mailbox, err
	}))
	l.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	l.serving.Go(func() { _ = l.server.Serve(listener) }) // until Close
	return l, nil
}

// RedirectURL is how the provider knows the listener. Microsoft disregards the port
// only of http://localhost; Google takes the address (RFC 8252 §8.3).
func (l *Loopback) RedirectURL() string {
	host, port, _ := net.SplitHostPort(l.listener.Addr().String())
	if l.provider == Microsoft {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Wait waits until a redirect has ended the sign-in, or ctx ends. The error is that of
// complete or of ctx.
func (l *Loopback) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-l.ended:
		return err
	}
}

// Close stops listening, once the page has reached the browser.
func (l *Loopback) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if l.server.Shutdown(ctx) != nil {
		_ = l.server.Close()
	}
	l.serving.Wait()
}
