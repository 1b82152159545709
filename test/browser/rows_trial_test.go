package browser

import "strings"

// trialRows are about test mails.
func trialRows() []row {
	return []row{{
		says: "test mail with unsaved settings; then save or discard",
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.enters()
			d.fill("Passwort", "falsch")
			d.click("Testmail senden")
			d.sees("Die Testmail ging nicht hinaus.")
			d.fill("Passwort", d.host.password())
			d.click("Testmail senden")
			d.sees("Diese Einstellungen funktionieren. Sie sind noch nicht gespeichert.")
			if shown := d.run("", "account", "list", "--tenant", d.tenant); strings.Contains(shown, d.host.mailbox()) {
				d.site.t.Errorf("a test mail has stored the settings: %s", shown)
			}
			d.saves()
			d.fill("Absendername", "Verworfen")
			d.visit("/t/" + d.tenant + "/accounts/tenant")
			if got := d.value("Absendername"); got != "" {
				d.site.t.Errorf("the name is %q after it was discarded", got)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "the test mail goes to the person who is signed in",
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(""),
		do: func(d *desk) {
			me := d.person(admin).address()
			if got := d.value("Testmail geht an"); got != me {
				d.site.t.Errorf("it goes to %q", got)
			}
			d.click("Testmail senden")
			d.sees("Der Server hat die Testmail an " + me + " angenommen.")
			d.arrived(me)
			d.fill("Testmail geht an", "irgendwer@sonst.example")
			d.click("Testmail senden")
			d.sees("Nur ein Betreiber darf einen anderen Empfänger nennen.")
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "the doctor: step by step, on unsaved settings",
		who:  user, path: "/t/{t}/accounts/user/max",
		do: func(d *desk) {
			d.enters()
			d.fill("Passwort", "falsch")
			d.click("Schritt für Schritt prüfen")
			d.sees("Was geprüft wurde", "Anmeldung")
		},
		barred: []person{colleague, reader, stranger},
	}, {
		says: "Microsoft 365: app password or Authenticated SMTP, with where to click, before it fails",
		who:  user, path: "/t/{t}/accounts/user/max",
		do: func(d *desk) {
			d.click("Microsoft 365")
			if tip := d.tip("Passwort"); !strings.Contains(tip, "Authentifiziertes SMTP") || !strings.Contains(tip, "App-Kennwort") || !strings.Contains(tip, "Aktive Benutzer") {
				d.site.t.Errorf("beside the password stands %q", tip)
			}
		},
		barred: []person{colleague, stranger},
	}, {
		says: "Gmail: app password and how, before it fails",
		who:  user, path: "/t/{t}/accounts/user/max",
		do: func(d *desk) {
			d.click("Google (Gmail, Workspace)")
			if tip := d.tip("Passwort"); !strings.Contains(tip, "myaccount.google.com/apppasswords") {
				d.site.t.Errorf("beside the password stands %q", tip)
			}
		},
		barred: []person{colleague, stranger},
	}}
}
