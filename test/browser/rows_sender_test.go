package browser

import (
	"strings"

	"github.com/rohrpost/rohrpost"
)

// senderRows are about who sends, and under which address.
func senderRows() []row {
	return []row{{
		says: "the central sender address, with the hint that it must be an alias of that access",
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(""),
		do: func(d *desk) {
			d.click("Mehr zum Absender")
			if tip := d.tip("Zentrale Absenderadresse"); !strings.Contains(tip, "Alias desselben Postfachs") {
				d.site.t.Errorf("beside the field stands %q", tip)
			}
			d.fill("Zentrale Absenderadresse", "service@acme.example")
			d.saves()
			if from := d.sends(nil).from(); from != "service@acme.example" {
				d.site.t.Errorf("From %s", from)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "the warning when the sender is not the account",
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(""),
		do: func(d *desk) {
			d.fill("Absenderadresse", "info@andere.example")
			d.fill("Benutzername", d.host.mailbox())
			d.fill("Passwort", d.host.password())
			d.saves()
			d.at("Gut zu wissen").sees("Anmeldung")
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "force default sender (recommended)",
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(", aliases: [service@acme.example]"),
		do: func(d *desk) {
			if tip := d.tip("Immer diesen Absender verwenden"); !strings.Contains(tip, "Empfohlen") {
				d.site.t.Errorf("beside the field stands %q", tip)
			}
			ask := func(m *rohrpost.Message) { m.From.Address = "service@acme.example" }
			if from := d.sends(ask).from(); from != d.host.mailbox() {
				d.site.t.Errorf("From %s although it is forced", from)
			}
			d.tick("Immer diesen Absender verwenden") // takes it away
			d.saves()
			other := "zweiter@" + d.tenant + ".example"
			d.sends(func(m *rohrpost.Message) {
				ask(m)
				m.To = []rohrpost.Address{{Address: d.customer()}, {Address: other}}
			})
			if from := d.arrived(other).from(); from != "service@acme.example" {
				d.site.t.Errorf("From %s although it is not forced", from)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "Reply-To of the user",
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(""),
		do: func(d *desk) {
			d.click("Mehr zum Absender")
			d.tick("Antworten gehen an den Benutzer")
			d.saves()
			if to := d.sends(manual).header.Get("Reply-To"); !strings.Contains(to, "max@firma.example") {
				d.site.t.Errorf("Reply-To %s", to)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "see which account sends, and why, for a mail that a person or a program sends",
		who:  admin, path: "/t/{t}/accounts/explain",
		before: func(d *desk) {
			stored("")(d)
			d.account(d.tenant, "max", d.mail["initech"].settings("Max Brandt", ""))
		},
		do: func(d *desk) {
			d.fill("Kennung des Benutzers (darf leer bleiben)", "max")
			d.click("Fragen")
			d.at("Wenn eine Person auf Senden drückt").sees(d.mail["initech"].mailbox(), "Warum")
			d.choose("Wer die Mail sendet", "von einem Programm gesendet")
			d.click("Fragen")
			d.at("Wenn ein Programm sendet").sees(d.host.mailbox(), "Warum")
		},
		barred: []person{user, stranger},
	}, {
		says: `click "connect Microsoft 365" in one's own browser`,
		who:  admin, path: "/t/{t}/accounts/tenant", before: connected("microsoft"),
		do: func(d *desk) {
			d.click("Mit Microsoft 365 verbinden")
			d.sees("Verbunden", "max@acme.example ist verbunden.")
			d.click("Zurück zum Konto")
			d.sees("Verbunden mit dem Postfach max@acme.example.")
		},
		barred: []person{user, reader, stranger},
	}, {
		says: `click "connect Google" in one's own browser`,
		who:  user, path: "/t/{t}/accounts/user/max", before: connected("google"),
		do: func(d *desk) {
			d.click("Mit Google verbinden")
			d.sees("Verbunden", "max@acme.example ist verbunden.")
		},
		barred: []person{colleague, reader, stranger},
	}, {
		says: "read at the form that OAuth2 beats SMTP and that the SMTP data stay",
		who:  admin, path: "/t/{t}/accounts/tenant", before: connected("microsoft"),
		do: func(d *desk) {
			d.sees("Server und Passwort unten bleiben gespeichert und werden nicht verwendet.")
			if got := d.value("Benutzername"); got != "max@acme.example" {
				d.site.t.Errorf("the stored user name is %q", got)
			}
		},
		barred: []person{user, stranger},
	}}
}

// connected stores an account that was connected before, beside a server: of the tenant,
// and of max. Only such a one knows the addresses of the provider on this machine.
func connected(provider string) func(*desk) {
	return func(d *desk) {
		settings := `{address: max@acme.example, smtp: {host: ` + mailHost("acme") + `, username: max@acme.example, password: alt},
			oauth2: {provider: ` + provider + `, client_id: client-1, refresh_token: ` + d.tokens.Connect("max@acme.example") +
			`, endpoints: {authorize: "` + d.tokens.AuthURL() + `", token: "` + d.tokens.TokenURL() + `", smtp: "` + mailHost("acme") + `:587"}}}`
		d.account(d.tenant, "", settings)
		d.account(d.tenant, "max", settings)
	}
}
