package chaos

import (
	"crypto/tls"
	"net/smtp"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestServer: what a server takes is in the books, and whether the client went on.
func TestServer(t *testing.T) {
	t.Parallel()
	const a, b = "r0.m@example.org", "r1.m@example.org"
	whims := newWhims(1)
	whims.calm.Store(true)
	s := &server{
		name: "test", whims: whims, books: newBooks(), tls: smtptest.SelfSigned(t, "127.0.0.1"), login: true,
		accepted: func(_, recipient string) bool { return recipient == a },
	}
	s.books.open(&mailing{id: "m", recipients: []string{a, b}})
	s.start(t)
	c, err := smtp.Dial(s.listener.Addr().String())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	must(c.StartTLS(&tls.Config{InsecureSkipVerify: true}))
	must(c.Auth(smtp.PlainAuth("", "a", "b", "127.0.0.1")))
	for range 2 {
		must(c.Mail("x@example.org"))
		must(c.Rcpt(a))
		must(c.Rcpt(b))
		w, err := c.Data()
		must(err)
		_, err = w.Write([]byte("Message-ID: <m@example.org>\r\n\r\n" + marker("m") + "\r\n"))
		must(err)
		must(w.Close())
	}
	s.books.with("m", func(m *mailing) {
		if len(m.copies) != 2 || m.has(a) != 2 || m.has(b) != 2 || !m.copies[0].seen || m.copies[1].seen || len(m.broken) > 0 {
			t.Errorf("%s, broken: %v", m.story(), m.broken)
		}
		// The first time nobody had it.
		if len(m.afterAccepted) != 1 || m.afterAccepted[0] != a {
			t.Errorf("sent although it was accepted: %v", m.afterAccepted)
		}
	})
	must(c.Quit())
	s.books.with("m", func(m *mailing) {
		if !m.copies[1].seen {
			t.Error("QUIT came, and the 250 is called unread")
		}
	})
}
