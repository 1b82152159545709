package smtp_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/internal/transport"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

// TestAddresses is what the server's extensions and the addresses allow.
func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		extensions []string
		reverse    string
		recipient  string
		want       string
		category   string
		taken      []string // reverse-path, parameters, recipients
	}{
		{"null path", nil, "", "a@example.org", "250", "", []string{"", "SIZE=72", "a@example.org"}},
		{"A-labels", nil, "max@müller.example", "a@bücher.example", "250", "", []string{"max@xn--mller-kva.example", "SIZE=72", "a@xn--bcher-kva.example"}},
		{"SMTPUTF8", []string{"SMTPUTF8"}, "max@acme.example", "grün@bücher.example", "250", "", []string{"max@acme.example", "SMTPUTF8", "grün@xn--bcher-kva.example"}},
		{"SMTPUTF8 for the reverse-path", []string{"smtputf8"}, "grün@acme.example", "a@example.org", "250", "", []string{"grün@acme.example", "SMTPUTF8", "a@example.org"}},
		{"SMTPUTF8 not needed", []string{"SMTPUTF8"}, "max@acme.example", "a@example.org", "250", "", []string{"max@acme.example", "", "a@example.org"}},
		{"no SMTPUTF8", nil, "max@acme.example", "grün@example.org", "rcpt -", "address_needs_utf8", nil},
		{"no SMTPUTF8 for the reverse-path", nil, "grün@acme.example", "a@example.org", "mail -", "address_needs_utf8", nil},
		{"no address", nil, "max@acme.example", "a@example.org>\r\nRSET", "rcpt -", "recipient_invalid", nil},
		{"no domain", nil, "max@acme.example", "a@-.example", "rcpt -", "recipient_invalid", nil},
		{"no reverse-path", nil, "max", "a@example.org", "mail -", "", nil},
		{"too large", []string{"SIZE 71"}, "max@acme.example", "a@example.org", "mail -", "message_too_large", nil},
		{"just not too large", []string{"SIZE 72"}, "max@acme.example", "a@example.org", "250", "", []string{"max@acme.example", "SIZE=72", "a@example.org"}},
		{"no size named", []string{"SIZE 0"}, "max@acme.example", "a@example.org", "250", "", []string{"max@acme.example", "SIZE=72", "a@example.org"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, smtptest.Options{Extensions: c.extensions}, smtp.Options{})
			verdicts := h.sendMail(t, transport.Mail{ReversePath: c.reverse, Recipients: []string{c.recipient}, Body: []byte(body)})
			if got := brief(verdicts); got != c.want {
				t.Errorf("verdict %q, want %q: %v", got, c.want, verdicts[0].Failure)
			}
			if f := verdicts[0].Failure; f != nil && (f.Class != failure.Permanent && f.Class != failure.Config || c.category != "" && f.Category != c.category) {
				t.Errorf("class %s, category %s, want %s", f.Class, f.Category, c.category)
			}
			var got []string
			for _, m := range h.Mails() {
				got = append(append(got, m.ReversePath, m.Parameters), m.Recipients...)
			}
			if diff := cmp.Diff(c.taken, got); diff != "" {
				t.Errorf("taken (-want +got):\n%s", diff)
			}
			if c.taken == nil && h.Count(smtptest.MAIL) != 0 {
				t.Error("MAIL was sent")
			}
		})
	}
	t.Run("the others get the mail", func(t *testing.T) {
		t.Parallel()
		h := setup(t, smtptest.Options{}, smtp.Options{})
		got := brief(h.send(t, "a@example.org", "grün@example.org", "nobody", "b@example.org"))
		if got != "250, rcpt -, 250" {
			t.Errorf("verdicts %q", got)
		}
	})
}
