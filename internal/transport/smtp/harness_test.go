package smtp_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rohrpost/rohrpost/internal/secret"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

const body = "From: <max@acme.example>\r\nSubject: hello\r\n\r\nHello.\r\n.a line with a dot\r\n"

var rcpt = []string{"a@example.org", "b@example.org", "c@example.org"}

// A harness is a transport, the scripted server that it talks to, and what arm
// was told.
type harness struct {
	*smtptest.Server
	transport *smtp.Transport
	server    smtp.Server
	armed     atomic.Int32
	dials     atomic.Int32
	armErr    error
}

// setup starts both on loopback, or on o.Listener if that is a Pipe.
func setup(t *testing.T, o smtptest.Options, so smtp.Options) *harness {
	t.Helper()
	h := &harness{Server: smtptest.Start(t, o)}
	dial, port := new(net.Dialer).DialContext, h.Port()
	if pipe, ok := o.Listener.(*smtptest.Pipe); ok {
		dial, port = pipe.DialContext, 25
	}
	so.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) { // whatever host is asked for
		h.dials.Add(1)
		return dial(ctx, network, h.Addr())
	}
	var err error
	if h.transport, err = smtp.New(so); err != nil {
		t.Fatal(err)
	}
	h.server = smtp.Server{Account: "acme", Version: "1", Host: "127.0.0.1", Port: port, Encryption: smtp.None}
	if o.Username != "" {
		h.server.Authentication, h.server.AllowPlaintextLogin = true, true
		h.server.Username, h.server.Password = o.Username, secret.New(o.Password)
	}
	t.Cleanup(func() { h.close(t) })
	return h
}

// close checks that nothing is left: no place in the pool, no session.
func (h *harness) close(t *testing.T) {
	t.Helper()
	h.transport.Close()
	if got := h.transport.Stats(); got != (smtp.Stats{}) {
		t.Errorf("after Close the pool still has %+v", got)
	}
}

func (h *harness) arm(context.Context, []int) error {
	h.armed.Add(1)
	return h.armErr
}

// send sends the usual mail and wants no error.
func (h *harness) send(t *testing.T, recipients ...string) []transport.Verdict {
	t.Helper()
	if len(recipients) == 0 {
		recipients = rcpt
	}
	return h.sendMail(t, transport.Mail{ReversePath: "max@acme.example", Recipients: recipients, Body: []byte(body)})
}

func (h *harness) sendMail(t *testing.T, m transport.Mail) []transport.Verdict {
	t.Helper()
	out, err := h.transport.Send(t.Context(), h.server, m, h.arm)
	if err != nil {
		t.Fatalf("Send: %v", err)
	}
	if len(out.Verdicts) != len(m.Recipients) {
		t.Fatalf("%d verdicts for %d recipients", len(out.Verdicts), len(m.Recipients))
	}
	return out.Verdicts
}

// brief is "250", "rcpt 452" or "dot 0 uncertain" for each verdict: the stage,
// the code and, if it is uncertain, that.
func brief(verdicts []transport.Verdict) string {
	var out []string
	for _, v := range verdicts {
		out = append(out, briefOne(v))
	}
	return strings.Join(slices.Compact(out), ", ")
}

func briefOne(v transport.Verdict) string {
	if v.Failure == nil {
		return itoa(v.Code)
	}
	s := string(v.Failure.Stage) + " " + itoa(v.Failure.Code)
	if v.Failure.Class == "uncertain" {
		s += " uncertain"
	}
	return s
}

func itoa(n int) string {
	if n == 0 {
		return "-"
	}
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}
