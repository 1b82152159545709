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

	"github.com/rs/zerolog"
)

// LoopbackOptions are those of Loopback.
type LoopbackOptions struct {
	Credentials Credentials // RefreshToken is not read
	// Listen is an address of the loopback interface. "": 127.0.0.1 and a free
	// port, which both providers allow for installed applications.
	Listen string
	// Show is given the address of the sign-in page: to print it, to open it.
	Show       func(url string) error
	HTTPClient *http.Client     // as in Options
	Timeout    time.Duration    // as in Options
	Now        func() time.Time // nil: time.Now
	Logger     zerolog.Logger
}

// Loopback connects a mailbox from a command line (RFC 8252 §7.3): it listens on
// the loopback interface, shows where to sign in, and ends when the browser came
// back, or with its context. The error is the listener's, Show's, the context's,
// that of Begin, or the *failure.Failure of the sign-in.
func Loopback(ctx context.Context, o LoopbackOptions) (Connection, error) {
	if o.Show == nil {
		return Connection{}, errors.New("oauth: nobody is shown where to sign in")
	}
	ended := make(chan Connection, 1)
	connector, err := NewConnector(ConnectorOptions{
		HTTPClient: o.HTTPClient, Timeout: o.Timeout, Now: o.Now, Logger: o.Logger,
		Done: func(_ context.Context, c Connection) error { ended <- c; return nil },
	})
	if err != nil {
		return Connection{}, err
	}
	listener, err := listenLoopback(ctx, cmp.Or(o.Listen, "127.0.0.1:0"))
	if err != nil {
		return Connection{}, err
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", connector) // and nothing else: browsers ask for icons
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // until Shutdown
	defer func() {
		// The page is on its way to the browser yet.
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
		serving.Wait()
	}()

	url, err := connector.Begin(o.Credentials, redirectTo(o.Credentials.Provider, listener), "")
	if err != nil {
		return Connection{}, err
	}
	if err := o.Show(url); err != nil {
		return Connection{}, err
	}
	select {
	case <-ctx.Done():
		return Connection{}, ctx.Err()
	case c := <-ended:
		if c.Failure != nil {
			return c, c.Failure
		}
		return c, nil
	}
}

func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("oauth: %q is no address and port of the loopback interface", addr)
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	return l, nil
}

// redirectTo is how the provider knows the listener. Microsoft disregards the
// port only of http://localhost; Google takes the address (RFC 8252 §8.3).
func redirectTo(p Provider, l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if p == Microsoft {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
