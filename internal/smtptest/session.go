package smtptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
)

const maxLine = 64 << 10 // octets of a command or body line

var errHung = errors.New("the script ends the session")

// A session is one connection. Its methods return an error to end it.
type session struct {
	server   *Server
	raw      net.Conn // to cut
	conn     net.Conn // raw, or TLS over it
	r        *bufio.Reader
	w        *bufio.Writer // flushed when no further command waits (RFC 2920 §3.2)
	number   int
	once     sync.Once
	gone     chan struct{} // closed by hangUp
	excess   bool          // one too many
	leaving  bool          // the client has said QUIT; with the server's lock
	secure   bool
	greeted  bool
	known    bool   // logged in
	username string // of the login
	mail     *Mail
}

func (ss *session) run() {
	ss.use(ss.raw)
	if ss.excess {
		_ = ss.say(Banner, 421, "4.7.0 too many connections")
		return
	}
	if ss.server.options.Implicit && ss.encrypt() != nil {
		return
	}
	if ss.say(Banner, 220, "smtptest.example ESMTP") != nil {
		return
	}
	for {
		line, err := ss.line()
		if err != nil || ss.command(line) != nil {
			return
		}
	}
}

func (ss *session) use(c net.Conn) {
	ss.conn, ss.r, ss.w = c, bufio.NewReaderSize(c, maxLine), bufio.NewWriter(c)
}

func (ss *session) hangUp() {
	ss.once.Do(func() {
		_ = ss.raw.Close()
		close(ss.gone)
	})
}

// encrypt drops what was read ahead, as RFC 3207 §5 demands.
func (ss *session) encrypt() error {
	if ss.w.Flush() != nil {
		return errHung
	}
	c := tls.Server(ss.raw, ss.server.options.TLS)
	if err := c.Handshake(); err != nil {
		return err
	}
	ss.use(c)
	ss.secure, ss.greeted, ss.mail = true, false, nil
	return nil
}

// line reads up to CRLF. A bare LF is part of the line.
func (ss *session) line() (string, error) {
	var b []byte
	for {
		part, err := ss.r.ReadSlice('\n')
		b = append(b, part...)
		switch {
		case err != nil:
			return "", err
		case bytes.HasSuffix(b, []byte("\r\n")):
			return string(b[:len(b)-2]), nil
		case len(b) > maxLine:
			return "", bufio.ErrTooLong
		}
	}
}

func (ss *session) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb := Stage(strings.ToUpper(verb)); verb {
	case EHLO, HELO:
		return ss.hello(verb)
	case STARTTLS:
		return ss.startTLS()
	case AUTH:
		return ss.auth(rest)
	case MAIL:
		return ss.mailFrom(rest)
	case RCPT:
		return ss.rcptTo(rest)
	case DATA:
		return ss.data()
	case RSET:
		ss.mail = nil
		return ss.say(RSET, 250, "2.0.0 flushed")
	case NOOP:
		return ss.say(NOOP, 250, "2.0.0 ok")
	case QUIT:
		ss.server.mu.Lock()
		ss.leaving = true
		ss.server.mu.Unlock()
		if err := ss.say(QUIT, 221, "2.0.0 bye"); err != nil {
			return err
		}
		return io.EOF
	default:
		return ss.say(verb, 500, "5.5.2 unknown command")
	}
}

func (ss *session) hello(verb Stage) error {
	o := &ss.server.options
	var extensions []string
	if verb == EHLO {
		extensions = slices.Clone(o.Extensions)
		if o.TLS != nil && !ss.secure {
			extensions = append(extensions, "STARTTLS")
		}
		if o.login() {
			extensions = append(extensions, "AUTH "+strings.Join(o.Mechanisms, " "))
		}
	}
	ss.greeted, ss.mail = true, nil
	return ss.say(verb, 250, "smtptest.example", extensions...)
}

func (ss *session) startTLS() error {
	if ss.server.options.TLS == nil || ss.secure {
		return ss.say(STARTTLS, 502, "5.5.1 not offered")
	}
	sent, err := ss.answer(ss.server.visit(STARTTLS), 220, "2.0.0 go ahead")
	if err != nil || sent != 220 {
		return err
	}
	return ss.encrypt()
}

func (ss *session) mailFrom(rest string) error {
	switch {
	case !ss.greeted:
		return ss.say(MAIL, 503, "5.5.1 EHLO first")
	case ss.mail != nil:
		return ss.say(MAIL, 503, "5.5.1 nested MAIL")
	case ss.server.options.login() && !ss.known:
		return ss.say(MAIL, 530, "5.7.0 authentication required")
	}
	path, parameters, ok := cutPath(rest, "FROM:")
	if !ok {
		return ss.say(MAIL, 501, "5.5.4 syntax")
	}
	sent, err := ss.answer(ss.server.visit(MAIL), 250, "2.1.0 sender ok")
	if sent/100 == 2 {
		ss.mail = &Mail{
			Session: ss.number, ReversePath: path, Parameters: parameters,
			TLS: ss.secure, Username: ss.username,
		}
	}
	return err
}

func (ss *session) rcptTo(rest string) error {
	if ss.mail == nil {
		return ss.say(RCPT, 503, "5.5.1 MAIL first")
	}
	path, _, ok := cutPath(rest, "TO:")
	if !ok || path == "" {
		return ss.say(RCPT, 501, "5.5.4 syntax")
	}
	sent, err := ss.answer(ss.server.visit(RCPT, Recipient(path)), 250, "2.1.5 recipient ok")
	if sent/100 == 2 {
		ss.mail.Recipients = append(ss.mail.Recipients, path)
	}
	return err
}

// cutPath splits `FROM:<path> parameters`.
func cutPath(s, prefix string) (path, parameters string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", "", false
	}
	s, ok = strings.CutPrefix(s[len(prefix):], "<")
	if !ok {
		return "", "", false
	}
	path, parameters, ok = strings.Cut(s, ">")
	return path, strings.TrimPrefix(parameters, " "), ok
}

func (ss *session) data() error {
	usual, text := 354, "go ahead"
	if ss.mail == nil || len(ss.mail.Recipients) == 0 {
		usual, text = 554, "5.5.1 no valid recipients" // a script can say 354 (RFC 2920 §3.1)
	}
	sent, err := ss.answer(ss.server.visit(DATA), usual, text)
	if err != nil || sent != 354 {
		return err
	}
	if err := ss.w.Flush(); err != nil {
		return err
	}
	body, err := ss.body()
	if err != nil {
		return err
	}
	mail := ss.mail
	ss.mail = nil
	if mail == nil || len(mail.Recipients) == 0 {
		return ss.say(Dot, 554, "5.5.1 no valid recipients")
	}
	mail.Body = body
	answer := ss.server.visit(Dot)
	if answer.take || answer.usual() || (code(answer.raw)/100 == 2) {
		ss.server.take(mail)
	}
	_, err = ss.answer(answer, 250, "2.0.0 taken")
	return err
}

func (s *Server) take(m *Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	if !s.options.Discard {
		s.mails = append(s.mails, *m)
	}
}

// body reads to the line with a lone dot and takes the dot-stuffing off. Only
// CRLF ends a line.
func (ss *session) body() ([]byte, error) {
	var body []byte
	for lineStart, first := true, true; ; first = false {
		part, err := ss.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if first {
			if answer := ss.server.visit(Body); !answer.usual() {
				return nil, ss.breakOff(answer)
			}
		}
		if lineStart && string(part) == ".\r\n" {
			return body, nil
		}
		if lineStart && part[0] == '.' {
			part = part[1:]
		}
		body = append(body, part...)
		lineStart = bytes.HasSuffix(part, []byte("\r\n"))
	}
}

// breakOff is a scripted answer in the middle of the body. It ends the session:
// at once if it cuts, else when the server is closed: it does not read on.
func (ss *session) breakOff(a Answer) error {
	if _, err := ss.w.WriteString(a.raw); err != nil {
		return err
	}
	if err := ss.w.Flush(); err != nil {
		return err
	}
	if !a.cut {
		<-ss.gone
		return errHung
	}
	_, err := ss.answer(Answer{cut: true, reset: a.reset}, 0, "")
	return err
}

func (ss *session) say(stage Stage, code int, line string, more ...string) error {
	_, err := ss.answer(ss.server.visit(stage), code, line, more...)
	return err
}

// answer does what the script says, or else sends the usual reply. It returns
// the code that was sent.
func (ss *session) answer(a Answer, usual int, line string, more ...string) (int, error) {
	if a.usual() {
		a.raw = Reply(usual, line, more...).raw
	}
	_, _ = ss.w.WriteString(a.raw) // Flush has the error
	if ss.r.Buffered() == 0 || a.cut || a.silent {
		if err := ss.w.Flush(); err != nil {
			return 0, err
		}
	}
	switch {
	case a.silent:
		_, _ = io.Copy(io.Discard, ss.raw)
		return 0, errHung
	case a.cut:
		if c, ok := ss.raw.(*net.TCPConn); ok && a.reset {
			_ = c.SetLinger(0)
		}
		return 0, errHung
	}
	return code(a.raw), nil
}
