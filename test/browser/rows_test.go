package browser

import (
	"bytes"
	"fmt"
	"net/http"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// A row is one of the things that people do about mail on the screens of their
// applications. Each has a tenant of its own.
type row struct {
	says   string // what they do
	who    person // without a tenant: of the row's
	path   string // where they begin; {t} is the row's tenant
	before func(*desk)
	do     func(*desk)
	barred []person // who may not: they get no page, or one without a form; and no form of the others is taken from them
}

// People of the row's tenant, and one of another.
var (
	admin     = person{name: "anna", role: "admin"}
	reader    = person{name: "rita", role: "reader"}
	user      = person{name: "max", role: "user", user: "max"}
	colleague = person{name: "erika", role: "user", user: "erika"}
	stranger  = person{name: "bea", role: "admin", tenant: "fremd"}
)

func rows() []row {
	return slices.Concat(ownAccount(), tenantAccount(), senderRows(), trialRows(), problemRows(), mailRows(), bulkRows(), userRows(), lookRows())
}

// TestRows: each row is done by clicks, and refused to those who may not.
func TestRows(t *testing.T) {
	t.Parallel()
	s := newSite(t, siteOptions{})
	s.account("", "", s.mail["nordwind"].settings("Nordwind Software", ""))
	s.runRows(t, rows())
}

func (s *site) runRows(t *testing.T, rows []row) {
	t.Helper()
	for i, r := range rows {
		t.Run(r.says, func(t *testing.T) {
			t.Parallel()
			d := &desk{site: s.of(t), tenant: fmt.Sprintf("firma-%02d", i+1), host: s.mail["acme"]}
			if r.before != nil {
				r.before(d)
			}
			path := strings.ReplaceAll(r.path, "{t}", d.tenant)
			d.tab = s.open(t, d.person(r.who))
			if status := d.visit(path); status != http.StatusOK {
				t.Fatalf("%s: status %d", path, status)
			}
			r.do(d)
			d.keep()
			for _, p := range r.barred {
				d.refused(d.person(p), path)
			}
		})
	}
}

// A desk is where somebody does a row.
type desk struct {
	*tab
	*site
	tenant string
	host   *mailServer   // that the row's accounts use
	had    map[form]bool // the forms that were there when somebody clicked
}

// click is that of the tab. What could have been sent in its place is kept.
func (d *desk) click(name string) {
	d.tab.t.Helper()
	d.keep()
	d.tab.click(name)
}

func (d *desk) keep() {
	if d.had == nil {
		d.had = map[form]bool{}
	}
	for _, f := range d.forms() {
		d.had[f] = true
	}
}

// person is somebody of the row's tenant.
func (d *desk) person(p person) person {
	if p.tenant == "" && p.role != "operator" {
		p.tenant = d.tenant
	}
	return p
}

// refused holds a person to what they may not.
func (d *desk) refused(p person, path string) {
	t := d.site.t
	t.Helper()
	client := d.robot(t, p)
	if status, theirs := client.forms(path); status != http.StatusForbidden && len(theirs) > 0 {
		t.Errorf("%s of %s has the forms %v, status %d", p.role, p.tenant, theirs, status)
	}
	for f := range d.had {
		if status := client.post(f, "Origin", d.public, "Sec-Fetch-Site", "same-origin"); status != http.StatusForbidden {
			t.Errorf("%s of %s sends %s %.80s: status %d", p.role, p.tenant, f.Action, f.Body, status)
		}
	}
}

// customer is a recipient that the row alone has.
func (d *desk) customer() string { return "kunde@" + d.tenant + ".example" }

// sends has the application send a mail of the tenant, and returns it as the server
// has got it.
func (d *desk) sends(change func(*rohrpost.Message)) taken {
	t := d.site.t
	t.Helper()
	m := rohrpost.Message{Tenant: d.tenant, To: []rohrpost.Address{{Address: d.customer()}}, Subject: "Ihre Rechnung", Text: "Guten Tag"}
	if change != nil {
		change(&m)
	}
	d.send(m)
	return d.arrived(d.customer())
}

// A taken mail is what a server has got, and which.
type taken struct {
	smtptest.Mail
	header mail.Header
	server *mailServer
}

// arrived waits for the mail to a recipient.
func (d *desk) arrived(to string) taken {
	t := d.site.t
	t.Helper()
	var got taken
	waitFor(t, "a mail to "+to, func() bool {
		for _, server := range d.mail {
			for _, m := range server.Mails() {
				if slices.Contains(m.Recipients, to) {
					got = taken{Mail: m, server: server}
					return true
				}
			}
		}
		return false
	})
	parsed, err := mail.ReadMessage(bytes.NewReader(got.Body))
	if err != nil {
		t.Fatal(err)
	}
	got.header = parsed.Header
	return got
}

// from is the address in From.
func (m taken) from() string {
	list, err := m.header.AddressList("From")
	if err != nil || len(list) != 1 {
		return fmt.Sprint(list, err)
	}
	return list[0].Address
}

// enters fills the form of an account of the row's server, from the choice of the
// provider on.
func (d *desk) enters() {
	d.site.t.Helper()
	d.click("Anderer Anbieter oder eigener Server")
	d.fill("Absenderadresse", d.host.mailbox())
	d.fill("Server", mailHost(d.host.owner))
	d.fill("Port", strconv.Itoa(d.host.Port()))
	d.choose("Verschlüsselung", "STARTTLS (Port 587)")
	d.fill("Benutzername", d.host.mailbox())
	d.fill("Passwort", d.host.password())
}

// saves presses the button and waits for the answer.
func (d *desk) saves() {
	d.site.t.Helper()
	d.click("Speichern")
	d.sees("Gespeichert.")
}

// stored is an account of the tenant on the row's server, without a screen.
func stored(more string) func(*desk) {
	return func(d *desk) { d.account(d.tenant, "", d.host.settings("Muster GmbH", more)) }
}
