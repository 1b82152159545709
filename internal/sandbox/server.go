package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	keepMails    = 500
	maxMailBytes = 50 << 20
	ioTimeout    = time.Minute
)

// A Server accepts mail on a loopback address.
type Server struct {
	smtp     *smtp.Server
	listener net.Listener
	serving  sync.WaitGroup

	mu    sync.Mutex
	mails []Mail         // oldest first
	next  int            // number of the next mail
	tries map[string]int // by recipient, for those who are deferred a few times
}

// A Mail is what the server was given.
type Mail struct {
	Number      int
	Received    time.Time
	ReversePath string
	Recipients  []string
	Raw         []byte
}

// Start listens on addr, "127.0.0.1:0" for a free port.
func Start(addr string) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("catch-all mail server: %w", err)
	}
	s := &Server{listener: listener, next: 1, tries: map[string]int{}}
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }))
	s.smtp.Domain = "sandbox.rohrpost.example"
	s.smtp.MaxMessageBytes = maxMailBytes
	s.smtp.EnableSMTPUTF8 = true
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = ioTimeout, ioTimeout
	s.smtp.ErrorLog = silent{}
	s.serving.Go(func() { _ = s.smtp.Serve(listener) })
	return s, nil
}

// Addr is the host and port that the server listens on.
func (s *Server) Addr() *net.TCPAddr { return s.listener.Addr().(*net.TCPAddr) }

// Close cuts all connections.
func (s *Server) Close() {
	_ = s.smtp.Close()
	_ = s.listener.Close()
	s.serving.Wait()
}

// Mails are those accepted, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Mail finds one by its number.
func (s *Server) Mail(number int) (Mail, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		if m.Number == number {
			return m, true
		}
	}
	return Mail{}, false
}

func (s *Server) accept(m Mail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.Number, s.next = s.next, s.next+1
	s.mails = append(s.mails, m)
	if extra := len(s.mails) - keepMails; extra > 0 {
		s.mails = s.mails[extra:]
	}
}

// session is one connection.
type session struct {
	server *Server
	mail   Mail
	reply  error // to the final dot
}

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.mail.ReversePath = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	atRcpt, afterDot := c.server.trouble(to)
	if atRcpt != nil {
		return atRcpt
	}
	c.reply = errors.Join(c.reply, afterDot)
	c.mail.Recipients = append(c.mail.Recipients, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(r); err != nil {
		return err
	}
	if refused, ok := errors.AsType[*smtp.SMTPError](c.reply); ok {
		return refused
	}
	c.mail.Received, c.mail.Raw = time.Now(), raw.Bytes()
	c.server.accept(c.mail)
	return nil
}

func (c *session) Reset()        { c.mail, c.reply = Mail{}, nil }
func (c *session) Logout() error { return nil }

// silent drops go-smtp's log: a cut connection is no news here.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}
