package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer/adminlink"
)

// The mails of the world that pages show by their ids.
const (
	acceptedID = "rechnung-2026-1017"
	refusedID  = "rechnung-2026-1018"
	parkedID   = "angebot-4711"
	slowID     = "mahnung-2026-0099"
	laterID    = "rundschreiben-dezember"
)

// newWorld is an installation on a bad morning: acme's mails leave but for two that a
// recipient's server refuses, initech's password is wrong, globex' provider asks for a
// pause, and hooli has no account of its own. spice stands at the end of every text
// that applications, mail servers and tenants bring.
func newWorld(t *testing.T, spice string) *site {
	t.Helper()
	s := newSite(t, siteOptions{spice: spice, accounts: ", require_unlock: true"})
	for _, tenant := range []string{"acme", "initech", "globex"} {
		s.run("", "account", "unlock", "--tenant", s.named(tenant))
	}
	acme, initech, globex := s.mail["acme"], s.mail["initech"], s.mail["globex"]
	acme.On(smtptest.Recipient("einkauf@kundin.example"),
		smtptest.Reply(550, "5.1.1 <einkauf@kundin.example>: Recipient address rejected: User unknown in virtual mailbox table"+spice))
	acme.On(smtptest.Recipient("lager@spedition.example"), smtptest.Reply(550, "5.7.1 Message rejected as spam by content filter"+spice))
	initech.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 Error: authentication failed: invalid password"+spice))
	globex.On(smtptest.MAIL, smtptest.Reply(450, "4.7.1 Sending limit exceeded, please slow down and try again in 30 minutes"+spice))

	s.account("", "", s.mail["nordwind"].settings("Nordwind Software"+spice, ""))
	s.account("acme", "", acme.settings("ACME Werkzeugbau GmbH"+spice, s.branding("ACME Werkzeugbau GmbH")))
	s.account("initech", "", initech.settings("Initech AG"+spice, ""))
	s.account("globex", "", globex.settings("Globex Logistik"+spice, ""))
	s.account("acme", "max", fmt.Sprintf("{first_name: %q, last_name: %q, account: %s}", "Max"+spice, "Brandt"+spice, acme.settings("Max Brandt"+spice, "")))

	mails := []rohrpost.Message{
		s.letter(acceptedID, "acme", "buchhaltung@kundin.example", "Ihre Rechnung 2026-1017"),
		s.letter(refusedID, "acme", "einkauf@kundin.example", "Ihre Rechnung 2026-1018"),
		s.letter("lieferschein-88120", "acme", "lager@spedition.example", "Lieferschein 88120"),
		s.letter(parkedID, "initech", "vertrieb@gross.example", "Unser Angebot 4711"),
		s.letter(slowID, "globex", "frachtpapiere@hafen.example", "Zahlungserinnerung 2026-0099"),
		s.letter("willkommen-17", "hooli", "jana.weber@post.example", "Willkommen bei Hooli"),
	}
	for i := range 12 {
		mails = append(mails, s.letter(fmt.Sprintf("rechnung-2026-2%03d", i), "initech", fmt.Sprintf("kunde%d@gross.example", i), "Ihre Rechnung"))
	}
	later := s.letter(laterID, "acme", "alle@kundin.example", "Unsere Öffnungszeiten im Dezember")
	later.NotBefore = time.Now().Add(26 * time.Hour)
	s.send(append(mails, later)...)
	wish := url.Values{"do": {"request"}, "accept": {"1"}, "text": {"Wir möchten unter eigener Domain senden." + spice}}
	hooli := person{name: "heike", role: adminlink.Admin, tenant: "hooli"}
	settings := form{Action: s.pathOf(view{path: "/t/{hooli}/settings"}), Body: wish.Encode()}
	if status := s.robot(t, hooli).post(settings, "Sec-Fetch-Site", "same-origin"); status != http.StatusSeeOther {
		t.Fatalf("hooli asks for an own server: status %d", status)
	}
	s.until(acceptedID, rohrpost.Accepted)
	s.until(refusedID, rohrpost.Failed)
	s.until(parkedID, rohrpost.Parked)
	s.until(slowID, rohrpost.Deferred)
	return s
}

// branding are the lines of a tenant's look.
func (s *site) branding(company string) string {
	return fmt.Sprintf(", branding: {enabled: true, company: %q, colors: {accent: '#8a2be2'}, footer: {lines: [%q], link: https://acme.example/impressum, link_text: %q}}",
		company+s.spice, "Geschäftsführung: Eva Beispiel"+s.spice, "Impressum"+s.spice)
}

// letter is a mail that a person writes in an application.
func (s *site) letter(id, tenant, to, subject string) rohrpost.Message {
	return rohrpost.Message{
		ID: id, Tenant: s.named(tenant), To: []rohrpost.Address{{Name: "Kundschaft" + s.spice, Address: to}}, Subject: subject + s.spice,
		User:     rohrpost.User{ID: s.named("eva"), FirstName: "Eva" + s.spice, LastName: "Beispiel" + s.spice, Address: "eva@" + tenant + ".example"},
		Text:     "Guten Tag,\n\nanbei erhalten Sie unsere Unterlagen.\n\nMit freundlichen Grüßen" + s.spice,
		Metadata: map[string]string{"vorgang" + s.spice: "2026-4711" + s.spice},
	}
}

func (s *site) send(messages ...rohrpost.Message) {
	s.t.Helper()
	if _, err := s.queue.SendBatch(s.t.Context(), messages); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for a mail's state.
func (s *site) until(id string, state rohrpost.State) {
	s.t.Helper()
	waitFor(s.t, fmt.Sprintf("%s is %s", id, state), func() bool {
		st, err := s.queue.Status(s.t.Context(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		return st.State == state
	})
}
