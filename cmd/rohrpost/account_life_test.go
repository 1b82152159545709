package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestLife is the way of a tenant's own server, from locked to active and back:
// S1, S2, F4.
func TestLife(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, demand := range []string{"UNLOCK", "CHECK", "APPROVAL"} {
		o.environ["ROHRPOST_ACCOUNTS_REQUIRE_"+demand] = "true"
	}
	server := mailServer(t, "info@acme.example")
	o.admit(server.Port())
	acme := []string{"--tenant", "acme"}
	with := func(args ...string) []string { return append([]string{"account"}, append(args, acme...)...) }
	sends := func(step, level, why string) {
		t.Helper()
		e := o.json("", with("explain")...)
		passed, _ := e["passed_over"].([]any)
		if e["level"] != level || len(passed) == 0 || !strings.Contains(passed[0].(map[string]any)["why"].(string), why) {
			t.Errorf("%s: %v", step, e)
		}
	}
	o.set("{address: noreply@platform.example, smtp: {host: smtp.platform.example}}")
	sends("nothing is set up", "platform", "the tenant has none")

	if got := o.fine(account(server, "info@acme.example"), with("set")...); !strings.HasSuffix(got, "tenant/acme stored: locked, version 1\n") {
		t.Errorf("set: %q", got)
	}
	sends("entered", "platform", "it is locked")
	o.refused(exitFailed, "", with("approve"), "locked for this tenant")
	if got := o.fine("", with("unlock")...); got != "tenant/acme unlocked\n" {
		t.Errorf("unlock: %q", got)
	}
	sends("unlocked", "platform", "its settings are not checked")
	o.refused(exitFailed, "", with("approve"), "tenant/acme", "send a test mail first")
	if r := o.json("", with("test", "--to", "anna@acme.example")...); r["accepted"] != true || r["checked"] != true {
		t.Errorf("test mail: %v", r)
	}
	sends("checked", "platform", "waits for the platform's approval")
	if got := o.fine("", with("list")...); !strings.Contains(got, "tenant/acme  checked") {
		t.Errorf("list: %q", got)
	}
	if got := o.json("", with("approve")...); got["done"] != "approved" || got["id"] != "tenant/acme" {
		t.Errorf("approve: %v", got)
	}
	if e := o.json("", with("explain")...); e["level"] != "tenant" || e["from"] != "info@acme.example" {
		t.Errorf("approved: %v", e)
	}
	s := o.json("", with("show")...)
	if s["state"] != "active" || s["unlocked"] != true || s["checked"] != true || s["approved"] != true {
		t.Errorf("show: %v", s)
	}
	o.set(account(server, "other@acme.example", "name: ACME"), acme...)
	sends("another address", "platform", "its settings are not checked")
	o.fine("", with("lock")...)
	sends("locked again", "platform", "it is locked")
	o.fine("", with("delete")...)
	sends("deleted", "platform", "the tenant has none")
	if history := o.fine("", with("history")...); !strings.Contains(history, "  approve tenant/acme") || !strings.Contains(history, "  unlock tenant/acme") ||
		!strings.Contains(history, "  check tenant/acme") || !strings.Contains(history, "  lock tenant/acme") {
		t.Errorf("history:\n%s", history)
	}
}

// TestUnlockIsTheTenants: a person is not unlocked, nor is the platform.
func TestUnlockIsTheTenants(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, step := range []string{"unlock", "lock"} {
		o.refused(exitUsage, "", []string{"account", step, "--tenant", "acme", "--user", "max"}, "--user")
		o.refused(exitUsage, "", []string{"account", step}, "--tenant")
	}
	if len(o.dump()) > 0 {
		t.Errorf("stored: %v", keys(o.dump()))
	}
}

func TestKeygen(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	file := o.path("second")
	out := o.json("", "keygen", "-o", file)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v: %v", info, err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "\nAGE-SECRET-KEY-1") || !strings.Contains(string(text), "# public key: "+out["recipient"].(string)) || out["identity_file"] != file {
		t.Errorf("%v, %v", out, err)
	}
	o.refused(exitFailed, "", []string{"keygen", "-o", file}, "exists")
	if again, err := os.ReadFile(file); err != nil || string(again) != string(text) {
		t.Error("a key was overwritten")
	}
	if r := o.call("", "keygen"); r.code != exitDone || !strings.Contains(r.out, "\nAGE-SECRET-KEY-1") || r.err != "" {
		t.Errorf("to stdout: %+v", r)
	}
	// Another key does not open what this one has sealed.
	o.set("{address: a@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", "--tenant", "acme")
	o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"] = file
	if got := o.fine("", "account", "list"); !strings.Contains(got, "tenant/acme  unusable") {
		t.Errorf("with another key: %q", got)
	}
	// Without any, accounts can be edited as far as they need no password.
	delete(o.environ, "ROHRPOST_SECRETS_IDENTITY_FILE")
	o.set("{address: a@acme.example, name: ACME, smtp: {host: smtp.acme.example}}", "--tenant", "acme")
	o.refused(exitFailed, "{address: a@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}",
		[]string{"account", "set", "--tenant", "acme"}, "rohrpost keygen")
	// With the public key alone they can be sealed.
	o.environ["ROHRPOST_SECRETS_RECIPIENTS"] = out["recipient"].(string)
	o.set("{address: a@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", "--tenant", "acme")
	if e := o.json("", "account", "explain", "--tenant", "acme"); e["from"] != "a@acme.example" || !strings.Contains(e["waits"].(string), "this process holds no key") {
		t.Errorf("explain without a key: %v", e)
	}
	o.refused(exitFailed, "", []string{"account", "test", "--tenant", "acme", "--to", "anna@acme.example"}, "this process holds no key")
	delete(o.environ, "ROHRPOST_SECRETS_RECIPIENTS")
	o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"] = file
	if got := o.fine("", "account", "list"); !strings.Contains(got, "tenant/acme  active") {
		t.Errorf("with the right key: %q", got)
	}
}

// TestReseal changes keys: with both the old and the new one at first, then
// without the old one.
func TestReseal(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	server := mailServer(t, "info@acme.example")
	o.admit(server.Port())
	o.set(account(server, "info@acme.example"), "--tenant", "acme")
	o.set("{address: max@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", "--tenant", "acme", "--user", "max")
	rdb := o.redis.Client(t)
	sealed := func() string { return sealedOf(t, rdb, "rohrpost:accounts:{t:acme}", "tenant", "smtp.password") }
	first := sealed()

	added := o.json("", "keygen", "-o", o.path("new"))
	var both []byte
	for _, name := range []string{"key", "new"} {
		b, err := os.ReadFile(o.path(name))
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, b...)
	}
	o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"] = o.write("both", string(both))
	o.environ["ROHRPOST_SECRETS_RECIPIENTS"] = added["recipient"].(string)
	if diff := cmp.Diff(map[string]any{"secrets": 2.0, "done": 2.0, "tokens": 0.0}, o.json("", "account", "reseal")); diff != "" {
		t.Errorf("reseal (-want +got):\n%s", diff)
	}
	if got := o.fine("", "account", "reseal"); got != "2 secrets, 0 of them sealed anew; 0 refresh tokens renewed\n" {
		t.Errorf("again: %q", got)
	}
	if sealed() == first {
		t.Error("the secret is as it was")
	}
	o.environ["ROHRPOST_SECRETS_IDENTITY_FILE"] = o.path("new")
	delete(o.environ, "ROHRPOST_SECRETS_RECIPIENTS")
	if r := o.json("", "account", "test", "--tenant", "acme", "--to", "anna@acme.example"); r["accepted"] != true || server.Count(smtptest.AUTH) != 1 {
		t.Errorf("with the new key alone: %v", r)
	}
}
