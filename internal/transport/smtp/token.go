package smtp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	gomail "github.com/wneessen/go-mail/smtp"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret"
)

// maxAuthLine is the longest AUTH with an initial response (RFC 4954 §4 names
// 12288 octets as enough for every mechanism in use).
const maxAuthLine = 12288

// enter connects and logs in. A server that refuses an access token gets one more
// try with another, on a new connection: many close the one that failed, and
// Google wants no second AUTH on it (503).
func (t *Transport) enter(ctx context.Context, s *Server) (*conn, *failure.Failure) {
	if !s.Authentication || s.Token == nil {
		return t.connect(ctx, s)
	}
	s, f := s.withToken(ctx, secret.String{})
	if f != nil {
		return nil, f
	}
	s.passed(failure.StageToken)
	c, f := t.connect(ctx, s)
	if f == nil || f.Stage != failure.StageAuth || f.Code/100 != 5 {
		return c, f
	}
	t.options.Logger.Debug().Str("account", s.Account).Str("host", s.address()).Int("reply_code", f.Code).Msg("access token refused, asking for another")
	refused := f
	if s, f = s.withToken(ctx, s.Password); f != nil {
		return nil, f.Following(refused)
	}
	return t.connect(ctx, s)
}

// withToken is the server with an access token for its password; not with the
// one that was rejected.
func (s *Server) withToken(ctx context.Context, rejected secret.String) (*Server, *failure.Failure) {
	token, err := s.Token(ctx, rejected)
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return nil, f
	}
	if err != nil {
		return nil, failure.Classify(failure.Cause{Stage: failure.StageToken, Err: err, Host: s.Host, Session: failure.Session{Login: s.loginKind()}})
	}
	with := *s
	with.Password = token
	if !rejected.IsZero() {
		with.refused = append(slices.Clone(s.refused), rejected)
	}
	return &with, nil
}

// A bearer is the login with an access token: XOAUTH2, or OAUTHBEARER (RFC 7628).
type bearer struct {
	mechanism string
	response  []byte // nil when it is sent
	dismissal []byte // ends the exchange after the challenge that says why the token is refused
}

// bearer is the mechanism that the server offers, nil if it offers none.
func (c *conn) bearer(s *Server) gomail.Auth {
	token := s.Password.Reveal()
	switch {
	case slices.Contains(c.extensions.mechanisms, "XOAUTH2"):
		return &bearer{
			mechanism: "XOAUTH2",
			response:  fmt.Appendf(nil, "user=%s\x01auth=Bearer %s\x01\x01", s.Username, token),
			dismissal: []byte{},
		}
	case slices.Contains(c.extensions.mechanisms, "OAUTHBEARER"):
		name := strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s.Username) // RFC 5801 §4
		host, port, _ := net.SplitHostPort(s.address())
		return &bearer{
			mechanism: "OAUTHBEARER",
			response:  fmt.Appendf(nil, "n,a=%s,\x01host=%s\x01port=%s\x01auth=Bearer %s\x01\x01", name, host, port, token),
			dismissal: []byte{1}, // RFC 7628 §3.2.3
		}
	}
	return nil
}

// Start sends the response with the command, if the line is not too long for it.
func (b *bearer) Start(*gomail.ServerInfo) (mechanism string, initial []byte, err error) {
	if len("AUTH  \r\n")+len(b.mechanism)+base64.StdEncoding.EncodedLen(len(b.response)) > maxAuthLine {
		return b.mechanism, nil, nil
	}
	initial, b.response = b.response, nil
	return b.mechanism, initial, nil
}

// Next answers a challenge.
func (b *bearer) Next([]byte, bool) ([]byte, error) {
	if b.response == nil {
		return b.dismissal, nil
	}
	answer := b.response
	b.response = nil
	return answer, nil
}
