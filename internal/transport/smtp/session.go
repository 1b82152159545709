package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail/smtp"

	"github.com/rohrpost/rohrpost/internal/failure"
)

// A conn is a session with a server, ready for mails. It serves one at a time.
type conn struct {
	account, version string
	host             string // of the account, for provider rules
	wire             *wire
	nc               net.Conn       // wire, or TLS over it
	client           *gomail.Client // Client.Text reads from nc
	secure           bool           // the handshake is done and the certificate verified
	extensions       extensions
	text             []byte // of the last reply
	out              []byte // of the last commands

	broken    bool // not to be used again, not even for QUIT
	aborted   bool // a transaction was begun and not ended: RSET first
	mails     int
	idleSince time.Time
}

// extensions are what EHLO has offered, as far as it is of use.
type extensions struct {
	starttls, pipelining, smtputf8 bool
	maxSize                        int // RFC 1870 §4; 0: none is named
	size                           bool
	mechanisms                     []string // of AUTH, in capitals
}

// open connects and logs in.
func (t *Transport) open(ctx context.Context, s *Server) (*conn, *failure.Failure) {
	fail := func(stage failure.Stage, err error) *failure.Failure {
		return failure.Classify(failure.Cause{Stage: stage, Err: err, Host: s.Host})
	}
	dialing, cancel := context.WithTimeout(ctx, t.options.Timeouts.Connect)
	defer cancel()
	raw, err := t.options.Dial(dialing, "tcp", s.address())
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, fail(failure.StageConnect, err)
	}
	w := &wire{Conn: raw}
	c := &conn{account: s.Account, version: s.Version, host: s.Host, wire: w, nc: w}
	release := w.hold(ctx)
	f := t.greet(ctx, c, s)
	if !release() && f == nil {
		f = fail(failure.StageEHLO, ctx.Err())
	}
	if f != nil {
		_ = c.nc.Close()
		return nil, f
	}
	t.options.Logger.Debug().Str("account", s.Account).Str("host", s.address()).Bool("tls", c.secure).Msg("smtp connection opened")
	return c, nil
}

// greet is everything up to the first MAIL.
func (t *Transport) greet(ctx context.Context, c *conn, s *Server) *failure.Failure {
	limits := &t.options.Timeouts
	if s.Encryption == TLS {
		if err := c.encrypt(ctx, t.tlsConfig(s), limits.TLS); err != nil {
			return c.fail(failure.StageTLS, err)
		}
	}
	if err := c.wire.within(limits.Banner); err != nil {
		return c.fail(failure.StageBanner, err)
	}
	client, err := gomail.NewClient(c.nc, s.Host)
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		return failure.Classify(reply{code: e.Code, text: []byte(e.Msg)}.cause(failure.StageBanner, c.host))
	}
	if err != nil {
		return c.fail(failure.StageBanner, err)
	}
	c.client = client
	if f := c.hello(t.options.HELO, limits.EHLO); f != nil {
		return f
	}
	if s.Encryption == STARTTLS {
		if f := c.startTLS(ctx, t.tlsConfig(s), limits); f != nil {
			return f
		}
		if f := c.hello(t.options.HELO, limits.EHLO); f != nil { // RFC 3207 §4.2: forget the first
			return f
		}
	}
	if s.Authentication {
		return c.login(s, limits.Auth)
	}
	return nil
}

func (c *conn) encrypt(ctx context.Context, config *tls.Config, d time.Duration) error {
	if err := c.wire.within(d); err != nil {
		return err
	}
	nc := tls.Client(c.wire, config)
	if err := nc.HandshakeContext(ctx); err != nil {
		return err
	}
	c.nc, c.secure = nc, true
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
	case c.client.Text.R.Buffered() > 0:
		return c.fail(failure.StageSTARTTLS, textproto.ProtocolError("text after the reply to STARTTLS"))
	}
	if err := c.encrypt(ctx, config, limits.TLS); err != nil {
		return c.fail(failure.StageTLS, err)
	}
	c.client.Text = textproto.NewConn(c.nc)
	return nil
}

// hello is EHLO, or HELO for a server that does not know it (RFC 5321 §3.2).
func (c *conn) hello(name string, d time.Duration) *failure.Failure {
	if name == "" {
		name = literal(c.wire.LocalAddr())
	}
	r, err := c.roundTrip("EHLO "+name, d)
	if err == nil && (r.code == 500 || r.code == 502) {
		r, err = c.roundTrip("HELO "+name, d)
		r.text = nil // no extensions
	}
	switch {
	case err != nil:
		return c.fail(failure.StageEHLO, err)
	case !r.positive():
		return failure.Classify(r.cause(failure.StageEHLO, c.host))
	}
	c.extensions = parseExtensions(r.lines())
	return nil
}

// literal is RFC 5321 §4.1.3.
func literal(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// parseExtensions reads the lines of an EHLO reply; the first is a greeting.
func parseExtensions(lines []string) extensions {
	var x extensions
	for _, line := range lines[1:] {
		words := strings.Fields(strings.ToUpper(line))
		if len(words) == 0 {
			continue
		}
		switch keyword, parameters := words[0], words[1:]; keyword {
		case "STARTTLS":
			x.starttls = true
		case "PIPELINING":
			x.pipelining = true
		case "SMTPUTF8":
			x.smtputf8 = true
		case "SIZE":
			x.size = true
			if len(parameters) > 0 {
				if n, err := strconv.Atoi(parameters[0]); err == nil && n > 0 {
					x.maxSize = n
				}
			}
		case "AUTH":
			x.mechanisms = parameters
		}
	}
	return x
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

func (c *conn) readReply() (reply, error) {
	r, err := readReply(c.client.Text.R, c.text)
	if err != nil {
		return reply{}, c.wire.explain(err)
	}
	c.text = r.text
	return r, nil
}

func (c *conn) fail(stage failure.Stage, err error) *failure.Failure {
	return failure.Classify(failure.Cause{Stage: stage, Err: c.wire.explain(err), Host: c.host})
}

// quit is QUIT and the end of the connection, in d.
func (c *conn) quit(d time.Duration) {
	if !c.broken {
		_, _ = c.roundTrip("QUIT", d) // RFC 5321 §4.1.1.10: nothing depends on the reply
	}
	_ = c.nc.Close()
}
