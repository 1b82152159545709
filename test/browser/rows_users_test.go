package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
)

// userRows are an administrator's, about the users.
func userRows() []row {
	return []row{{
		says: "user administration: the list of users, open one: address, display name (empty: first and last name), user, password, port, type, host",
		who:  admin, path: "/t/{t}/accounts",
		do: func(d *desk) {
			d.fill("Kennung des Benutzers", "max")
			d.click("Öffnen")
			d.sees("Konto von max")
			d.enters()
			d.fill("Vorname", "Max")
			d.fill("Nachname", "Brandt")
			d.saves()
			d.visit("/t/" + d.tenant + "/accounts")
			d.click("max")
			if got := d.value("Absendername"); got != "" {
				d.site.t.Errorf("the display name is %q", got)
			}
			if from := d.sends(manual).header.Get("From"); !strings.Contains(from, "Max Brandt") {
				d.site.t.Errorf("From %s", from)
			}
		},
		barred: []person{colleague, stranger, reader},
	}, {
		says: "user administration: a test mail beside each",
		who:  admin, path: "/t/{t}/accounts",
		before: func(d *desk) { d.account(d.tenant, "max", d.host.settings("Max Brandt", "")) },
		do: func(d *desk) {
			d.click("Testmail senden (max)")
			d.sees("Der Server hat die Testmail an " + d.person(admin).address() + " angenommen.")
		},
		barred: []person{colleague, stranger, reader},
	}}
}

// lookRows are about branding and addresses.
func lookRows() []row {
	return []row{{
		says: "branding: logo, colours, preview, on and off",
		who:  admin, path: "/t/{t}/branding", before: stored(""),
		do: func(d *desk) {
			d.tick("Mails in diesem Erscheinungsbild senden")
			d.fill("Firma", "Muster & Söhne")
			d.at("").attach("Logo", logo(d.site.t))
			d.fill("Farbe der Links und Überschriften", "#8a2be2")
			d.click("Vorschau")
			preview := d.frame(d.public + "/t/" + d.tenant + "/branding/preview")
			preview.wait("the preview shows the logo", func() bool {
				alt, err := tryEvaluate[string](preview, `document.querySelector("img")?.alt ?? ""`)
				return err == nil && alt == "Muster & Söhne"
			})
			d.saves()
			html := func(m *rohrpost.Message) { m.HTML = "<p>Guten Tag</p>" }
			if body := string(d.sends(html).Body); !strings.Contains(body, "8a2be2") {
				d.site.t.Error("the mail has not the accent")
			}
		},
		barred: []person{user, stranger, reader},
	}, {
		says: "admin address, Reply-To",
		who:  admin, path: "/t/{t}/settings", before: stored(""),
		do: func(d *desk) {
			d.fill("Adresse des Administrators", "it@firma.example")
			d.saves()
			if to := d.sends(nil).header.Get("Reply-To"); !strings.Contains(to, "it@firma.example") {
				d.site.t.Errorf("Reply-To %s", to)
			}
		},
		barred: []person{user, stranger, reader},
	}}
}

// logo is a picture file.
func logo(t *testing.T) string {
	t.Helper()
	picture := image.NewPaletted(image.Rect(0, 0, 120, 40), color.Palette{color.RGBA{0x8a, 0x2b, 0xe2, 0xff}})
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "logo.png")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ownServerRows are those of an installation whose team unlocks and approves own
// servers.
func ownServerRows() []row {
	ask := func(d *desk) {
		d.tick("Ich habe das gelesen und bestätige es für den Mandanten.")
		d.fill("Nachricht an den Betreiber (darf leer bleiben)", "Wir möchten unter eigener Domain senden.")
		d.click("Eigenen Mailserver anfragen")
		d.sees("Angefragt von")
	}
	decide := func(d *desk, says, press, done string) {
		team := &desk{tab: d.site.open(d.site.t, olga)}
		team.visit("/approvals")
		team.at(d.tenant).sees(says)
		team.click(d.tenant)
		team.click(press)
		team.sees(done)
	}
	return []row{{
		says: "ask for an own server; the team unlocks; then the setting appears",
		who:  admin, path: "/t/{t}/settings",
		do: func(d *desk) {
			account := "/t/" + d.tenant + "/accounts/tenant"
			d.visit(account)
			d.misses("Wo liegt das Postfach?")
			d.visit("/t/" + d.tenant + "/settings")
			ask(d)
			decide(d, "möchte einen eigenen Mailserver", "Eigene Server freischalten", "Freigeschaltet.")
			d.visit(account)
			d.sees("Wo liegt das Postfach?")
		},
		barred: []person{user, stranger, reader},
	}, {
		says: "the tenant reads and accepts that it answers for its own server",
		who:  admin, path: "/t/{t}/settings",
		do: func(d *desk) {
			d.sees("liegt die Verantwortung für Versand und Zustellung der Mails allein bei Ihnen")
			d.click("Eigenen Mailserver anfragen") // without the tick
			d.misses("Angefragt von")
			ask(d)
			d.sees("Der Mandant trägt die Verantwortung für den eigenen Mailserver.")
		},
		barred: []person{user, stranger, reader},
	}, {
		says: "settings wait for a check and approval, the team sees what waits",
		who:  admin, path: "/t/{t}/settings",
		do: func(d *desk) {
			ask(d)
			decide(d, "möchte einen eigenen Mailserver", "Eigene Server freischalten", "Freigeschaltet.")
			d.visit("/t/" + d.tenant + "/accounts/tenant")
			d.enters()
			d.saves()
			d.sees("wartet auf Freigabe")
			if m := d.sends(nil); m.server.owner != "nordwind" {
				d.site.t.Errorf("it left by %s before anybody approved", m.server.owner)
			}
			decide(d, "neue Einstellungen", "Freigeben", "Freigegeben:")
			second := "danach@" + d.tenant + ".example"
			d.send(rohrpost.Message{Tenant: d.tenant, To: []rohrpost.Address{{Address: second}}, Subject: "Danach", Text: "Guten Tag"})
			if m := d.arrived(second); m.server != d.host {
				d.site.t.Errorf("it left by %s after the approval", m.server.owner)
			}
		},
		barred: []person{user, stranger, reader},
	}, {
		says: "the team sees what waits, and refuses with a reason",
		who:  olga, path: "/approvals",
		before: func(d *desk) {
			own := &desk{tab: d.site.open(d.site.t, d.person(admin)), site: d.site, tenant: d.tenant}
			own.visit("/t/" + d.tenant + "/settings")
			ask(own)
		},
		do: func(d *desk) {
			d.click(d.tenant)
			d.sees("Wir möchten unter eigener Domain senden.")
			d.fill("Begründung, für den Administrator", "Bitte zuerst den Vertrag erweitern.")
			d.click("Ablehnen")
			d.sees("Abgelehnt.")
			own := d.site.open(d.site.t, d.person(admin))
			own.visit("/t/" + d.tenant + "/settings")
			own.sees("Bitte zuerst den Vertrag erweitern.")
		},
		barred: []person{admin, user, reader, stranger},
	}}
}

// TestOwnServerRows: the same as TestRows, where the team decides about own servers.
func TestOwnServerRows(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteOptions{accounts: ", require_unlock: true, require_approval: true, require_acceptance: true"})
	s.account("", "", s.mail["nordwind"].settings("Nordwind Software", ""))
	s.runRows(t, ownServerRows())
}
