package app

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/configs"
	"github.com/rohrpost/rohrpost/internal/redistest"
	"github.com/rohrpost/rohrpost/internal/smtptest"
	"github.com/rohrpost/rohrpost/producer"
)

// refuseTenants are accounts of which the platform's works, and those of two tenants
// do not.
func refuseTenants(t *testing.T, cfg configs.Config, server *smtptest.Server) {
	t.Helper()
	strict := smtptest.Start(t, smtptest.Options{Username: "x", Password: "right"})
	text := fmt.Sprintf("platform:\n  address: noreply@platform.example\n  smtp: {host: 127.0.0.1, port: %d, encryption: none}\ntenants:\n", server.Port())
	for _, tenant := range []string{"acme", "globex"} {
		text += fmt.Sprintf("  %[1]s:\n    admin_address: it@%[1]s.example\n    account:\n      address: info@%[1]s.example\n"+
			"      smtp: {host: 127.0.0.1, port: %[2]d, encryption: none, allow_plaintext_login: true, username: x, password: wrong}\n", tenant, strict.Port())
	}
	if err := os.WriteFile(string(cfg.Accounts.File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refuse has mails of a tenant meet the refused login.
func refuse(t *testing.T, mail *producer.Client, tenant string, mails int) {
	t.Helper()
	batch := make([]rohrpost.Message, mails)
	ids := make([]string, mails)
	for n := range batch {
		ids[n] = fmt.Sprint("m", n)
		batch[n] = rohrpost.Message{ID: ids[n], Tenant: tenant, To: []rohrpost.Address{{Address: "a@example.org"}}, Text: "x"}
	}
	if _, err := mail.SendBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	waitStates(t, mail.ForTenant(tenant), ids, rohrpost.Parked)
}

// noticesTo are the mails that an address has got.
func noticesTo(server *smtptest.Server, address string) (bodies []string) {
	for _, m := range server.Mails() {
		if m.Recipients[0] == address {
			bodies = append(bodies, string(m.Body))
		}
	}
	return bodies
}

// TestNotice: two hundred mails behind one refused login, in two workers, are one mail
// to the administrator. That of another tenant comes after it.
func TestNotice(t *testing.T) {
	t.Parallel()
	cfg, server, mail := setUp(t)
	cfg.Notices.After, cfg.Web.PublicURL = time.Second, "https://mail.example.com"
	refuseTenants(t, cfg, server)
	startApp(t, cfg, Roles{Worker: true})
	startApp(t, cfg, Roles{Worker: true})
	refuse(t, mail, "acme", 200)
	redistest.Until(t, "the notice", func() bool { return len(noticesTo(server, "it@acme.example")) > 0 })
	refuse(t, mail, "globex", 1)
	redistest.Until(t, "the other's", func() bool { return len(noticesTo(server, "it@globex.example")) > 0 })
	bodies := noticesTo(server, "it@acme.example")
	if len(bodies) != 1 {
		t.Fatalf("%d notices", len(bodies))
	}
	for _, part := range []string{
		"Subject: A mail account has stopped: info@acme.example\r\n", "Auto-Submitted: auto-generated\r\n",
		"200 mails are waiting.", "https://mail.example.com/t/acme/accounts/tenant",
	} {
		if !strings.Contains(strings.ReplaceAll(bodies[0], "=\r\n", ""), part) {
			t.Errorf("%q is not in\n%s", part, bodies[0])
		}
	}
}

// TestNoticesOff: where they are switched off nothing is written.
func TestNoticesOff(t *testing.T) {
	t.Parallel()
	cfg, _, _ := setUp(t)
	cfg.Notices.Enabled = false
	a, err := New(Options{Config: cfg, Roles: Roles{Worker: true}})
	if err != nil {
		t.Fatal(err)
	}
	if o, err := a.notices(); err != nil || o.Send != nil {
		t.Errorf("%+v, %v", o, err)
	}
}
