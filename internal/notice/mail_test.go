package notice

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/backlog"
	"github.com/rohrpost/rohrpost/internal/breaker"
	"github.com/rohrpost/rohrpost/internal/failure"
)

// told is the notice of what a test has stopped.
func (d *desk) told(change ...func(*Options)) rohrpost.Message {
	d.Helper()
	d.pass(time.Minute)
	d.look(d.notifier(change...))
	d.want(1, "told")
	return d.mails[0]
}

// TestGerman is a whole notice.
func TestGerman(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.park("tenant/acme")
	for n := range 1268 {
		d.rdb.ZAdd(t.Context(), backlog.Key("tenant/acme"), redis.Z{Member: n})
	}
	m := d.told(func(o *Options) { o.Language = "de" })
	want := `Das Konto des Mandanten „acme“ (info@acme.example)
Es hat seit dem 30.11.2026, 07:20 Uhr (CET) nichts mehr gesendet. 1.268 E-Mails warten.

Was zu tun ist: ` + failure.Hint(refused().Rule, "de") + `

Zum Konto: https://mail.example.com/rohrpost/t/acme/accounts/tenant

` + wordsIn("de").goOn + `

` + wordsIn("de").program + "\n"
	if m.Text != want || m.Subject != "Ein E-Mail-Konto sendet nicht mehr: info@acme.example" {
		t.Errorf("%s\n\n%s", m.Subject, m.Text)
	}
	for _, part := range []string{`<html lang="de">`, `<a href="https://mail.example.com/rohrpost/t/acme/accounts/tenant">Zum Konto:</a>`, "1.268 E-Mails warten."} {
		if !strings.Contains(m.HTML, part) {
			t.Errorf("%s is not in\n%s", part, m.HTML)
		}
	}
	if strings.Contains(m.Text+m.HTML, "hunter2") {
		t.Error("the server's text is in it")
	}
}

// TestEscaped: what a tenant has called itself is no HTML.
func TestEscaped(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.park("user/acme/<b>max")
	if m := d.told(); strings.Contains(m.HTML, "<b>") || !strings.Contains(m.HTML, "%3Cb%3Emax") {
		t.Errorf("%s", m.HTML)
	}
}

// TestWords: each kind, in both languages, with and without a link.
func TestWords(t *testing.T) {
	t.Parallel()
	slow := func(d *desk, account string) {
		d.stop(breaker.Slow, account, &failure.Failure{Rule: 48})
		d.states[account].Since = d.at.Add(-2 * time.Hour)
	}
	for name, tt := range map[string]struct {
		do            func(*desk)
		language, url string
		subject       string
		parts         []string
	}{
		"platform": {
			func(d *desk) { d.park("platform") }, "en", "https://mail.example.com", "A mail account has stopped: noreply@platform.example",
			[]string{"The platform’s account (noreply@platform.example)\nIt has sent nothing since 30 November 2026, 07:20 CET.\n", "https://mail.example.com/system/account", "through the same account"},
		},
		"platform, German": {
			func(d *desk) { d.park("platform") }, "de-AT", "", "Ein E-Mail-Konto sendet nicht mehr: noreply@platform.example",
			[]string{"Das Konto der Plattform", "unter „System“", "über dasselbe Konto"},
		},
		"a user's settings": {
			func(d *desk) { d.stop(breaker.Settings, "user/acme/max", certificate()) }, "", "", "Mails cannot be sent: max@acme.example",
			[]string{"The account of user “max” (max@acme.example)\nMails have been failing because of its settings since", "under Accounts of tenant “acme”"},
		},
		"settings, German": {
			func(d *desk) { d.stop(breaker.Settings, "user/acme/max", certificate()) }, "de", "", "E-Mails können nicht gesendet werden: max@acme.example",
			[]string{"Das Konto des Benutzers „max“", "scheitern E-Mails an seinen Einstellungen", "unter „Konten“ des Mandanten „acme“"},
		},
		"a limit": {
			func(d *desk) { slow(d, "tenant/acme") }, "en", "", "A mail account is waiting for its provider: info@acme.example",
			[]string{"has been holding its mails back since 30 November 2026, 05:20 CET"},
		},
		"several, German": {
			func(d *desk) {
				slow(d, "tenant/acme")
				d.stop(breaker.Settings, "user/acme/max", certificate())
			}, "de", "", "2 E-Mail-Konten können nicht alle E-Mails senden",
			[]string{"Das Konto des Mandanten „acme“", "Das Konto des Benutzers „max“"},
		},
		"several, one of them parked": {
			func(d *desk) {
				slow(d, "tenant/acme")
				d.park("user/acme/anna")
				d.stop(breaker.Settings, "user/acme/max", certificate())
			}, "en", "", "3 mail accounts have stopped", nil,
		},
		"both of one account": {
			func(d *desk) {
				d.stop(breaker.Settings, "tenant/acme", certificate())
				d.park("tenant/acme")
			}, "en", "", "A mail account has stopped: info@acme.example", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			tt.do(d)
			m := d.told(func(o *Options) { o.Language, o.PublicURL = tt.language, tt.url })
			if m.Subject != tt.subject {
				t.Errorf("subject %q", m.Subject)
			}
			for _, part := range tt.parts {
				if !strings.Contains(m.Text, part) {
					t.Errorf("%q is not in\n%s", part, m.Text)
				}
			}
			if tt.url == "" && strings.Contains(m.HTML+m.Text, "href") {
				t.Errorf("a link without an address:\n%s", m.HTML)
			}
		})
	}
}
