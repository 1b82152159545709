package browser

import (
	"strings"

	"github.com/rohrpost/rohrpost"
)

// manual has max press Send.
func manual(m *rohrpost.Message) {
	m.Origin, m.User = rohrpost.Manual, rohrpost.User{ID: "max", FirstName: "Max", LastName: "Brandt", Address: "max@firma.example"}
}

func ownAccount() []row {
	return []row{{
		says: "My account > E-Mail: a user enters own SMTP data",
		who:  user, path: "/t/{t}/accounts/user/max",
		do: func(d *desk) {
			d.enters()
			d.saves()
			if m := d.sends(manual); m.from() != d.host.mailbox() || m.server != d.host {
				d.site.t.Errorf("it left by %s, from %s", m.server.owner, m.from())
			}
		},
		barred: []person{colleague, reader, stranger},
	}}
}

func tenantAccount() []row {
	return []row{{
		says: "Administration > E-Mail: the admin enters the tenant's account",
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.enters()
			d.saves()
			if m := d.sends(nil); m.from() != d.host.mailbox() || m.server != d.host {
				d.site.t.Errorf("it left by %s, from %s", m.server.owner, m.from())
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "server, encryption, port, sender name and address",
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.enters()
			d.fill("Absendername", "Muster & Söhne")
			d.saves()
			if from := d.sends(nil).header.Get("From"); !strings.Contains(from, d.host.mailbox()) || !strings.HasPrefix(from, "=?utf-8?") && !strings.HasPrefix(from, "=?UTF-8?") {
				d.site.t.Errorf("From %s", from)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: `a tick "authentication", then user and password`,
		who:  admin, path: "/t/{t}/accounts/tenant", before: stored(""),
		do: func(d *desk) {
			d.tick("Der Server verlangt eine Anmeldung") // takes it away
			d.saves()
			d.sees("Benutzername")
			d.tick("Der Server verlangt eine Anmeldung")
			d.saves()
			if m := d.sends(nil); m.Username != d.host.mailbox() {
				d.site.t.Errorf("signed in as %q: what was entered is not kept", m.Username)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: `a tick "default": taken away, the form appears; put back, what was entered is kept`,
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.click("Anderer Anbieter oder eigener Server")
			d.sees("Benutzername") // whoever chooses a provider wants its server
			d.tick("Mailserver der Plattform verwenden")
			d.hides("Benutzername")
			d.tick("Mailserver der Plattform verwenden") // takes it away
			d.sees("Benutzername")
			d.visit("/t/" + d.tenant + "/accounts/tenant")
			d.enters()
			d.saves()
			d.tick("Mailserver der Plattform verwenden")
			d.saves()
			d.hides("Benutzername")
			if m := d.sends(nil); m.server.owner != "nordwind" {
				d.site.t.Errorf("it left by %s", m.server.owner)
			}
			d.tick("Mailserver der Plattform verwenden")
			if got := d.value("Server"); got != mailHost(d.host.owner) {
				d.site.t.Errorf("the server is %q: what was entered is lost", got)
			}
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "address, TLS, SMTP or SMTPS, host or IP, port, login",
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.enters()
			d.choose("Verschlüsselung", "TLS von Anfang an (SMTPS, Port 465) – empfohlen")
			d.fill("Server", "192.0.2.7")
			d.fill("Port", "465")
			d.saves()
			d.sees("192.0.2.7")
		},
		barred: []person{user, reader, stranger},
	}, {
		says: "the recommendation of TLS and SMTPS beside the field",
		who:  admin, path: "/t/{t}/accounts/tenant",
		do: func(d *desk) {
			d.click("Anderer Anbieter oder eigener Server")
			if tip := d.tip("Verschlüsselung"); !strings.Contains(tip, "Empfohlen ist TLS von Anfang an (SMTPS") {
				d.site.t.Errorf("beside the field stands %q", tip)
			}
		},
		barred: []person{user, stranger},
	}}
}
