package chaos

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// How servers differ. The first is the platform's.
const servers = 6

func serverName(i int) string {
	return []string{"platform", "plain", "lines", "starttls", "secure", "open"}[i]
}

// A server takes mails, unless it has a whim, and writes them into the books.
type server struct {
	name                    string
	tls                     *tls.Config // nil: none
	implicit                bool
	login, pipelining, size bool
	whims                   *whims
	books                   *books
	accepted                func(id, recipient string) bool // what the ledger says at this moment

	listener net.Listener
	wg       sync.WaitGroup
	stop     chan struct{}
	mu       sync.Mutex
	open     map[net.Conn]bool
	number   int
}

func (s *server) start(t *testing.T) {
	t.Helper()
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.stop, s.open = make(chan struct{}), map[net.Conn]bool{}
	s.wg.Go(s.accept)
	t.Cleanup(s.close)
}

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.number++
		s.open[c] = true
		x := &session{server: s, raw: c, place: s.name + " " + strconv.Itoa(s.number)}
		s.mu.Unlock()
		s.wg.Go(func() {
			x.use(c)
			_ = x.run()
			_ = c.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.open, c)
		})
	}
}

func (s *server) close() {
	_ = s.listener.Close()
	close(s.stop)
	s.mu.Lock()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// A session is one connection. What its methods return as error ends it.
type session struct {
	*server
	raw   net.Conn
	conn  net.Conn // raw, or TLS over it
	r     *bufio.Reader
	place string
	mails int

	secure, mail bool
	recipients   []string
	again        []string // of them, whom the ledger calls accepted
	last         *parcel  // taken, and 250 sent
}

var errWhim = errors.New("a whim")

func (x *session) use(c net.Conn) { x.conn, x.r = c, bufio.NewReaderSize(c, 64<<10) }

func (x *session) run() error {
	if x.implicit {
		if err := x.encrypt(); err != nil {
			return err
		}
	}
	if _, err := x.say(atBanner, x.place, "220 chaos.example ESMTP"); err != nil {
		return err
	}
	for {
		line, err := x.line()
		if err != nil {
			return err
		}
		if err := x.command(line); err != nil {
			return err
		}
	}
}

// line is the next command. A client that sends one has read the reply before.
func (x *session) line() (string, error) {
	line, err := x.r.ReadString('\n')
	if err == nil && x.last != nil {
		x.books.mu.Lock()
		x.last.seen = true
		x.books.mu.Unlock()
		x.last = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

func (x *session) encrypt() error {
	c := tls.Server(x.raw, x.tls)
	if err := c.Handshake(); err != nil {
		return err
	}
	x.use(c)
	x.secure = true
	return nil
}

func (x *session) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		_, err := x.say(atEHLO, x.place, x.hello())
		return err
	case "STARTTLS":
		code, err := x.say(atSTARTTLS, x.place, "220 2.0.0 go ahead")
		if err != nil || code != 220 {
			return err
		}
		return x.encrypt()
	case "AUTH":
		_, err := x.say(atAUTH, x.place, "235 2.7.0 welcome")
		return err
	case "MAIL":
		x.mails++
		code, err := x.say(atMAIL, x.place+" "+strconv.Itoa(x.mails), "250 2.1.0 sender ok")
		x.mail, x.recipients, x.again = code/100 == 2, nil, nil
		return err
	case "RCPT":
		return x.rcpt(rest)
	case "DATA":
		return x.data()
	case "RSET", "NOOP":
		x.mail, x.recipients = false, nil
		return x.write("250 2.0.0 ok\r\n")
	case "QUIT":
		_ = x.write("221 2.0.0 bye\r\n")
		return io.EOF
	}
	return x.write("500 5.5.1 what\r\n")
}

func (x *session) hello() string {
	lines := []string{"chaos.example", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if x.pipelining {
		lines = append(lines, "PIPELINING")
	}
	if x.size {
		lines = append(lines, "SIZE 30000000")
	}
	if x.tls != nil && !x.secure {
		lines = append(lines, "STARTTLS")
	}
	if x.login {
		lines = append(lines, "AUTH PLAIN")
	}
	last := len(lines) - 1
	return "250-" + strings.Join(lines[:last], "\r\n250-") + "\r\n250 " + lines[last]
}

func (x *session) rcpt(rest string) error {
	_, path, _ := strings.Cut(rest, "<")
	path, _, _ = strings.Cut(path, ">")
	if !x.mail {
		return x.write("503 5.5.1 MAIL first\r\n")
	}
	code, err := x.say(atRCPT, path+" "+strconv.Itoa(x.books.visit("RCPT "+path)), "250 2.1.5 recipient ok")
	if code/100 == 2 {
		x.recipients = append(x.recipients, path)
	}
	return err
}

// data is DATA and the mail. Between the 354 and the dot a worker tells the
// ledger: who is called accepted before the 354 must not get the mail now.
func (x *session) data() error {
	if !x.mail || len(x.recipients) == 0 {
		return x.write("554 5.5.1 no valid recipients\r\n")
	}
	id := idOf(x.recipients[0])
	for _, r := range x.recipients {
		had := 0
		x.books.with(id, func(m *mailing) { had = m.has(r) })
		if had > 0 && x.accepted(id, r) {
			x.again = append(x.again, r)
		}
	}
	place := x.recipients[0] + " " + strconv.Itoa(x.books.visit("DATA "+x.recipients[0]))
	code, err := x.say(atDATA, place, "354 go ahead")
	if err != nil || code != 354 {
		return err
	}
	var body []byte
	for broken := x.whims.at(atBody, place); ; {
		line, err := x.r.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if broken.mute && len(body) > 100 {
			return x.leave(broken)
		}
		if string(line) == ".\r\n" {
			break
		}
		body = append(body, line...)
	}
	return x.dot(place, id, body)
}

func (x *session) dot(place, id string, body []byte) error {
	x.mail = false
	w := x.whims.at(atDot, place)
	p := &parcel{recipients: x.recipients}
	if w.take || !w.mute && !w.part && (w.reply == "" || w.reply[0] == '2') {
		if w.late {
			x.pause(w.wait)
			w.wait = 0
		}
		x.take(p, id, body)
	}
	code, err := x.act(w, "250 2.0.0 taken")
	if err == nil && code == 250 {
		x.last = p
	}
	return err
}

// take is what makes a server answerable for a mail.
func (x *session) take(p *parcel, id string, body []byte) {
	parsed, err := mail.ReadMessage(bytes.NewReader(body))
	x.books.with(id, func(m *mailing) {
		p.at = time.Now()
		if err == nil {
			p.messageID = parsed.Header.Get("Message-ID")
		}
		for _, r := range p.recipients {
			if idOf(r) != id {
				m.broken = append(m.broken, "a recipient of another mail: "+r)
			}
		}
		if !bytes.Contains(body, []byte(marker(id))) {
			m.broken = append(m.broken, fmt.Sprintf("a mail without its end, %d bytes, %v", len(body), err))
		}
		m.copies = append(m.copies, p)
		m.afterAccepted = append(m.afterAccepted, x.again...)
	})
}

// say answers as is usual, or by a whim.
func (x *session) say(at stage, place, usual string) (code int, err error) {
	return x.act(x.whims.at(at, place), usual)
}

// act answers, and returns the code that the client was told.
func (x *session) act(w whim, usual string) (code int, err error) {
	text := usual
	if w.reply != "" {
		text = w.reply
	}
	x.pause(w.wait)
	text += "\r\n"
	switch {
	case w.mute:
		return 0, x.leave(w)
	case w.part:
		_ = x.write(text[:len(text)/2])
		return 0, x.leave(w)
	case w.slow > 0:
		for i := range len(text) {
			x.pause(w.slow)
			if err := x.write(text[i : i+1]); err != nil {
				return 0, err
			}
		}
	default:
		if err := x.write(text); err != nil {
			return 0, err
		}
	}
	code, _ = strconv.Atoi(text[:min(3, len(text))])
	if code == 421 {
		return code, errWhim
	}
	return code, nil
}

func (x *session) write(text string) error {
	_ = x.conn.SetWriteDeadline(time.Now().Add(time.Minute))
	_, err := io.WriteString(x.conn, text)
	return err
}

// leave ends the connection as the whim wants it.
func (x *session) leave(w whim) error {
	switch c, tcp := x.raw.(*net.TCPConn); {
	case w.silent:
		_, _ = io.Copy(io.Discard, x.raw)
	case w.reset && tcp:
		_ = c.SetLinger(0)
	}
	return errWhim
}

func (x *session) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-x.stop:
	}
}
