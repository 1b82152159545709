package smtptest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A client writes lines and reads lines.
type client struct {
	t *testing.T
	net.Conn
	r *bufio.Reader
}

func dial(t *testing.T, srv *smtptest.Server) *client {
	t.Helper()
	c, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{t, c, bufio.NewReader(c)}
}

// say sends text and reads as many lines as are wanted, each a prefix of what
// comes; "" is the end of the connection.
func (c *client) say(text string, want ...string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
	for _, w := range want {
		got, err := c.r.ReadString('\n')
		if w == "" && err == nil || !strings.HasPrefix(got, w) {
			c.t.Fatalf("after %q came %q, %v, want %q", text, got, err, w)
		}
	}
}

func TestUsual(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Options{})
	c := dial(t, srv)
	c.say("", "220 ")
	c.say("MAIL FROM:<a@b>\r\n", "503 ")
	c.say("EHLO me\r\n", "250-", "250-PIPELINING", "250-SIZE", "250-8BITMIME", "250 ENHANCED")
	c.say("RCPT TO:<a@b>\r\n", "503 ")
	c.say("DATA\r\n", "554 ")
	c.say("mail from:<a@b> SIZE=1 X\r\nRCPT TO:<c@d>\r\nRCPT TO:c@d\r\nDATA\r\n", "250 ", "250 ", "501 ", "354 ")
	c.say("Subject: x\r\n..\r\n.\n.\r\n..\n\r\n.\r\n", "250 ") // a bare LF ends no line
	c.say("MAIL FROM:<>\r\nMAIL FROM:<>\r\nRSET\r\nNOOP\r\nSTARTTLS\r\nAUTH PLAIN\r\nWHAT\r\n", "250 ", "503 ", "250 ", "250 ", "502 ", "504 ", "500 ")
	c.say("QUIT\r\n", "221 ", "")
	want := []smtptest.Mail{{
		Session: 1, ReversePath: "a@b", Parameters: "SIZE=1 X", Recipients: []string{"c@d"}, Body: []byte("Subject: x\r\n.\r\n\n.\r\n.\n\r\n"),
	}}
	if diff := cmp.Diff(want, srv.Mails()); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
	if srv.Taken() != 1 || srv.Sessions() != 1 || srv.Count(smtptest.MAIL) != 4 {
		t.Errorf("taken %d, sessions %d, MAIL %d", srv.Taken(), srv.Sessions(), srv.Count(smtptest.MAIL))
	}
}

func TestScript(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Options{Discard: true})
	done := 0
	srv.On(smtptest.RCPT, smtptest.Reply(451, "one", "two"))
	srv.On(smtptest.Recipient("a@b"), smtptest.Reply(251, "ok").Doing(func() { done++ }))
	srv.Once(smtptest.Recipient("a@b"), smtptest.Reply(450, "first"), smtptest.Answer{})
	srv.Once(smtptest.Dot, smtptest.Reply(452, "full"), smtptest.Reply(452, "full").Taking())
	c := dial(t, srv)
	c.say("EHLO me\r\n", "220 ", "250-", "250-", "250-", "250-", "250 ")
	c.say("MAIL FROM:<>\r\n", "250 ")
	c.say("RCPT TO:<x@y>\r\n", "451-one", "451 two")
	for _, want := range []string{"450 first", "250 ", "251 ok", "251 ok"} {
		c.say("RCPT TO:<a@b>\r\n", want)
	}
	c.say("DATA\r\n", "354")
	c.say("x\r\n.\r\n", "452 full")
	c.say("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n", "250 ", "251", "354")
	c.say("x\r\n.\r\n", "452 full")
	if srv.Taken() != 1 || srv.Mails() != nil || done != 3 {
		t.Errorf("taken %d, kept %d, done %d", srv.Taken(), len(srv.Mails()), done)
	}
	srv.On(smtptest.NOOP, smtptest.Raw("99"))
	srv.On(smtptest.RSET, smtptest.Reply(421, "bye").ThenCut())
	c.say("NOOP\r\nRSET\r\n", "99421 bye", "")
	if err := srv.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}

	srv.On(smtptest.Banner, smtptest.Reset())
	c = dial(t, srv)
	if _, err := c.r.ReadByte(); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("a reset reads as %v", err)
	}
}

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Options{MaxSessions: 1})
	first := dial(t, srv)
	first.say("", "220 ")
	dial(t, srv).say("", "421 4.7.0 too many", "")
	first.say("QUIT\r\n", "221 ")
	dial(t, srv).say("", "220 ")
}

func TestSilence(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtptest.Stage{smtptest.Banner, smtptest.EHLO, smtptest.Body, smtptest.Dot} {
		srv := smtptest.Start(t, smtptest.Options{})
		srv.On(stage, smtptest.Silence())
		c := dial(t, srv)
		c.say("EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nx\r\n.\r\n")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := srv.WaitOpen(ctx, 7); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", stage, err)
		}
		srv.Close() // must not hang
		if srv.Taken() != 0 || srv.Open() != 0 {
			t.Errorf("%s: taken %d, open %d", stage, srv.Taken(), srv.Open())
		}
	}
}

// TestStandardClient logs in and sends with net/smtp, in clear text and in TLS.
func TestStandardClient(t *testing.T) {
	t.Parallel()
	ca := smtptest.NewAuthority(t)
	srv := smtptest.Start(t, smtptest.Options{TLS: ca.Valid("127.0.0.1"), Username: "max", Password: "geheim", Mechanisms: []string{"PLAIN", "CRAM-MD5"}})
	for _, step := range []struct {
		auth smtp.Auth
		want string
	}{
		{smtp.PlainAuth("", "max", "geheim", "127.0.0.1"), "<nil>"},
		{smtp.CRAMMD5Auth("max", "geheim"), "<nil>"},
		{smtp.CRAMMD5Auth("max", "wrong"), "535 "},
		{nil, "530 "},
	} {
		c, err := smtp.Dial(srv.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.StartTLS(&tls.Config{ServerName: "127.0.0.1", RootCAs: ca.Pool()}); err != nil {
			t.Fatal(err)
		}
		if step.auth != nil {
			err = c.Auth(step.auth)
		}
		if err == nil {
			err = c.Mail("a@b.example")
		}
		if !strings.HasPrefix(fmt.Sprint(err), step.want) {
			t.Errorf("%v, want %s", err, step.want)
		}
		_ = c.Close()
	}
	if got := srv.Count(smtptest.AUTH); got != 3 {
		t.Errorf("%d logins", got)
	}
	if err := smtp.SendMail(srv.Addr(), nil, "a@b.example", []string{"c@d.example"}, []byte("x")); err == nil {
		t.Error("the certificate of an unknown authority was taken")
	}
}

// TestPipe lets minutes pass at once.
func TestPipe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pipe := smtptest.NewPipe()
		srv := smtptest.Start(t, smtptest.Options{Listener: pipe})
		srv.On(smtptest.Banner, smtptest.Silence())
		c, err := pipe.DialContext(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_ = c.SetDeadline(start.Add(time.Hour))
		_, err = c.Read(make([]byte, 1))
		if time.Since(start) != time.Hour {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		srv.Close()
		if _, err := pipe.DialContext(t.Context(), "", ""); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial after Close: %v", err)
		}
	})
}
