package smtp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestFailures goes through every stage with every way to fail there.
func TestFailures(t *testing.T) {
	t.Parallel()
	var (
		some = smtptest.Recipient(rcpt[1])
		all  = smtptest.RCPT
	)
	temporary := smtptest.Reply(451, "4.3.0 later", "really")
	permanent := smtptest.Reply(554, "5.0.0 no", "never")
	for _, c := range []struct {
		name    string
		stage   smtptest.Stage
		answer  smtptest.Answer
		want    string        // of the three recipients
		taken   int           // by the server
		armed   int           // calls of arm
		elapsed time.Duration // until Send returned
	}{
		{"banner 4yz", smtptest.Banner, temporary, "banner 451", 0, 0, 0},
		{"banner 5yz", smtptest.Banner, permanent, "banner 554", 0, 0, 0},
		{"banner cut", smtptest.Banner, smtptest.Cut(), "banner -", 0, 0, 0},
		{"banner silence", smtptest.Banner, smtptest.Silence(), "banner -", 0, 0, time.Minute},

		{"EHLO 4yz", smtptest.EHLO, temporary, "ehlo 451", 0, 0, 0},
		{"EHLO 5yz", smtptest.EHLO, permanent, "ehlo 554", 0, 0, 0},
		{"EHLO cut", smtptest.EHLO, smtptest.Cut(), "ehlo -", 0, 0, 0},
		{"EHLO silence", smtptest.EHLO, smtptest.Silence(), "ehlo -", 0, 0, time.Minute},

		{"AUTH 4yz", smtptest.AUTH, temporary, "auth 451", 0, 0, 0},
		{"AUTH 5yz", smtptest.AUTH, smtptest.Reply(535, "5.7.8 no"), "auth 535", 0, 0, 0},
		{"AUTH cut", smtptest.AUTH, smtptest.Cut(), "auth -", 0, 0, 0},
		{"AUTH silence", smtptest.AUTH, smtptest.Silence(), "auth -", 0, 0, time.Minute},

		{"MAIL 4yz", smtptest.MAIL, temporary, "mail 451", 0, 0, 0},
		{"MAIL 5yz", smtptest.MAIL, permanent, "mail 554", 0, 0, 0},
		{"MAIL 421", smtptest.MAIL, smtptest.Reply(421, "bye").ThenCut(), "mail 421", 0, 0, 0},
		{"MAIL cut", smtptest.MAIL, smtptest.Cut(), "mail -", 0, 0, 0},
		{"MAIL silence", smtptest.MAIL, smtptest.Silence(), "mail -", 0, 0, 5 * time.Minute},

		{"RCPT some 4yz", some, smtptest.Reply(452, "4.5.3 too many recipients"), "250, rcpt 452, 250", 1, 1, 0},
		{"RCPT some 5yz", some, permanent, "250, rcpt 554, 250", 1, 1, 0},
		{"RCPT some 421", some, smtptest.Reply(421, "bye").ThenCut(), "rcpt 421", 0, 0, 0},
		{"RCPT some cut", some, smtptest.Cut(), "rcpt -", 0, 0, 0},
		{"RCPT some silence", some, smtptest.Silence(), "rcpt -", 0, 0, 5 * time.Minute},
		{"RCPT all 4yz", all, temporary, "rcpt 451", 0, 0, 0},
		{"RCPT all 5yz", all, permanent, "rcpt 554", 0, 0, 0},
		{"RCPT all cut", all, smtptest.Cut(), "rcpt -", 0, 0, 0},
		{"RCPT all silence", all, smtptest.Silence(), "rcpt -", 0, 0, 5 * time.Minute},

		{"DATA 4yz", smtptest.DATA, temporary, "data 451", 0, 0, 0},
		{"DATA 5yz", smtptest.DATA, permanent, "data 554", 0, 0, 0},
		{"DATA 250", smtptest.DATA, smtptest.Reply(250, "wrong"), "data -", 0, 0, 0},
		{"DATA cut", smtptest.DATA, smtptest.Cut(), "data -", 0, 0, 0},
		{"DATA silence", smtptest.DATA, smtptest.Silence(), "data -", 0, 0, 2 * time.Minute},
		{"DATA two replies", smtptest.DATA, smtptest.Raw("354 go\r\n250 taken\r\n"), "data -", 0, 0, 0},

		{"dot 4yz", smtptest.Dot, temporary, "dot 451", 0, 1, 0},
		{"dot 5yz", smtptest.Dot, permanent, "dot 554", 0, 1, 0},
		{"dot 421", smtptest.Dot, smtptest.Reply(421, "bye").ThenCut(), "dot 421", 0, 1, 0},
		{"dot 354", smtptest.Dot, smtptest.Reply(354, "go"), "dot 354 uncertain", 0, 1, 0},
		{"dot cut", smtptest.Dot, smtptest.Cut(), "dot - uncertain", 0, 1, 0},
		{"dot cut, taken", smtptest.Dot, smtptest.Cut().Taking(), "dot - uncertain", 1, 1, 0},
		{"dot silence, taken", smtptest.Dot, smtptest.Silence().Taking(), "dot - uncertain", 1, 1, 10 * time.Minute},
		{"dot 250, then cut", smtptest.Dot, smtptest.Reply(250, "ok").ThenCut(), "250", 1, 1, 0},

		{"all is well", smtptest.NOOP, smtptest.Answer{}, "250", 1, 1, 0},
	} {
		for _, extensions := range [][]string{{"PIPELINING"}, {}} {
			name := c.name
			if len(extensions) == 0 {
				name += ", one by one"
				if c.name == "DATA two replies" {
					continue // no group, no order to lose
				}
			}
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := setup(t, smtptest.Options{
						Listener: smtptest.NewPipe(), Extensions: extensions, Username: "max", Password: "geheim",
					}, smtp.Options{})
					h.On(c.stage, c.answer)
					start := time.Now()
					if got := brief(h.send(t)); got != c.want {
						t.Errorf("verdicts %q, want %q", got, c.want)
					}
					if got := time.Since(start); got != c.elapsed {
						t.Errorf("took %v, want %v", got, c.elapsed)
					}
					if got := h.Taken(); got != c.taken {
						t.Errorf("the server took the mail %d times, want %d", got, c.taken)
					}
					if got := int(h.armed.Load()); got != c.armed {
						t.Errorf("arm was called %d times, want %d", got, c.armed)
					}
					if h.Sessions() != 1 {
						t.Errorf("%d sessions for one mail", h.Sessions())
					}
				})
			})
		}
	}
}

// TestBodyBreaks loses the connection in the middle of a large mail: the server
// has no dot, so the mail is safe to repeat.
func TestBodyBreaks(t *testing.T) {
	t.Parallel()
	big := make([]byte, 4<<20)
	for i := range big {
		big[i] = "0123456789abcdef\r\n"[i%18]
	}
	for _, c := range []struct {
		name   string
		answer smtptest.Answer
		want   string
	}{
		{"cut", smtptest.Cut(), "data -"},
		{"reset", smtptest.Reset(), "data -"},
		{"silence", smtptest.Silence(), "data -"},
		{"552", smtptest.Reply(552, "5.3.4 too large"), "data 552"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{}, smtp.Options{Timeouts: smtp.Timeouts{Block: 100 * time.Millisecond, Quit: 100 * time.Millisecond}})
			h.On(smtptest.Body, c.answer)
			m := mailTo(rcpt[0])
			m.Body = big
			if got := brief(h.sendMail(t, m)); got != c.want {
				t.Errorf("verdict %q, want %q", got, c.want)
			}
			if h.Taken() != 0 {
				t.Error("the server took half a mail")
			}
		})
	}
}

// TestAfterThe250 shows that nothing after the 250 matters.
func TestAfterThe250(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		stage smtptest.Stage
		a     smtptest.Answer
	}{
		{"RSET 5yz", smtptest.RSET, smtptest.Reply(502, "no")},
		{"RSET cut", smtptest.RSET, smtptest.Cut()},
		{"QUIT 4yz", smtptest.QUIT, smtptest.Reply(421, "no")},
		{"QUIT 5yz", smtptest.QUIT, smtptest.Reply(502, "no")},
		{"QUIT cut", smtptest.QUIT, smtptest.Cut()},
		{"QUIT silence", smtptest.QUIT, smtptest.Silence()},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := setup(t, smtptest.Options{Listener: smtptest.NewPipe()}, smtp.Options{})
				h.On(c.stage, c.a)
				if got := brief(h.send(t)); got != "250" {
					t.Errorf("verdicts %q, want 250", got)
				}
				start := time.Now()
				h.transport.Close()
				if got := time.Since(start); got > 5*time.Second {
					t.Errorf("Close took %v", got)
				}
				if h.Taken() != 1 || h.Count(smtptest.QUIT) != 1 {
					t.Errorf("taken %d times, QUIT %d times", h.Taken(), h.Count(smtptest.QUIT))
				}
			})
		})
	}
}
