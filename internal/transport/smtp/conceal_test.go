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
