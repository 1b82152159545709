package browser

import (
	"strings"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// letters are mails of the row's tenant to recipients, each named after its own.
func (d *desk) letters(recipients ...string) {
	d.site.t.Helper()
	var mails []rohrpost.Message
	for _, to := range recipients {
		mails = append(mails, rohrpost.Message{
			ID: d.idOf(to), Tenant: d.tenant, To: []rohrpost.Address{{Address: to}}, Subject: "Ihre Rechnung", Text: "Guten Tag", User: rohrpost.User{ID: "max"},
		})
	}
	d.send(mails...)
}

// idOf is the id of the mail to a recipient.
func (d *desk) idOf(to string) string {
	local, _, _ := strings.Cut(to, "@")
	return local + "-" + d.tenant
}

// delayed is a mail that waits for its next attempt.
func delayed(d *desk) {
	stored("")(d)
	d.host.Once(smtptest.Recipient(d.customer()), smtptest.Reply(451, "4.3.0 Please try again later"))
	d.letters(d.customer())
	d.until(d.idOf(d.customer()), rohrpost.Deferred)
}

// returned is a mail that was refused for good, once.
func returned(d *desk) {
	stored("")(d)
	d.host.Once(smtptest.Recipient(d.customer()), smtptest.Reply(550, "5.1.1 User unknown"))
	d.letters(d.customer())
	d.until(d.idOf(d.customer()), rohrpost.Failed)
}

// clicksMail opens the mail to a recipient from the list.
func (d *desk) clicksMail(to string) {
	d.site.t.Helper()
	d.at(to).follow()
	d.sees("Mail "+d.idOf(to), "Verlauf")
}

// mailRows are about single mails: what operators and administrators expect beside what
// the applications' own screens have.
func mailRows() []row {
	return []row{{
		says: "find a mail by recipient, id, user, state",
		who:  reader, path: "/t/{t}/mails",
		before: func(d *desk) {
			delayed(d)
			d.letters("zweite@"+d.tenant+".example", "dritte@anders.example")
			d.until(d.idOf("dritte@anders.example"), rohrpost.Accepted)
		},
		do: func(d *desk) {
			d.sees("3 Mails")
			d.fill("Empfänger", "@"+d.tenant+".example")
			d.click("Anzeigen")
			d.sees("2 Mails", d.customer())
			d.misses("dritte@anders.example")
			d.choose("Zustand", "wartet auf den nächsten Versuch")
			d.click("Anzeigen")
			d.sees("Eine Mail", d.customer())
			d.click("Zurücksetzen")
			d.sees("3 Mails")
			d.fill("Kennung oder Message-ID", d.idOf("dritte@anders.example"))
			d.click("Anzeigen")
			d.sees("Eine Mail", "dritte@anders.example")
			d.click("Zurücksetzen")
			d.sees("3 Mails")
			d.fill("Benutzer", "niemand")
			d.click("Anzeigen")
			d.sees("Keine Mail passt zu dieser Auswahl.")
		},
		barred: []person{user, stranger},
	}, {
		says: "the timeline of one mail: what is held, and why",
		who:  reader, path: "/t/{t}/mails", before: delayed,
		do: func(d *desk) {
			d.clicksMail(d.customer())
			d.sees("Der nächste Versuch ist um", "Versuch 1", "451 4.3.0 Please try again later", "Warum dieses Konto")
			d.misses("Was Sie tun können")
		},
		barred: []person{user, stranger},
	}, {
		says: "Retry: send a mail again at once",
		who:  admin, path: "/t/{t}/mails", before: returned,
		do: func(d *desk) {
			d.clicksMail(d.customer())
			d.sees("550 5.1.1 User unknown")
			d.click("Jetzt erneut senden")
			d.sees("Sie geht erneut auf den Weg.")
			d.arrived(d.customer())
			d.sees("Der Server jedes Empfängers hat sie angenommen.") // the page follows
			d.done("crm:anna", "erneut senden")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "Cancel: stop a mail that has not left",
		who:  admin, path: "/t/{t}/mails", before: delayed,
		do: func(d *desk) {
			d.clicksMail(d.customer())
			d.click("Abbrechen")
			d.sees("Sie ist abgebrochen.", "Sie wurde abgebrochen.")
			d.until(d.idOf(d.customer()), rohrpost.Canceled)
			d.done("crm:anna", "abbrechen")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "Put off: a mail leaves later",
		who:  admin, path: "/t/{t}/mails", before: delayed,
		do: func(d *desk) {
			at := time.Now().In(berlin(d)).Add(50 * time.Hour).Truncate(time.Minute)
			d.clicksMail(d.customer())
			d.at("").set("Nicht vor (Europe/Berlin)", at)
			d.click("Verschieben")
			d.sees("Sie ist verschoben.", "wie gewünscht bis "+at.Format("02.01.2006 15:04"))
			d.until(d.idOf(d.customer()), rohrpost.Scheduled)
			d.done("crm:anna", "verschieben")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "send to a corrected address",
		who:  admin, path: "/t/{t}/mails", before: returned,
		do: func(d *desk) {
			right := "richtig@" + d.tenant + ".example"
			d.clicksMail(d.customer())
			d.fill("Berichtigte Adresse", right)
			d.click("An eine berichtigte Adresse senden")
			d.sees("Die Kopie ist unterwegs. Das ist ihre Seite.", "Kopie an eine berichtigte Adresse von")
			if m := d.arrived(right); len(m.Recipients) != 1 {
				d.site.t.Errorf("the copy went to %q", m.Recipients)
			}
			d.until(d.idOf(d.customer()), rohrpost.Failed) // as it was
			d.done("crm:anna", "an berichtigte Adresse senden")
		},
		barred: []person{reader, user, stranger},
	}}
}

// many are five mails that wait for their next attempt, of which a filter picks the
// three to the row's customers.
func many(d *desk) {
	stored("")(d)
	recipients := []string{"eins@" + d.tenant + ".example", "zwei@" + d.tenant + ".example", "drei@" + d.tenant + ".example", "vier@anders.example", "fuenf@anders.example"}
	for _, to := range recipients {
		d.host.Once(smtptest.Recipient(to), smtptest.Reply(451, "4.3.0 Please try again later"))
	}
	d.letters(recipients...)
	for _, to := range recipients {
		d.until(d.idOf(to), rohrpost.Deferred)
	}
}

// picks narrows the list to the three of many.
func (d *desk) picks() {
	d.site.t.Helper()
	d.fill("Empfänger", "@"+d.tenant+".example")
	d.click("Anzeigen")
	d.sees("3 Mails")
}

// become waits until the three of many have a state; the others keep theirs.
func (d *desk) become(state rohrpost.State) {
	d.site.t.Helper()
	for _, name := range []string{"eins", "zwei", "drei"} {
		d.until(d.idOf(name), state)
	}
	for _, name := range []string{"vier", "fuenf"} {
		d.until(d.idOf(name), rohrpost.Deferred)
	}
}

// bulkRows do the same to all mails that a filter picks: a count, a question, an audit line.
func bulkRows() []row {
	yes := func(d *desk, begin, question, yes string) {
		d.picks()
		d.click(begin + " …")
		d.sees(question, "Die Auswahl", "@"+d.tenant+".example")
		d.click("Nein, zurück zur Liste")
		d.sees("3 Mails")
		d.become(rohrpost.Deferred) // nothing happens without a yes
		d.click(begin + " …")
		if begin == "Alle verschieben" {
			d.at("").set("Nicht vor (Europe/Berlin)", time.Now().In(berlin(d)).Add(50*time.Hour))
		}
		d.click(yes)
		d.sees("Bei 3 Mails erledigt.")
	}
	return []row{{
		says: "bulk: cancel all that a filter picks",
		who:  admin, path: "/t/{t}/mails", before: many,
		do: func(d *desk) {
			yes(d, "Alle abbrechen", "3 Mails abbrechen?", "Ja, abbrechen")
			d.become(rohrpost.Canceled)
			d.done("crm:anna", "abbrechen", "3 von 3")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "bulk: send all again that a filter picks",
		who:  admin, path: "/t/{t}/mails", before: many,
		do: func(d *desk) {
			yes(d, "Alle erneut senden", "3 Mails erneut senden", "Ja, erneut senden")
			d.become(rohrpost.Accepted)
			d.done("crm:anna", "erneut senden", "3 von 3")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "bulk: put all off that a filter picks",
		who:  admin, path: "/t/{t}/mails", before: many,
		do: func(d *desk) {
			yes(d, "Alle verschieben", "3 Mails verschieben?", "Ja, verschieben")
			d.become(rohrpost.Scheduled)
			d.done("crm:anna", "verschieben", "3 von 3")
		},
		barred: []person{reader, user, stranger},
	}, {
		says: "bulk: the question counts one mail, too, and nobody else gets it",
		who:  admin, path: "/t/{t}/mails/all/cancel", before: delayed,
		do: func(d *desk) {
			d.sees("Eine Mail abbrechen?")
			d.click("Ja, abbrechen")
			d.sees("Bei einer Mail erledigt.")
		},
		barred: []person{reader, user, stranger},
	}}
}

// done looks for the line of the operators' history about what somebody did to the row's
// mails.
func (d *desk) done(says ...string) {
	d.site.t.Helper()
	team := d.site.open(d.site.t, olga)
	team.visit("/system/history")
	team.at(d.tenant + ": ").sees(says...)
}

// berlin is the zone of all people here.
func berlin(d *desk) *time.Location {
	d.site.t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		d.site.t.Fatal(err)
	}
	return zone
}
