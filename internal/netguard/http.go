package netguard

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	maxRedirects = 3
	httpTimeout  = 30 * time.Second // of a request with its redirects and its body
)

// What the HTTP client does not do.
var (
	ErrNotHTTPS  = errors.New("only https is allowed")
	ErrRedirects = errors.New("too many redirects")
	ErrMovedBody = errors.New("a redirect would send the request's body, perhaps a secret, to another host")
)

// HTTPClient is a client over Transport with a timeout of 30 s. It follows three
// redirects, none of which takes a body to another host. Each call makes one with
// connections of its own: keep it.
func (g *Guard) HTTPClient() *http.Client {
	return &http.Client{Transport: g.Transport(), Timeout: httpTimeout, CheckRedirect: checkRedirect}
}

func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return ErrRedirects
	case r.Body != nil && r.Body != http.NoBody && r.URL.Host != via[0].URL.Host: // 307, 308
		return ErrMovedBody
	}
	return nil
}

// Transport does each request, and each redirect, over https and to allowed
// addresses alone. It uses no proxy, whatever the environment says: a proxy
// looks names up by itself, and nobody could judge where it connects to.
func (g *Guard) Transport() http.RoundTripper {
	return &transport{http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return g.dial(ctx, network, address, g.webPorts)
		},
		TLSClientConfig:        &tls.Config{RootCAs: g.options.RootCAs, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true, // a DialContext turns it off
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  httpTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConns:           100,
		IdleConnTimeout:        90 * time.Second,
	}}
}

type transport struct{ http.Transport }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		if r.Body != nil {
			_ = r.Body.Close() // http.RoundTripper: also on errors
		}
		return nil, ErrNotHTTPS
	}
	return t.Transport.RoundTrip(r)
}
