package smtp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail/smtp"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// maxChallenges is one more than SCRAM, the longest exchange here, needs.
const maxChallenges = 4

// login is AUTH (RFC 4954). A token never goes over a connection that others can
// read, whatever the settings allow.
func (c *conn) login(s *Server, d time.Duration) *failure.Failure {
	if !c.secure && (s.Token != nil || s.Encryption != None || !s.AllowPlaintextLogin) {
		return c.fail(failure.StageAuth, gomail.ErrUnencrypted)
	}
	c.secrets.Add(s.Password.Reveal())
	auth := c.mechanism(s)
	if auth == nil {
		return c.fail(failure.StageAuth, fmt.Errorf("%w: offered are %q", failure.ErrNoAuth, c.extensions.mechanisms))
	}
	r, err := c.converse(auth, &gomail.ServerInfo{Name: s.Host, TLS: c.secure, Auth: c.extensions.mechanisms}, d)
	switch {
	case err != nil:
		return c.fail(failure.StageAuth, err)
	case !r.positive():
		cause := r.cause(failure.StageAuth, c.host)
		if s.Token != nil {
			cause.APICode = "XOAUTH2" // the same words mean another thing of a token than of a password
		}
		return failure.Classify(cause)
	}
	return nil
}

// mechanism is the first that the server offers, nil if none is known. Under TLS
// those come first that every server gets right, without it those that do not
// show the password.
func (c *conn) mechanism(s *Server) gomail.Auth {
	if s.Token != nil {
		return c.bearer(s)
	}
	order := []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"}
	if !c.secure {
		order = []string{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}
	}
	password, plaintext := s.Password.Reveal(), !c.secure
	for _, name := range order {
		if !slices.Contains(c.extensions.mechanisms, name) {
			continue
		}
		switch name {
		case "PLAIN":
			return gomail.PlainAuth("", s.Username, password, s.Host, plaintext)
		case "LOGIN":
			return gomail.LoginAuth(s.Username, password, s.Host, plaintext)
		case "SCRAM-SHA-256":
			return newScram(s.Username, password)
		case "CRAM-MD5":
			return gomail.CRAMMD5Auth(s.Username, password)
		}
	}
	return nil
}

// converse is the exchange up to the reply that is no challenge.
func (c *conn) converse(auth gomail.Auth, info *gomail.ServerInfo, d time.Duration) (reply, error) {
	name, initial, err := auth.Start(info)
	if err != nil {
		return reply{}, err
	}
	command := "AUTH " + name
	if initial != nil {
		text := base64.StdEncoding.EncodeToString(initial)
		c.secrets.Add(text)
		command += " " + text
	}
	for range maxChallenges {
		r, err := c.roundTrip(command, d)
		if err != nil || r.code != 334 {
			return r, err
		}
		challenge, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(r.text)))
		if err != nil {
			return reply{}, fmt.Errorf("challenge: %w", err)
		}
		if len(challenge) > maxChallenge {
			return reply{}, textproto.ProtocolError("a challenge without end")
		}
		if err := c.wire.within(d); err != nil { // nobody waits for the answer any more
			return reply{}, err
		}
		answer, err := auth.Next(challenge, true)
		switch {
		case errors.Is(err, gomail.ErrUnexpectedServerResponse):
			return reply{}, gomail.ErrUnexpectedServerResponse // without the challenge, which may echo a secret
		case err != nil:
			return reply{}, err
		}
		command = base64.StdEncoding.EncodeToString(answer)
		c.secrets.Add(command) // a proof, from which the password can be guessed
	}
	return reply{}, textproto.ProtocolError("challenges without end")
}
