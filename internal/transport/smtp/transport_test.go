package smtp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

func mailTo(recipients ...string) transport.Mail {
	return transport.Mail{ReversePath: "max@acme.example", Recipients: recipients, Body: []byte(body)}
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, extensions := range [][]string{{"PIPELINING", "SIZE 1000"}, {"SIZE"}} {
		h := setup(t, smtptest.Options{Extensions: extensions}, smtp.Options{})
		h.On(smtptest.Dot, smtptest.Reply(250, "take", "2.6.0 it as 4711 for max@acme.example"))
		out, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), h.arm)
		if err != nil {
			t.Fatal(err)
		}
		want := transport.Verdict{Code: 250, Enhanced: "2.6.0", Text: "take 2.6.0 it as 4711 for m***@acme.example"}
		if diff := cmp.Diff(transport.Outcome{Host: h.Addr(), Verdicts: []transport.Verdict{want, want, want}}, out); diff != "" {
			t.Errorf("outcome (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]smtptest.Mail{{
			Session: 1, ReversePath: "max@acme.example", Parameters: "SIZE=72", Recipients: rcpt, Body: []byte(body),
		}}, h.Mails()); diff != "" {
			t.Errorf("the server took (-want +got):\n%s", diff)
		}
	}
}

// TestReuse sends several mails on one connection, without RSET and NOOP.
func TestReuse(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	for range 5 {
		if got := brief(h.send(t)); got != "250" {
			t.Fatal(got)
		}
	}
	h.transport.Close()
	if err := h.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}
	want := map[smtptest.Stage]int{
		smtptest.Banner: 1, smtptest.EHLO: 1, smtptest.MAIL: 5, smtptest.RCPT: 15,
		smtptest.DATA: 5, smtptest.Body: 5, smtptest.Dot: 5, smtptest.QUIT: 1,
	}
	if diff := cmp.Diff(want, h.Counts()); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// TestAborted shows that an unfinished transaction is reset before the next one.
func TestAborted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		stage    smtptest.Stage
		reset    smtptest.Answer
		sessions int
	}{
		{"MAIL", smtptest.MAIL, smtptest.Answer{}, 1},
		{"RCPT", smtptest.RCPT, smtptest.Answer{}, 1},
		{"DATA", smtptest.DATA, smtptest.Answer{}, 1},
		{"RSET refused", smtptest.MAIL, smtptest.Reply(502, "no"), 2},
		{"RSET cut", smtptest.MAIL, smtptest.Cut(), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{}, smtp.Options{})
			h.Once(c.stage, smtptest.Reply(550, "no"))
			h.On(smtptest.RSET, c.reset)
			if got := brief(h.send(t, rcpt[0])); !strings.HasSuffix(got, " 550") {
				t.Errorf("first mail: %q", got)
			}
			if got := brief(h.send(t, rcpt[0])); got != "250" {
				t.Errorf("second mail: %q", got)
			}
			if h.Sessions() != c.sessions || h.Count(smtptest.RSET) != 1 {
				t.Errorf("%d sessions, want %d; %d RSET, want 1", h.Sessions(), c.sessions, h.Count(smtptest.RSET))
			}
		})
	}
}

// TestNotReused closes a connection on which the conversation has gone wrong,
// even if the server keeps it open.
func TestNotReused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stage  smtptest.Stage
		answer smtptest.Answer
		want   string
	}{
		{"a second reply to the dot", smtptest.Dot, smtptest.Raw("250 taken\r\n250 extra\r\n"), "250"},
		{"421 to the dot", smtptest.Dot, smtptest.Reply(421, "bye"), "dot 421"},
		{"354 to the dot", smtptest.Dot, smtptest.Reply(354, "go"), "dot 354 uncertain"},
		{"421 to RCPT", smtptest.RCPT, smtptest.Reply(421, "bye"), "rcpt 421"},
		{"334 to RCPT", smtptest.RCPT, smtptest.Reply(334, "what"), "rcpt -"},
		{"250 to DATA", smtptest.DATA, smtptest.Reply(250, "ok"), "data -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{}, smtp.Options{})
			h.Once(c.stage, c.answer)
			if got := brief(h.send(t, rcpt[0])); got != c.want {
				t.Errorf("first mail %q, want %q", got, c.want)
			}
			if got := h.transport.Stats(); got.Idle != 0 {
				t.Errorf("kept: %+v", got)
			}
			if got := brief(h.send(t, rcpt[0])); got != "250" || h.Sessions() != 2 || h.Count(smtptest.MAIL) != 2 {
				t.Errorf("second mail %q after %d MAIL in %d sessions", got, h.Count(smtptest.MAIL), h.Sessions())
			}
		})
	}
}

// TestNoData does not ask for a transaction without recipients.
func TestNoData(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{Extensions: []string{}}, smtp.Options{})
	h.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 no"))
	if got := brief(h.send(t)); got != "rcpt 550" || h.Count(smtptest.DATA) != 0 {
		t.Errorf("%q and %d DATA", got, h.Count(smtptest.DATA))
	}
}

// TestLoneDot is RFC 2920 §3.1: a server that takes DATA without a recipient
// gets an empty mail, which is not delivered, and the connection is kept.
func TestLoneDot(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	h.Once(smtptest.RCPT, smtptest.Reply(550, "5.1.1 no"))
	h.Once(smtptest.DATA, smtptest.Reply(354, "go"))
	if got := brief(h.send(t, rcpt[0])); got != "rcpt 550" {
		t.Errorf("verdict %q", got)
	}
	if h.armed.Load() != 0 || h.Taken() != 0 {
		t.Errorf("armed %d, taken %d", h.armed.Load(), h.Taken())
	}
	if got := brief(h.send(t, rcpt[0])); got != "250" || h.Sessions() != 1 || h.Count(smtptest.RSET) != 0 {
		t.Errorf("then %q in %d sessions with %d RSET", got, h.Sessions(), h.Count(smtptest.RSET))
	}
}

// TestRefusedMailButData never sends anything to a server that refuses MAIL and
// then asks for the text.
func TestRefusedMailButData(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	h.On(smtptest.MAIL, smtptest.Reply(550, "no"))
	h.On(smtptest.DATA, smtptest.Reply(354, "go"))
	if got := brief(h.send(t)); got != "mail 550" {
		t.Errorf("verdicts %q", got)
	}
	if err := h.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if h.Count(smtptest.Body) != 0 {
		t.Error("something was sent after 354")
	}
}

// TestManyRecipients needs several groups.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	many := make([]string, 500)
	for i := range many {
		many[i] = "r" + itoa(i+1) + "@example.org"
	}
	h.On(smtptest.Recipient(many[300]), smtptest.Reply(550, "5.1.1 no"))
	verdicts := h.send(t, many...)
	for i, v := range verdicts {
		if (v.Failure != nil) != (i == 300) {
			t.Errorf("%s: %s", many[i], briefOne(v))
		}
	}
	if got := len(h.Mails()[0].Recipients); got != 499 {
		t.Errorf("the server has %d recipients", got)
	}
	h.On(smtptest.RCPT, smtptest.Reply(550, "5.1.1 no"))
	if got := brief(h.send(t, many...)); got != "rcpt 550" {
		t.Errorf("all refused: %q", got)
	}
}

func TestArm(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	h.On(smtptest.Recipient(rcpt[0]), smtptest.Reply(550, "5.1.1 no"))
	refused := errors.New("ledger is away")
	var got []int
	_, err := h.transport.Send(t.Context(), h.server, mailTo(rcpt...), func(_ context.Context, accepted []int) error {
		got = accepted
		if h.Count(smtptest.Body) != 0 {
			t.Error("arm came after the first octet of the mail")
		}
		return refused
	})
	if !errors.Is(err, refused) || !cmp.Equal(got, []int{1, 2}) {
		t.Errorf("error %v, accepted %v", err, got)
	}
	if err := h.WaitOpen(t.Context(), 0); err != nil {
		t.Error(err)
	}
	h.close(t) // what is being closed is closed by then
	if h.Taken() != 0 || h.Count(smtptest.Body) != 0 {
		t.Errorf("taken %d, body %d", h.Taken(), h.Count(smtptest.Body))
	}
}

// TestContextEnds ends the context at each stage: before the dot nothing was
// sent, after it nobody knows.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stage smtptest.Stage
		want  string
	}{
		{smtptest.Banner, "banner -"},
		{smtptest.EHLO, "ehlo -"},
		{smtptest.MAIL, "mail -"},
		{smtptest.RCPT, "rcpt -"},
		{smtptest.DATA, "data -"},
		{smtptest.Dot, "dot - uncertain"},
	} {
		t.Run(string(c.stage), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup(t, smtptest.Options{Listener: smtptest.NewPipe(), Extensions: []string{}}, smtp.Options{})
				ctx, cancel := context.WithCancel(t.Context())
				h.On(c.stage, smtptest.Silence().Doing(cancel))
				out, err := h.transport.Send(ctx, h.server, mailTo(rcpt...), h.arm)
				if err != nil {
					t.Fatal(err)
				}
				if got := brief(out.Verdicts); got != c.want {
					t.Errorf("verdicts %q, want %q", got, c.want)
				}
				f := out.Verdicts[0].Failure
				if !errors.Is(f, context.Canceled) || f.Class == failure.Permanent {
					t.Errorf("class %s, %v", f.Class, f.Unwrap())
				}
			})
		})
	}
	t.Run("in arm", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{}, smtp.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		out, err := h.transport.Send(ctx, h.server, mailTo(rcpt...), func(context.Context, []int) error {
			cancel()
			return nil
		})
		if got := brief(out.Verdicts); err != nil || got != "data -" {
			t.Errorf("verdicts %q, %v", got, err)
		}
		if err := h.WaitOpen(t.Context(), 0); err != nil || h.Taken() != 0 {
			t.Errorf("taken %d, %v", h.Taken(), err)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{Username: "max", Password: "geheim"}, smtp.Options{})
	for name, change := range map[string]func(*smtp.Server){
		"no host":                   func(s *smtp.Server) { s.Host = "" },
		"host with a line end":      func(s *smtp.Server) { s.Host = "a\r\nb" },
		"bad literal":               func(s *smtp.Server) { s.Host = "[nowhere]" },
		"no port":                   func(s *smtp.Server) { s.Port = 0 },
		"unknown encryption":        func(s *smtp.Server) { s.Encryption = "ssl" },
		"no user name":              func(s *smtp.Server) { s.Username = "" },
		"NUL in the user name":      func(s *smtp.Server) { s.Username = "a\x00b" },
		"plaintext login forbidden": func(s *smtp.Server) { s.AllowPlaintextLogin = false },
	} {
		s := h.server
		change(&s)
		out, err := h.transport.Send(t.Context(), s, mailTo(rcpt...), h.arm)
		if err != nil {
			t.Fatal(err)
		}
		f := out.Verdicts[0].Failure
		if f == nil || f.Stage != failure.StageWorker || f.Class != failure.Config || !errors.Is(f, failure.ErrSettings) {
			t.Errorf("%s: %v", name, f)
		} else if strings.Contains(f.Error(), "geheim") {
			t.Errorf("%s: the password is in %q", name, f)
		}
	}
	if h.dials.Load() != 0 {
		t.Errorf("%d connections were tried", h.dials.Load())
	}
	if _, err := smtp.New(smtp.Options{HELO: "a b", MaxMails: -1}); err == nil || !strings.Contains(err.Error(), "MaxMails") {
		t.Errorf("New: %v", err)
	}
}
