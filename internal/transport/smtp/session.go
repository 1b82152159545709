package smtp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/secret/conceal"
)

// A conn is a session with a server, ready for mails. It serves one at a time.
type conn struct {
	account, version string
	lease            Lease
	host             string // of the account, for provider rules
	wire             *wire
	nc               net.Conn      // wire, or TLS over it
	r                *bufio.Reader // of nc
	greeted          bool          // by the server
	secure           bool          // the handshake is done and the certificate verified
	extensions       extensions
	text             []byte       // of the last reply
	past             []byte       // the end of those before it
	out              []byte       // of the last commands
	secrets          *conceal.Set // that nothing shows which the server has sent
	facts            failure.Session

	broken    bool // not to be used again, not even for QUIT
	once      bool // closed after its first mail
	aborted   bool // a transaction was begun and not ended: RSET first
	mails     int
	idleSince time.Time
}

// connect dials and logs in.
func (t *Transport) connect(ctx context.Context, s *Server) (*conn, *failure.Failure) {
	c, f := t.dial(ctx, s)
	if f != nil {
		return nil, f
	}
	s.passed(failure.StageConnect)
	release := c.wire.hold(ctx)
	f = t.greet(ctx, c, s)
	if !release() && f == nil {
		f = c.fail(failure.StageEHLO, ctx.Err())
	}
	if f != nil {
		_ = c.nc.Close()
		return nil, f
	}
	t.options.Logger.Debug().Str("account", s.Account).Str("host", s.address()).Bool("tls", c.secure).Msg("smtp connection opened")
	return c, nil
}

// dial connects.
func (t *Transport) dial(ctx context.Context, s *Server) (*conn, *failure.Failure) {
	dialing, cancel := context.WithTimeout(ctx, t.options.Timeouts.Connect)
	defer cancel()
	raw, err := t.options.Dial(dialing, "tcp", s.address())
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		return nil, failure.Classify(failure.Cause{Stage: failure.StageConnect, Err: err, Host: s.Host})
	}
	w := &wire{Conn: raw}
	return &conn{
		account: s.Account, version: s.Version, once: s.Once, host: s.Host, wire: w, nc: w, r: bufio.NewReader(w),
		secrets: conceal.New(append(s.refused, s.Password)...), facts: failure.Session{Login: s.loginKind()},
	}, nil
}

// greet is everything up to the first MAIL.
func (t *Transport) greet(ctx context.Context, c *conn, s *Server) *failure.Failure {
	limits := &t.options.Timeouts
	if s.Encryption == TLS {
		if err := c.encrypt(ctx, t.tlsConfig(s), limits.TLS); err != nil {
			return c.unencrypted(err)
		}
		s.passed(failure.StageTLS)
	}
	if f := c.banner(limits.Banner); f != nil {
		return f
	}
	s.passed(failure.StageBanner)
	if f := c.hello(t.options.HELO, limits.EHLO); f != nil {
		return f
	}
	if s.Encryption == STARTTLS {
		if f := c.startTLS(ctx, t.tlsConfig(s), limits); f != nil {
			return f
		}
		s.passed(failure.StageTLS)
		if f := c.hello(t.options.HELO, limits.EHLO); f != nil { // RFC 3207 §4.2: forget the first
			return f
		}
	}
	if !s.Authentication {
		return nil
	}
	f := c.login(s, limits.Auth)
	if f == nil {
		s.passed(failure.StageAuth)
	}
	return f
}

// banner reads the server's greeting, in d.
func (c *conn) banner(d time.Duration) *failure.Failure {
	r, err := c.await(d)
	switch {
	case err != nil:
		return c.fail(failure.StageBanner, err)
	case r.code != 220: // RFC 5321 §4.2
		return failure.Classify(r.cause(failure.StageBanner, c.host))
	}
	c.greeted = true
	return nil
}

func (c *conn) encrypt(ctx context.Context, config *tls.Config, d time.Duration) error {
	if err := c.wire.within(d); err != nil {
		return err
	}
	nc := tls.Client(c.wire, config)
	if err := nc.HandshakeContext(ctx); err != nil {
		return c.wire.explain(err)
	}
	c.nc, c.secure = nc, true
	c.r = bufio.NewReader(nc)
	return nil
}

// startTLS is RFC 3207. Anything that the server, or somebody on the way, has
// sent after its reply would be read as if it had come encrypted.
func (c *conn) startTLS(ctx context.Context, config *tls.Config, limits *Timeouts) *failure.Failure {
	if !c.extensions.starttls {
		return c.fail(failure.StageSTARTTLS, failure.ErrNoSTARTTLS)
	}
	r, err := c.roundTrip("STARTTLS", limits.EHLO)
	switch {
	case err != nil:
		return c.fail(failure.StageSTARTTLS, err)
	case !r.positive():
		return failure.Classify(r.cause(failure.StageSTARTTLS, c.host))
	case c.r.Buffered() > 0:
		return c.fail(failure.StageSTARTTLS, textproto.ProtocolError("text after the reply to STARTTLS"))
	}
	if err := c.encrypt(ctx, config, limits.TLS); err != nil {
		return c.fail(failure.StageTLS, err)
	}
	return nil
}

// roundTrip sends one command and reads the reply, in d altogether.
func (c *conn) roundTrip(command string, d time.Duration) (reply, error) {
	if err := c.wire.within(d); err != nil {
		return reply{}, err
	}
	c.out = append(append(c.out[:0], command...), '\r', '\n')
	_, err := c.nc.Write(c.out)
	clear(c.out) // it may have been a password
	if err != nil {
		return reply{}, c.wire.explain(err)
	}
	return c.readReply()
}

// await reads the next reply, in d.
func (c *conn) await(d time.Duration) (reply, error) {
	if err := c.wire.within(d); err != nil {
		return reply{}, err
	}
	return c.readReply()
}

func (c *conn) readReply() (reply, error) {
	c.past = append(append(c.past, '\n'), c.text...)
	c.past = append(c.past[:0], c.past[max(0, len(c.past)-maxPast):]...)
	r, err := readReply(c.r, c.text)
	if what, ok := errors.AsType[malformed](err); ok {
		err = textproto.ProtocolError("malformed reply: " + c.conceal(string(what)))
	}
	if err != nil {
		c.text = c.text[:0]
		return reply{}, c.wire.explain(err)
	}
	r.conn, c.text = c, r.text
	return r, nil
}

// maxPast is how much of earlier replies is kept, in octets: the rest of a secret that
// began before that is long enough to be known by itself.
const maxPast = 64

// conceal takes the secrets that the server was told out of what it has sent last: also
// those that began in an earlier reply, or end in what it has sent already.
func (c *conn) conceal(text string) string {
	if c == nil || c.secrets.Empty() {
		return text
	}
	next, _ := c.r.Peek(c.r.Buffered())
	return c.secrets.Within(string(c.past), text, string(next))
}

// fail is the failure of an error: whatever it quotes of the server's, no secret shows.
func (c *conn) fail(stage failure.Stage, err error) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: stage, Err: err, Host: c.host, Session: c.facts, Conceal: c.conceal})
}

// quit is QUIT and the end of the connection, in d.
func (c *conn) quit(d time.Duration) {
	if !c.broken {
		_, _ = c.roundTrip("QUIT", d) // RFC 5321 §4.1.1.10: nothing depends on the reply
	}
	_ = c.nc.Close()
}

// session is what is known of the conversation so far.
func (c *conn) session() failure.Session {
	if c == nil {
		return failure.Session{}
	}
	return c.facts
}
