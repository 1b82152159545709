package doctor_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/doctor"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/netguard"
	"github.com/rohrpost/rohrpost/internal/transport/smtp"
)

func TestText(t *testing.T) {
	t.Parallel()
	wrong := failure.Cause{Stage: failure.StageAuth, Host: "mail.example", Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no, max@acme.example"}}}
	operator := request("en")
	operator.Operator = true
	for _, c := range []struct {
		name    string
		steps   told
		request doctor.Request
		want    string
	}{
		{"well", healthy(), request("en"), `
mail.example:587

  ✓  Settings           < 1 ms  The settings are complete.
  ✓  Name resolution     12 ms  Addresses found: 2.
  ✓  Connection          31 ms  The server answers on port 587.
  ✓  Greeting            40 ms  It is a mail server.
  ✓  Introduction        33 ms  The server knows EHLO.
  ✓  Encryption          80 ms  The connection is encrypted with TLS 1.3.
  ✓  Certificate        < 1 ms  Valid until 2026-08-01 (days left: 61), for mail.example,
                                smtp.example.
  ✓  Login methods       20 ms  Offered: PLAIN, LOGIN.
  ✓  Login             1310 ms  The server accepts the login.
  ✓  Sender              30 ms  The server accepts the sender address.
  ✓  Recipient            12 s  The server accepts the recipient address.

Everything is well.
`},
		{"the login fails, in German", healthy().fail(smtp.StepLogin, wrong), request("de"), `
mail.example:587

  ✓  Einstellungen       < 1 ms  Die Einstellungen sind vollständig.
  ✓  Namensauflösung      12 ms  Gefundene Adressen: 2.
  ✓  Verbindung           31 ms  Der Server antwortet auf Port 587.
  ✓  Begrüßung            40 ms  Es ist ein Mailserver.
  ✓  Vorstellung          33 ms  Der Server kennt EHLO.
  ✓  Verschlüsselung      80 ms  Die Verbindung ist mit TLS 1.3 verschlüsselt.
  ✓  Zertifikat          < 1 ms  Gültig bis 2026-08-01 (Tage übrig: 61), für mail.example,
                                 smtp.example.
  ✓  Anmeldeverfahren     20 ms  Angeboten: PLAIN, LOGIN.
  ✗  Anmeldung          1310 ms  Die Anmeldung ist fehlgeschlagen: Anmeldung abgelehnt (535 5.7.8).
                                 → Benutzername oder Passwort ist falsch. Beides neu eingeben (der
                                   Benutzername ist oft die ganze Adresse), dann eine Testmail
                                   senden. Wartende Nachrichten gehen hinaus, sobald es klappt.
  –  Absender                    Nicht erreicht.
  –  Empfänger                   Nicht erreicht.

Es funktioniert noch nicht. Zu beheben: Anmeldung.
`},
		{"for an operator", healthy()[:3].fail(smtp.StepConnect, failure.Cause{Stage: failure.StageConnect, Err: &netguard.Refused{Address: "10.0.0.7:587", Reason: "private"}}), operator, `
mail.example:587

  ✓  Settings           < 1 ms  The settings are complete.
  ✓  Name resolution     12 ms  Addresses found: 192.0.2.7, 2001:db8::7.
  ✗  Connection          31 ms  There is no connection to the server: settings incomplete or wrong.
                                → There is no mail server under this name and port to which this
                                  system connects: it takes public ones only, on the ports for
                                  sending. Check the spelling, and enter the server name that the
                                  provider publishes, with port 465 or 587. Is it a server in the
                                  own network, or another port: the operator of this system allows
                                  it (accounts.allow_networks, accounts.allow_ports).
                                « 10.0.0.7:587: private

It does not work yet. To be mended: Connection.
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			report := examine(t, c.steps, c.request)
			if diff := cmp.Diff(c.want, "\n"+report.Text()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	steps := healthy()[6:9].fail(smtp.StepLogin, failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{Code: 535, Lines: []string{"5.7.8 no"}}})
	r := request("en")
	r.Server.Host = "smtp.example"
	got, err := json.MarshalIndent(examine(t, steps, r), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
 "host": "smtp.example:587",
 "language": "en",
 "verdict": "failed",
 "summary": "It does not work yet. To be mended: Login.",
 "took_ms": 0,
 "steps": [
  {
   "name": "certificate",
   "title": "Certificate",
   "verdict": "passed",
   "took_ms": 0,
   "text": "Valid until 2026-08-01 (days left: 61), for mail.example, smtp.example.",
   "names": [
    "mail.example",
    "smtp.example"
   ],
   "days_left": 61
  },
  {
   "name": "methods",
   "title": "Login methods",
   "verdict": "passed",
   "took_ms": 20,
   "text": "Offered: PLAIN, LOGIN.",
   "methods": [
    "PLAIN",
    "LOGIN"
   ]
  },
  {
   "name": "login",
   "title": "Login",
   "verdict": "failed",
   "took_ms": 1310,
   "text": "The login failed: login refused (535 5.7.8).",
   "hints": [
    "User name or password is wrong. Enter both again (the user name is often the whole address), then send a test mail. Waiting messages go out as soon as it works."
   ],
   "category": "auth_failed",
   "class": "config",
   "code": 535,
   "enhanced": "5.7.8"
  }
 ]
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	var back doctor.Report
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.MarshalIndent(back, "", " "); err != nil || string(again) != want {
		t.Errorf("read back: %s, %v", again, err)
	}
}

func TestForeignText(t *testing.T) {
	t.Parallel()
	steps := healthy()
	steps[6].Names = []string{"\x1b[2Jmail.example", "a b", "mail.example"}
	steps[7].Mechanisms = []string{"\x1b]0;X\a", "PLAIN", "root:x:0:0"}
	steps = steps.fail(smtp.StepLogin, failure.Cause{Stage: failure.StageAuth, Reply: failure.Reply{
		Code: 535, Lines: []string{"5.7.8 internal-host-7 says\x1b[31m no to max@acme.example"},
	}})
	for _, operator := range []bool{false, true} {
		r := request("en")
		r.Operator = operator
		report := examine(t, steps, r)
		b, err := json.Marshal(report)
		if err != nil {
			t.Fatal(err)
		}
		all := string(b) + report.Text()
		for _, never := range []string{"\x1b", "\\u001b", "a b", "root:x", "max@acme.example"} {
			if strings.Contains(all, never) {
				t.Errorf("operator %v: %q is shown: %s", operator, never, all)
			}
		}
		for _, sometimes := range []string{"internal-host-7", "192.0.2.7"} {
			if strings.Contains(all, sometimes) != operator {
				t.Errorf("operator %v: %q: %s", operator, sometimes, all)
			}
		}
	}
}

// TestBusy: that no connection was free says nothing of the server, and everybody reads
// how many there are.
func TestBusy(t *testing.T) {
	t.Parallel()
	busy := failure.Classify(failure.Cause{Stage: failure.StageWorker, Err: &failure.Busy{Connections: 3}})
	d := open(t, doctor.Options{Checker: told{{Name: smtp.StepSettings}, {Name: smtp.StepConnect, Failure: busy}, {Name: smtp.StepBanner, Skipped: true}}})
	for lang, words := range map[string][]string{
		"en": {"All connections of the account (3) are busy with mails", "Try again in a moment", "It was not examined"},
		"de": {"Alle Verbindungen des Kontos (3) sind mit Nachrichten beschäftigt", "Gleich noch einmal versuchen", "Es wurde nicht untersucht"},
	} {
		r := d.Examine(t.Context(), doctor.Request{Language: lang})
		text := strings.Join(strings.Fields(r.Text()), " ")
		for _, word := range words {
			if !strings.Contains(text, word) {
				t.Errorf("%q is not in %s", word, text)
			}
		}
		if r.Verdict != doctor.Skipped || step(t, r, smtp.StepConnect).Verdict != doctor.Skipped || r.Hidden {
			t.Errorf("%+v", r)
		}
	}
}
