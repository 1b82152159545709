package smtp

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/transport"
)

// Encryption is how a connection is protected.
type Encryption string

// The ways, as in the settings of an account.
const (
	None     Encryption = "none"
	STARTTLS Encryption = "starttls" // mandatory: without it no mail and no login
	TLS      Encryption = "tls"      // implicit, RFC 8314 §3.3
)

// A Server is what is needed to reach an account's server.
type Server struct {
	Account        string // id of the account: connections are shared and limited within it
	Version        string // of settings and secret: a new version gets new connections
	Host           string // name or IP address; the certificate must be for it
	Port           int
	Encryption     Encryption
	Authentication bool // log in
	Username       string
	Password       secret.String
	// Token, when set, is asked for an access token to log in with, as XOAUTH2 or
	// OAUTHBEARER, in place of Password: Username is the address of the mailbox.
	// A new token needs no new Version: a session that is logged in stays good.
	Token transport.TokenSource
	// OwnToken says that the tokens are the application's own: no person has connected
	// the account, nor can.
	OwnToken bool
	// AllowPlaintextLogin is needed to log in with Encryption None.
	AllowPlaintextLogin bool
	Guard               Guard // of the connections; nil: none
	MaxConnections      int   // at a time, over all workers with a Guard; 0: that of the Options
	Once                bool  // the connection is closed after the mail
	// Passed is called with each stage that has gone well; nil: nobody looks. What a
	// connection does anew it tells anew.
	Passed func(failure.Stage)

	refused []secret.String // access tokens that the server knows, too
}

func (s *Server) passed(stage failure.Stage) {
	if s.Passed != nil {
		s.Passed(stage)
	}
}

// check finds settings with which no connection must be tried. The error wraps
// failure.ErrSettings.
func (s *Server) check() error {
	var errs []error
	if _, err := s.hostname(); err != nil {
		errs = append(errs, err)
	}
	if s.Port < 1 || s.Port > 65535 {
		errs = append(errs, fmt.Errorf("port %d is not within 1 to 65535", s.Port))
	}
	switch s.Encryption {
	case None, STARTTLS, TLS:
	default:
		errs = append(errs, fmt.Errorf("encryption %q is not one of none, starttls, tls", s.Encryption))
	}
	if s.Authentication {
		errs = append(errs, s.checkLogin())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %s", failure.ErrSettings, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

func (s *Server) checkLogin() error {
	switch {
	case s.Token != nil:
		return s.checkTokenLogin()
	case s.Username == "" || s.Password.IsZero():
		return errors.New("user name or password is missing")
	case strings.Contains(s.Username, "\x00") || strings.Contains(s.Password.Reveal(), "\x00"):
		return errors.New("user name or password has a NUL") // the separator of PLAIN, RFC 4616 §2
	case s.Encryption == None && !s.AllowPlaintextLogin:
		return errors.New("a login without encryption is not allowed")
	}
	return nil
}

func (s *Server) checkTokenLogin() error {
	switch {
	case s.Username == "":
		return errors.New("user name is missing")
	case strings.Contains(s.Username, "\x01"):
		return errors.New("user name has a control character") // the separator of XOAUTH2
	case s.Encryption == None:
		return errors.New("a login with a token needs encryption")
	}
	return nil
}

// loginKind is how the account logs in.
func (s *Server) loginKind() failure.Login {
	switch {
	case !s.Authentication:
		return failure.LoginNone
	case s.Token == nil:
		return failure.LoginPassword
	case s.OwnToken:
		return failure.LoginApp
	}
	return failure.LoginToken
}

// hostname is the name to dial and to find in the certificate: A-labels, or an
// IP address without brackets.
func (s *Server) hostname() (string, error) {
	if inner, ok := strings.CutPrefix(s.Host, "["); ok {
		inner = strings.TrimSuffix(inner, "]")
		if _, err := netip.ParseAddr(inner); err != nil {
			return "", fmt.Errorf("host %q is no address", s.Host)
		}
		return inner, nil
	}
	if _, err := netip.ParseAddr(s.Host); err == nil {
		return s.Host, nil
	}
	name, err := idna.Lookup.ToASCII(s.Host)
	if err != nil || name == "" {
		return "", fmt.Errorf("host %q is no name", s.Host)
	}
	return name, nil
}

// address is host:port, for dialing and for people.
func (s *Server) address() string {
	name, err := s.hostname()
	if err != nil {
		name = s.Host
	}
	return net.JoinHostPort(name, strconv.Itoa(s.Port))
}

func (t *Transport) tlsConfig(s *Server) *tls.Config {
	name, _ := s.hostname() // check has been here
	return &tls.Config{ServerName: name, RootCAs: t.options.RootCAs, MinVersion: tls.VersionTLS12}
}

func (t *Transport) limit(s *Server) int { return cmp.Or(s.MaxConnections, t.options.MaxConnections) }
