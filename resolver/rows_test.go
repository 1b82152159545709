package resolver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/resolver"
)

// An answer is one case of a row of the requirements: what stands in
// accounts.yaml for tenant acme and its user max, a mail, and who sends it.
type answer struct {
	row, name    string
	tenant, user string // settings; empty: no account
	state        resolver.State
	mail         resolver.Request
	want         string   // account, From, Reply-To
	says         []string // parts of what is explained
}

func person() resolver.Request { return byMax() }

func program() resolver.Request {
	r := byMax()
	r.Origin = rohrpost.Automatic
	return r
}

func marketing(r resolver.Request) resolver.Request {
	r.Category = rohrpost.Marketing
	return r
}

func from(r resolver.Request, address string) resolver.Request {
	r.From = rohrpost.Address{Address: address}
	return r
}

const (
	own      = "{address: max@acme.example, smtp: {host: smtp.acme.example, password: pw}}"
	shared   = "{address: info@acme.example, name: ACME, smtp: {host: smtp.acme.example, password: pw}}"
	byUser   = "user/acme/max max@acme.example max.muster@acme.example"
	byTenant = "tenant/acme info@acme.example it@acme.example"
	byOthers = "platform noreply@platform.example it@acme.example"
)

// answers are the rows that an accounts file and one mail show.
func answers() []answer {
	const (
		central   = "{address: info@acme.example, central_sender: service@acme.example, smtp: {host: smtp.acme.example, password: pw}}"
		both      = "{address: info@acme.example, oauth2: {provider: microsoft, refresh_token: t}, smtp: {host: smtp.acme.example, password: pw}}"
		aliases   = "{address: info@acme.example, force_sender: false, aliases: [sales@acme.example], smtp: {host: smtp.acme.example, password: pw}}"
		answersTo = "{address: info@acme.example, reply_to_user: true, smtp: {host: smtp.acme.example, password: pw}}"
		off       = "{address: info@acme.example, use_platform_default: true, smtp: {host: smtp.acme.example, password: pw}}"
	)
	stored := person()
	stored.User.FirstName, stored.User.LastName = "", ""
	asked := person()
	asked.ReplyTo = []rohrpost.Address{{Address: "project@acme.example"}}
	return []answer{
		{row: "I1", name: "a person with an own account", tenant: shared, user: own, mail: person(), want: byUser, says: []string{"has an own account"}},
		{row: "I2", name: "a tenant's account", tenant: shared, mail: program(), want: byTenant},
		{row: "I3", name: "central sender address", tenant: central, mail: program(), want: "tenant/acme service@acme.example it@acme.example", says: []string{
			"From is the tenant's central sender address", "must be an alias of the mailbox info@acme.example",
		}},
		{row: "I3", name: "never on a user's own account", tenant: central, user: own, mail: person(), want: byUser},
		{row: "I4", name: "the user has none", tenant: shared, mail: person(), want: byTenant, says: []string{"who has no account in use"}},
		{row: "I4", name: "automatic", tenant: shared, user: own, mail: program(), want: byTenant, says: []string{"A program sends"}},
		{row: "I4", name: "automatic, the tenant has none", user: own, mail: program(), want: byUser, says: []string{"the tenant has no account in use"}},
		{row: "I5", name: "why, and why none of the others", tenant: shared, user: own, mail: program(), want: byTenant, says: []string{
			"for that the tenant's account goes first", "user smtp the tenant's account goes first here", "platform smtp the tenant's account goes first here",
		}},
		{row: "I6", name: "both are stored", tenant: both, mail: program(), want: byTenant, says: []string{
			"with oauth2 at smtp.office365.com:587", "tenant smtp OAuth2 goes before SMTP; the SMTP settings stay stored",
		}},
		{row: "I6", name: "OAuth2 alone", tenant: "{address: info@acme.example, oauth2: {provider: google, refresh_token: t}}", mail: program(), want: byTenant, says: []string{"with oauth2"}},
		{row: "I7", name: "Google", user: "{address: max@acme.example, oauth2: {provider: google, service_account: k}}", mail: person(), want: byUser, says: []string{"with oauth2 at smtp.gmail.com:465"}},
		{row: "I7", name: "Microsoft 365", user: "{address: max@acme.example, oauth2: {provider: microsoft, transport: graph, refresh_token: t}}", mail: person(), want: byUser, says: []string{"with oauth2 at Microsoft Graph"}},
		{row: "T1", name: "invoices", tenant: shared, mail: person(), want: byTenant},
		{row: "T1", name: "calendar", tenant: shared, mail: program(), want: byTenant},
		{row: "T1", name: "one-time passwords", tenant: shared, mail: resolver.Request{Tenant: "acme"}, want: byTenant},
		{row: "T2", name: "with a login", tenant: shared, mail: program(), want: byTenant, says: []string{"with password at smtp.acme.example:587", "as ACME"}},
		{
			row: "T2", name: "authentication switched off", mail: program(), want: byTenant, says: []string{"with none at smtp.acme.example:2525"},
			tenant: "{address: info@acme.example, smtp: {host: smtp.acme.example, port: 2525, encryption: starttls, authentication: false, username: x, password: pw}}",
		},
		{row: "T4", name: "on by default", tenant: shared, mail: from(person(), "boss@acme.example"), want: byTenant, says: []string{"which it forces"}},
		{row: "T4", name: "off", tenant: aliases, mail: from(person(), "sales@acme.example"), want: "tenant/acme sales@acme.example it@acme.example"},
		{row: "T4", name: "off, but not allowed", tenant: aliases, mail: from(person(), "boss@acme.example"), want: byTenant, says: []string{"not among its aliases"}},
		{row: "T5", name: "the user's address", tenant: answersTo, mail: person(), want: "tenant/acme info@acme.example max.muster@acme.example"},
		{row: "T5", name: "off", tenant: shared, mail: person(), want: byTenant},
		{row: "T8", name: "another login", mail: program(), want: byTenant, says: []string{"the sender info@acme.example is not the login box@acme.example"}, tenant: "{address: info@acme.example, smtp: {host: h.example, username: box@acme.example, password: pw}}"},
		{row: "O1", name: "nothing configured", mail: person(), want: byOthers, says: []string{"at smtp.platform.example:587"}},
		{row: "O1", name: "a tenant that nobody has entered", mail: resolver.Request{Tenant: "new"}, want: "platform noreply@platform.example admin@platform.example"},
		{row: "O2", name: "default ticked", tenant: off, mail: program(), want: byOthers, says: []string{"tenant smtp it is switched off in favour of the platform's"}},
		{row: "O2", name: "default unticked", tenant: strings.Replace(off, "true", "false", 1), mail: program(), want: byTenant},
		{row: "O3", name: "SMTPS by IP address", tenant: "{address: info@acme.example, smtp: {host: 192.0.2.7, encryption: tls, password: pw}}", mail: program(), want: byTenant, says: []string{"at 192.0.2.7:465"}},
		{row: "O3", name: "encryption is recommended", tenant: "{address: info@acme.example, smtp: {host: h.example, encryption: none}}", mail: program(), want: byTenant, says: []string{"at h.example:25", "starttls or tls is recommended"}},
		{row: "S1", name: "locked", tenant: shared, state: resolver.Locked, mail: program(), want: byOthers, says: []string{"tenant smtp it is locked", "account unlock"}},
		{row: "S2", name: "not checked", tenant: shared, state: resolver.Entered, mail: program(), want: byOthers, says: []string{"not checked: send a test mail"}},
		{row: "S2", name: "not approved", tenant: shared, state: resolver.Checked, mail: program(), want: byOthers, says: []string{"waits for the platform's approval"}},
		{row: "S2", name: "approved", tenant: shared, state: resolver.Active, mail: program(), want: byTenant},
		{row: "S2", name: "parked later on: its mails wait", tenant: shared, state: resolver.Parked, mail: program(), want: byTenant},
		{row: "S4", name: "a program's", tenant: shared, user: own, mail: marketing(program()), want: byOthers, says: []string{"tenant smtp marketing mail"}},
		{row: "S4", name: "a person's", tenant: shared, user: own, mail: marketing(person()), want: byOthers, says: []string{"user smtp marketing mail"}},
		{row: "S6", name: "asked for", tenant: answersTo, mail: asked, want: "tenant/acme info@acme.example project@acme.example"},
		{row: "S6", name: "the tenant's admin", tenant: shared, mail: program(), want: byTenant},
		{row: "S6", name: "the platform's admin", mail: resolver.Request{}, want: "platform noreply@platform.example admin@platform.example"},
		{row: "F2", name: "no display name", user: own, mail: person(), want: byUser, says: []string{"as Max Muster"}},
		{row: "F2", name: "no display name, known from the file", user: own, mail: stored, want: byUser, says: []string{"as Maximilian Muster"}},
		{row: "F3", name: "none", user: "{address: max@acme.example, smtp: {host: h.example, encryption: none, allow_plaintext_login: true, username: m0123, password: pw}}", mail: person(), want: byUser, says: []string{"with password at h.example:25"}},
		{row: "F3", name: "STARTTLS", user: "{address: max@acme.example, smtp: {host: h.example, encryption: starttls}}", mail: person(), want: byUser, says: []string{"at h.example:587"}},
		{row: "F3", name: "implicit TLS", user: "{address: max@acme.example, smtp: {host: h.example, encryption: tls}}", mail: person(), want: byUser, says: []string{"at h.example:465"}},
		{row: "F3", name: "any port", user: "{address: max@acme.example, smtp: {host: h.example, port: 2525}}", mail: person(), want: byUser, says: []string{"at h.example:2525"}},
	}
}

// TestRows proves every row of the requirements about sender accounts as far as
// choosing a sender goes.
func TestRows(t *testing.T) {
	t.Parallel()
	proven := map[string]bool{}
	for _, a := range answers() {
		proven[a.row] = true
		t.Run(a.row+" "+a.name, a.prove)
	}
	for _, p := range proofs() {
		proven[p.row] = true
		t.Run(p.row+" "+p.name, p.prove)
	}
	const rows = "I1 I2 I3 I4 I5 I6 I7 T1 T2 T3 T4 T5 T8 O1 O2 O3 O4 S1 S2 S3 S4 S5 S6 F1 F2 F3 F4 F5 F6"
	for row := range strings.FieldsSeq(rows) {
		if !proven[row] {
			t.Errorf("%s is not proven", row)
		}
		delete(proven, row)
	}
	if len(proven) > 0 {
		t.Errorf("these are no rows: %v", proven)
	}
}

func (a *answer) prove(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile(a.tenant, a.user))
	c := candidates(t, f, a.mail.Tenant, a.mail.User.ID)
	if c.Tenant != nil {
		changed := *c.Tenant
		changed.State = a.state
		c.Tenant = &changed
	}
	s, err := resolve(t, c, a.mail)
	if waits := a.state == resolver.Parked; waits != errors.Is(err, resolver.ErrUnusable) || waits == (err == nil) {
		t.Fatal(err)
	}
	e := s.Explain()
	if got := strings.Join(append([]string{e.Account, e.From}, e.ReplyTo...), " "); got != a.want {
		t.Errorf("sender is %q, want %q", got, a.want)
	}
	text := fmt.Sprintf("with %s at %s as %s\n%s\n%s", e.Authentication, e.Host, e.FromName, e.Why, strings.Join(e.Warnings, "\n"))
	for _, p := range e.PassedOver {
		text += fmt.Sprintf("\n%s %s %s", p.Level, p.Transport, p.Why)
	}
	for _, part := range a.says {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not said in\n%s", part, text)
		}
	}
	if strings.Contains(text, "is not the login") != (a.row == "T8") {
		t.Errorf("a warning of T8 in\n%s", text)
	}
}

// rowsFile is an accounts file with these settings of tenant and user.
func rowsFile(tenant, user string) string {
	account := func(settings string) string {
		if settings == "" {
			return "{}"
		}
		return "{account: " + settings + "}"
	}
	text := `platform: {admin_address: admin@platform.example, address: noreply@platform.example, smtp: {host: smtp.platform.example}}
tenants:
  acme:
    admin_address: it@acme.example
    users: {max: ` + strings.Replace(account(user), "{", "{first_name: Maximilian, last_name: Muster, ", 1) + "}\n"
	if tenant != "" {
		text += "    account: " + tenant + "\n"
	}
	return text
}

// unready is S3: what is wrong with a tenant's own server is told of the tenant's
// account, and no other account steps in silently.
func unready(t *testing.T) {
	t.Parallel()
	f := load(t, rowsFile("{address: info@acme.example, smtp: {host: h.example, password_file: none}}", ""))
	s, err := resolve(t, candidates(t, f, "acme", ""), program())
	if !errors.Is(err, resolver.ErrUnusable) || !errors.Is(err, failure.ErrSettings) || !strings.HasPrefix(err.Error(), "tenant/acme: ") {
		t.Errorf("error is %v", err)
	}
	if s.Account == nil || s.Account.Tenant != "acme" || s.Account.Level != resolver.Tenant {
		t.Errorf("account is %v", s.Account)
	}
}
