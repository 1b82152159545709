package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/oauthtest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// dumpAs is for whoever has changed what is kept in Redis, before the change:
//
//	go test -count=1 -run TestDump ./test/e2e -dump NAME
var dumpAs = flag.String("dump", "", "write testdata/NAME.json.gz: what this program leaves in Redis")

// The addresses that accounts in a dump have.
const (
	oldHost       = "127.77.0.1"
	oldPort       = 25025 // of the mail server of everybody else
	oldOAuthPort  = 25026 // of globex's mail server
	oldTokensPort = 25443
	oldRefresh    = "refresh-token-of-globex"
	farAway       = "2036-06-01T00:00:00Z" // limits.expires_max ends ten years ahead
)

// An oldSite is a site whose servers have the addresses that a dump names. Those who
// have an account: the platform; acme; initech, with a wrong password; globex, which
// is at a provider with OAuth2.
type oldSite struct {
	*site
	server, oauth *smtptest.Server
	tokens        *oauthtest.Server
}

func newOldSite(t *testing.T) *oldSite {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8")
	}
	listen := func(port int) net.Listener {
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", oldHost, port))
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	certificate := smtptest.SelfSigned(t, oldHost)
	o := &oldSite{site: newSite(t, oldPort, oldOAuthPort, oldTokensPort)}
	o.tokens = oauthtest.Start(t, oauthtest.Options{TLS: true, Certificate: certificate.Clone(), Listener: listen(oldTokensPort)})
	o.tokens.Accept(oldRefresh, "globex@globex.example")
	o.server = smtptest.Start(t, smtptest.Options{Listener: listen(oldPort), Username: "login", Password: "right"})
	o.oauth = smtptest.Start(t, smtptest.Options{
		Listener: listen(oldOAuthPort), TLS: &tls.Config{Certificates: certificate.Certificates, MinVersion: tls.VersionTLS12},
		Token: func(user, token string) bool { return o.tokens.Mailbox(token) == user },
	})
	o.trust(certificate.Certificates[0].Certificate[0])
	return o
}

// account stores settings with a password for a login at the mail server.
func (o *oldSite) account(address, password string, place ...string) {
	o.t.Helper()
	o.run(fmt.Sprintf("{address: %s, smtp: {host: %s, port: %d, encryption: none, allow_plaintext_login: true, username: login, password: %s}}",
		address, oldHost, oldPort, password), append([]string{"account", "set"}, place...)...)
}

// leave sends n mails with the program, whose number follows their id. fields are
// those of a message, beside the usual ones or instead of them.
func (o *oldSite) leave(d *dump, n int, id, tenant string, fields map[string]any) {
	o.t.Helper()
	var lines bytes.Buffer
	for i := range n {
		m := map[string]any{
			"id": fmt.Sprint(id, "-", i+1), "tenant": tenant, "to": "kunde@example.org",
			"subject": "Rechnung", "text": "Guten Tag", "expires": farAway,
		}
		maps.Copy(m, fields)
		if err := json.NewEncoder(&lines).Encode(m); err != nil {
			o.t.Fatal(err)
		}
	}
	receipts := json.NewDecoder(strings.NewReader(o.run(lines.String(), "send", "--batch")))
	for range n {
		var r rohrpost.Receipt
		if err := receipts.Decode(&r); err != nil {
			o.t.Fatal(err)
		}
		d.Mails = append(d.Mails, leftMail{ID: r.ID, Tenant: tenant, MessageID: r.MessageID})
	}
}

// state is what the command line says of a mail.
func (o *oldSite) state(m leftMail) string {
	o.t.Helper()
	var s rohrpost.Status
	if err := json.Unmarshal([]byte(o.run("", "status", m.ID, "--json")), &s); err != nil {
		o.t.Fatal(err)
	}
	return string(s.State)
}

// TestDump fills a Redis with mails in every state, and writes it down.
func TestDump(t *testing.T) {
	if *dumpAs == "" {
		t.Skip("it is run by hand, with -dump")
	}
	o, d := newOldSite(t), &dump{}
	o.extra = append(o.extra, "ROHRPOST_LIMITS_EXPIRES_MAX=87600h")
	d.Program, d.Key = strings.TrimSpace(o.run("", "version")), o.read("key.txt")
	o.account("noreply@platform.example", "right")
	o.account("info@acme.example", "right", "--tenant", "acme")
	o.account("info@initech.example", "wrong", "--tenant", "initech")
	o.run(fmt.Sprintf("{address: globex@globex.example, oauth2: {provider: microsoft, client_id: client-1, refresh_token: %s, endpoints: {token: %q, smtp: %q}}}",
		oldRefresh, o.tokens.TokenURL(), o.oauth.Addr()), "account", "set", "--tenant", "globex")

	o.server.On(smtptest.Recipient("defer@example.org"), smtptest.Reply(451, "4.3.0 not now"))
	o.server.On(smtptest.Recipient("refuse@example.org"), smtptest.Reply(550, "5.1.1 no such user"))
	w := o.worker("ROHRPOST_RETRY_UNCERTAIN_PAUSE=1s")
	until := func(state string, mails ...leftMail) {
		for _, m := range mails {
			waitFor(t, m.ID+" is "+state, func() bool { return o.state(m) == state })
		}
	}
	last := func(n int) []leftMail { return d.Mails[len(d.Mails)-n:] }
	o.leave(d, 3, "accepted", "acme", nil)
	until("accepted", last(3)...)
	o.leave(d, 2, "accepted-globex", "globex", nil)
	until("accepted", last(2)...)
	o.leave(d, 2, "accepted-platform", "", nil)
	until("accepted", last(2)...)
	o.leave(d, 2, "failed", "acme", map[string]any{"to": "refuse@example.org"})
	until("failed", last(2)...)
	o.server.On(smtptest.Dot, smtptest.Cut().Taking())
	o.leave(d, 1, "hold", "acme", map[string]any{"on_uncertain": "hold"})
	until("uncertain", last(1)...)
	o.server.On(smtptest.Dot, smtptest.Answer{})
	o.leave(d, 3, "deferred", "acme", map[string]any{"cc": "defer@example.org"})
	until("deferred", last(3)...)
	o.leave(d, 3, "parked", "initech", nil)
	until("parked", last(3)...)
	o.server.On(smtptest.Dot, smtptest.Cut().Taking())
	o.leave(d, 1, "resend", "acme", nil)
	until("deferred", last(1)...)
	w.end(syscall.SIGTERM)

	large := strings.Repeat("<p>Sehr geehrte Damen und Herren</p>", 2000)
	for _, priority := range []string{"critical", "default", "bulk"} {
		o.leave(d, 3, "queued-"+priority, "acme", map[string]any{
			"priority": priority, "html": large, "attachments": []map[string]any{{"name": "R.pdf", "content": []byte("%PDF-")}},
		})
	}
	o.leave(d, 2, "queued-globex", "globex", nil)
	o.leave(d, 2, "queued-platform", "", map[string]any{"metadata": map[string]string{"invoice": "4711"}})
	o.leave(d, 2, "scheduled", "acme", map[string]any{"not_before": time.Now().Add(time.Minute)})
	o.leave(d, 1, "canceled", "acme", nil)
	o.run("", "cancel", "canceled-1")
	for i, m := range d.Mails {
		d.Mails[i].State = o.state(m)
	}
	d.readKeys(t, o.redis.Client(t))
	d.save(t, *dumpAs)
}

// TestUpgrade: what an older program has left in Redis is sent by this one: nothing
// is lost, nothing is sent twice, secrets are migrated.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"redis-2026-11"} {
		t.Run(name, func(t *testing.T) {
			o, d := newOldSite(t), loadDump(t, name)
			o.write("key.txt", d.Key)
			d.restore(t, o.redis.Client(t))
			for _, m := range d.Mails {
				if got := o.state(m); got != m.State {
					t.Errorf("%s was %s, and is %s", m.ID, m.State, got)
				}
			}
			o.again(d)
			w := o.worker()
			o.drains(d)
			o.reseals(d, w)
		})
	}
}

// again sends every mail once more, as an application does that was not sure.
func (o *oldSite) again(d *dump) {
	o.t.Helper()
	for _, m := range d.Mails {
		again := message()
		again.Tenant = m.Tenant
		r, err := o.mail.Send(o.t.Context(), again, producer.WithID(m.ID))
		if err != nil || !r.Duplicate || r.MessageID != m.MessageID {
			o.t.Errorf("%s sent again: %+v, %v", m.ID, r, err)
		}
	}
}

// drains waits until everything has left that is to leave, and looks that nothing
// else did.
func (o *oldSite) drains(d *dump) {
	o.t.Helper()
	open := map[string]bool{"queued": true, "scheduled": true, "deferred": true}
	left := map[string]bool{}
	for _, m := range d.Mails {
		if open[m.State] {
			waitFor(o.t, m.ID+" is accepted", func() bool { return o.state(m) == "accepted" })
			left[m.MessageID] = true
		}
	}
	o.account("info@initech.example", "right", "--tenant", "initech")
	o.run("", "retry", "hold-1")
	for _, m := range d.Mails {
		if m.State == "parked" || m.State == "uncertain" {
			waitFor(o.t, m.ID+" is accepted", func() bool { return o.state(m) == "accepted" })
			left[m.MessageID] = true
		}
	}
	var receipts []rohrpost.Receipt
	for _, m := range d.Mails {
		if left[m.MessageID] {
			receipts = append(receipts, rohrpost.Receipt{ID: m.ID, MessageID: m.MessageID})
		} else if got := o.state(m); got != m.State {
			o.t.Errorf("%s was %s, and is %s", m.ID, m.State, got)
		}
	}
	checkOnce(o.t, receipts, o.server, o.oauth)
	if out := o.run("", "queue", "check"); !strings.Contains(out, "exactly one place") {
		o.t.Error(out)
	}
}

// reseals migrates the secrets, and sends through each account once more.
func (o *oldSite) reseals(d *dump, w *process) {
	o.t.Helper()
	o.run("", "account", "reseal")
	w.end(syscall.SIGTERM)
	o.worker()
	var receipts []rohrpost.Receipt
	for _, tenant := range []string{"", "acme", "initech", "globex"} {
		receipts = append(receipts, o.send(tenant, 1)...)
	}
	waitAccepted(o.t, time.Minute, o.mail, receipts)
}
