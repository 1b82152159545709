package browser

import (
	"os"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// refusedMail is a mail that the row's customer does not take.
func refusedMail(d *desk) {
	stored("")(d)
	d.host.On(smtptest.Recipient(d.customer()), smtptest.Reply(550, "5.1.1 User unknown"))
	id := "rechnung-" + d.tenant
	d.send(rohrpost.Message{ID: id, Tenant: d.tenant, To: []rohrpost.Address{{Address: d.customer()}}, Subject: "Ihre Rechnung", Text: "Guten Tag"})
	d.until(id, rohrpost.Failed)
}

// problemRows are about what failed.
func problemRows() []row {
	return []row{{
		says: "the error log: see 24 h",
		who:  reader, path: "/t/{t}/problems", before: refusedMail,
		do: func(d *desk) {
			d.sees("Den Empfänger gibt es", d.customer())
		},
		barred: []person{user, stranger},
	}, {
		says: "the error log: one click downloads all",
		who:  reader, path: "/t/{t}/problems", before: refusedMail,
		do: func(d *desk) {
			file := d.downloads(func() { d.click("Tabelle (CSV)") })
			text, err := os.ReadFile(file)
			if err != nil {
				d.site.t.Fatal(err)
			}
			if !strings.Contains(string(text), ";"+d.customer()) || !strings.Contains(string(text), "5.1.1") {
				d.site.t.Errorf("the file is %.300s", text)
			}
		},
		barred: []person{user, stranger},
	}}
}
