package smtp_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestEcho: a server that repeats what was said to log in does not get it into
// the log.
func TestEcho(t *testing.T) {
	t.Parallel()
	const user, password = "max@acme.example", "canary-hunter2"
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	for _, stage := range []smtptest.Stage{smtptest.AUTH, smtptest.MAIL, smtptest.RCPT, smtptest.Dot} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{Username: user, Password: password, Mechanisms: []string{"PLAIN"}}, smtp.Options{})
			h.On(stage, smtptest.Reply(554, "5.7.8 you said "+password+" and "+plain, "and I say it again: "+password))
			v := h.send(t)[0]
			if v.Failure == nil || !strings.Contains(v.Failure.Diagnostic, "[redacted]") {
				t.Fatalf("verdict %+v", v)
			}
			for _, s := range []string{password, plain, plain[:20]} {
				if strings.Contains(v.Failure.Error(), s) {
					t.Errorf("%s is in %s", s, v.Failure)
				}
			}
		})
	}
}

// TestBrokenEcho has the password in replies that are malformed, or break it in two at
// every place.
func TestBrokenEcho(t *testing.T) {
	t.Parallel()
	const user, password = "max@acme.example", "canary-hunter2"
	var answers []string
	for at := range len(password) {
		first, second := password[:at], password[at:]
		answers = append(
			answers,
			"554-5.7.8 you said "+first+"\r\n554 5.7.8 "+second+"\r\n",
			"554-"+first+"\r\n554-"+second+"\r\n554 no\r\n",
			"554-"+first+"\r\n550 "+second+"\r\n",   // the code changes
			"554-"+first+"\r\n"+second+"\r\n",       // no code
			"554-no\r\n55"+first+" "+second+"\r\n",  // half a code
			"554"+first+second+"\r\n",               // no separator
			strings.Repeat("x", 75)+password+"\r\n", // no code
			"554 "+strings.Repeat("x", 2000-at)+password+"\r\n",
			"554 "+strings.Repeat("x", 4090-at)+password+"\r\n",
			"250 "+first+"\r\n"+second+"\r\n", // more than one reply
			"354 "+password+"\r\n",
			"299-"+first+"\r\n299 "+second+"\r\n",
		)
	}
	for _, stage := range []smtptest.Stage{smtptest.Banner, smtptest.EHLO, smtptest.AUTH, smtptest.MAIL, smtptest.RCPT, smtptest.DATA, smtptest.Dot, smtptest.RSET} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{Username: user, Password: password, Mechanisms: []string{"PLAIN"}}, smtp.Options{})
			for _, answer := range answers {
				h.On(stage, smtptest.Raw(answer).ThenCut())
				for _, v := range h.send(t) {
					texts := v.Text
					if v.Failure != nil {
						texts += v.Failure.Error() + v.Failure.Enhanced
					}
					for n := 6; n <= len(password); n++ {
						if strings.Contains(texts, password[:n]) || strings.Contains(texts, password[len(password)-n:]) {
							t.Fatalf("after %q: %s", answer, texts)
						}
					}
				}
			}
		})
	}
}

// TestCheckEcho: neither the names of a certificate nor those of login methods show it.
func TestCheckEcho(t *testing.T) {
	t.Parallel()
	const password = "canary-hunter2"
	h := setup(t, smtptest.Options{Username: "max", Password: password, Mechanisms: []string{"X-" + password}}, smtp.Options{})
	for _, step := range h.transport.Check(t.Context(), h.server, smtp.CheckOptions{}) {
		text := strings.Join(step.Mechanisms, " ")
		if step.Failure != nil {
			text += step.Failure.Error()
		}
		if strings.Contains(strings.ToLower(text), password) {
			t.Errorf("%s: %s", step.Name, text)
		}
	}
}
