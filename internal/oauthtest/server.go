package oauthtest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// ServiceEmail is the name of the service account.
const ServiceEmail = "robot@project.iam.gserviceaccount.example"

// keyID names the key of the service account and of ID tokens.
const keyID = "key-1"

// Options of a server. The zero value does not rotate refresh tokens, and knows
// one client without a secret.
type Options struct {
	TLS          bool
	Certificate  *tls.Config   // with TLS; nil: that of net/http/httptest
	Listener     net.Listener  // closed by the server; nil: a free port of 127.0.0.1
	ClientID     string        // "": "client-1"
	ClientSecret string        // "": a public client
	Scope        string        // that a request must name, if it names any; "": any
	Lifetime     time.Duration // of an access token; 0: 1 h
	Rotate       bool          // a refresh brings a new refresh token
	Strict       bool          // and ends the old one
}

// A Server is a scripted OAuth 2.0 server.
type Server struct {
	options Options
	tb      testing.TB
	http    *httptest.Server
	closing chan struct{}
	key     func() *rsa.PrivateKey // of the service account

	mu        sync.Mutex
	always    Answer
	once      []Answer
	denial    string
	scope     string // granted instead of what was asked for
	noRefresh bool
	requests  []Request
	access    map[string]string // token → mailbox, "" for an application
	refresh   map[string]string // token → mailbox
	codes     map[string]code
	mailbox   string         // that signs in
	claims    map[string]any // of ID tokens, beside the usual ones
}

// A Request is what came to the token endpoint.
type Request struct {
	Grant string // grant_type
	Scope string
	Token string // the refresh token, if any
}

// Start starts a server, which is closed when the test ends.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	o.ClientID, o.Lifetime = cmp.Or(o.ClientID, "client-1"), cmp.Or(o.Lifetime, time.Hour)
	s := &Server{
		options: o, tb: tb, closing: make(chan struct{}),
		access: make(map[string]string), refresh: make(map[string]string), codes: make(map[string]code),
		mailbox: "max@acme.example",
	}
	s.key = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /jwks", s.jwks)
	s.http = httptest.NewUnstartedServer(mux)
	s.http.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	s.http.TLS = o.Certificate
	if o.Listener != nil {
		_ = s.http.Listener.Close()
		s.http.Listener = o.Listener
	}
	if o.TLS {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	tb.Cleanup(s.close)
	return s
}

func (s *Server) close() {
	close(s.closing)
	s.http.Close()
}

// TokenURL is the token endpoint.
func (s *Server) TokenURL() string { return s.http.URL + "/token" }

// AuthURL is the authorization endpoint.
func (s *Server) AuthURL() string { return s.http.URL + "/authorize" }

// Client trusts the server's certificate.
func (s *Server) Client() *http.Client { return s.http.Client() }

// Connect gives a refresh token for a mailbox.
func (s *Server) Connect(mailbox string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newRefreshLocked(mailbox)
}

// Accept lets a refresh token of an earlier server serve for a mailbox.
func (s *Server) Accept(refresh, mailbox string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh[refresh] = mailbox
}

// Valid reports whether an access token is one that was issued and not revoked.
func (s *Server) Valid(access string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.access[access]
	return ok
}

// Mailbox is the owner of an access token, "" for that of an application.
func (s *Server) Mailbox(access string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access[access]
}

// Revoke ends an access token, or a refresh token.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.access, token)
	delete(s.refresh, token)
}

// Requests are those that came to the token endpoint, also the ones that were
// answered otherwise than usual.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Count is the number of requests with this grant_type; "": of all.
func (s *Server) Count(grant string) int {
	n := 0
	for _, r := range s.Requests() {
		if grant == "" || r.Grant == grant {
			n++
		}
	}
	return n
}

// ServiceAccountKey is the JSON key file of the service account.
func (s *Server) ServiceAccountKey() string {
	der, err := x509.MarshalPKCS8PrivateKey(s.key())
	if err != nil {
		s.tb.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{ //nolint:gosec // a key of this test
		"type": "service_account", "client_email": ServiceEmail, "private_key_id": keyID,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "https://elsewhere.example/token",
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return string(b)
}

// newAccessLocked makes an access token of a mailbox; newRefreshLocked, a refresh token.
func (s *Server) newAccessLocked(mailbox string) string {
	t := "access-" + rand.Text() + rand.Text()
	s.access[t] = mailbox
	return t
}

func (s *Server) newRefreshLocked(mailbox string) string {
	t := "refresh-" + rand.Text() + rand.Text()
	s.refresh[t] = mailbox
	return t
}
