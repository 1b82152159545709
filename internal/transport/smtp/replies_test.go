package smtp_test

import (
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestMultiLine has the reason in the last line.
func TestMultiLine(t *testing.T) {
	t.Parallel()
	h := setup(t, smtptest.Options{}, smtp.Options{})
	h.On(smtptest.RCPT, smtptest.Reply(550, "Requested action not taken: mailbox unavailable", "for details see below", "Sender address is not allowed."))
	f := h.send(t, rcpt[0])[0].Failure
	if f.Category != "sender_rejected" || !strings.Contains(f.Diagnostic, "Sender address is not allowed") {
		t.Errorf("category %s, diagnostic %q", f.Category, f.Diagnostic)
	}
	h.On(smtptest.RCPT, smtptest.Reply(550, "sorry", "5.1.1 no such user"))
	if f = h.send(t, rcpt[0])[0].Failure; f.Enhanced != "5.1.1" {
		t.Errorf("enhanced code %q from the second line", f.Enhanced)
	}
}

// TestNotSMTP is a server that talks something else, or without end.
func TestNotSMTP(t *testing.T) {
	t.Parallel()
	endless := strings.Repeat("220-"+strings.Repeat("x", 996)+"\r\n", 1000)
	for name, c := range map[string]struct {
		stage smtptest.Stage
		raw   string
		want  string
	}{
		"IMAP greeting":      {smtptest.Banner, "* OK IMAP4rev1 ready\r\n", "banner -"},
		"FTP-like greeting":  {smtptest.Banner, "250 hello\r\n", "banner -"},
		"endless greeting":   {smtptest.Banner, endless, "banner -"},
		"endless line":       {smtptest.Banner, strings.Repeat("x", 1<<20), "banner -"},
		"endless reply":      {smtptest.MAIL, strings.ReplaceAll(endless, "220-", "250-"), "mail -"},
		"code changes":       {smtptest.MAIL, "250-yes\r\n550 no\r\n", "mail -"},
		"code out of range":  {smtptest.MAIL, "999 what\r\n", "mail -"},
		"no separator":       {smtptest.MAIL, "250ok\r\n", "mail -"},
		"nothing but spaces": {smtptest.Dot, "   \r\n", "dot - uncertain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{}, smtp.Options{})
			h.On(c.stage, smtptest.Raw(c.raw).ThenCut())
			verdicts := h.send(t)
			if got := brief(verdicts); got != c.want {
				t.Errorf("verdicts %q, want %q", got, c.want)
			}
			if f := verdicts[0].Failure; c.stage != smtptest.Dot && f.Category != "protocol_error" {
				t.Errorf("%v", f)
			}
		})
	}
}
