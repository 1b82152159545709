package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// TestDoctor: stored and unsaved settings, for people and for programs.
func TestDoctor(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	before := o.dump()
	doctor := func(more ...string) []string {
		return append([]string{"account", "doctor", "--tenant", "acme"}, more...)
	}
	unsaved := account(server, "info@acme.example")
	report := o.json(unsaved, doctor("--to", "anna@acme.example", "--stdin")...)
	want := []string{"settings", "resolve", "connect", "banner", "ehlo", "encryption", "methods", "login", "sender", "recipient"}
	if diff := cmp.Diff(want, steps(t, report)); diff != "" || report["verdict"] != "warning" {
		t.Errorf("verdict %v, steps (-want +got):\n%s", report["verdict"], diff)
	}
	refusals := func(input string, args ...string) {
		t.Helper()
		server.Once(smtptest.AUTH, smtptest.Reply(535, "5.7.8 no such luck"), smtptest.Reply(535, "5.7.8 no such luck"))
		r := o.call(input, args...)
		if r.code != exitFailed || r.err != "rohrpost: the account cannot send\n" || !strings.Contains(r.out, "login refused (535 5.7.8)") || !strings.Contains(r.out, "« ") {
			t.Errorf("%+v", r)
		}
		if r := o.call(input, append(args, "--json")...); r.code != exitFailed || decoded(t, r.out)["verdict"] != "failed" {
			t.Errorf("as JSON: %+v", r)
		}
	}
	refusals(unsaved, doctor("--stdin")...)
	if diff := cmp.Diff(before, o.dump()); diff != "" {
		t.Errorf("Redis after a look at unsaved settings (-before +after):\n%s", diff)
	}
	refusals("", doctor()...)
	if s := o.json("", "account", "show", "--tenant", "acme"); s["state"] != "parked: auth_failed" || s["checked"] != nil {
		t.Errorf("after a refused login: %v", s)
	}
	if text := o.fine("", doctor("--lang", "de")...); !strings.Contains(text, "Anmeldung") || !strings.Contains(text, "✓") {
		t.Errorf("%s", text)
	}
	if s := o.json("", "account", "show", "--tenant", "acme"); s["state"] != "active" || s["checked"] != true {
		t.Errorf("after a good one: %v", s)
	}
	if server.Taken() > 0 {
		t.Error("the doctor has sent a mail")
	}
}

func steps(t *testing.T, report map[string]any) []string {
	t.Helper()
	text, err := json.Marshal(report["steps"])
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Name string }
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

// TestGuarded: a tenant's server in Redis must be outside, the platform's and
// those in a file need not be.
func TestGuarded(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	delete(o.environ, "ROHRPOST_ACCOUNTS_ALLOW_NETWORKS")
	r := o.call("", "account", "doctor", "--tenant", "acme", "--json")
	if out := decoded(t, r.out); r.code != exitFailed || out["verdict"] != "failed" || !strings.Contains(r.out, "accounts.allow_networks") {
		t.Errorf("a tenant's: %+v", r)
	}
	if r := o.call("", test("--json")...); r.code != exitFailed || decoded(t, r.out)["category"] != "config_invalid" {
		t.Errorf("a tenant's test mail: %+v", r)
	}
	if r := o.call(account(server, "info@acme.example"), test("--json", "--stdin")...); r.code != exitFailed || decoded(t, r.out)["category"] != "config_invalid" {
		t.Errorf("a tenant's, unsaved: %+v", r)
	}
	if server.Sessions() != 0 {
		t.Errorf("%d connections", server.Sessions())
	}
	o.set(account(server, "info@acme.example"))
	o.fine("", "account", "test", "--to", "anna@acme.example")
	file := o.write("accounts.yaml", "tenants: {acme: {account: "+account(server, "info@acme.example")+"}}")
	o.environ["ROHRPOST_ACCOUNTS_STORE"], o.environ["ROHRPOST_ACCOUNTS_FILE"] = "file", file
	o.fine("", test()...)
	o.fine(account(server, "info@acme.example"), test("--stdin")...)
	if r := o.call("", "account", "doctor", "--tenant", "acme", "--to", "anna@acme.example"); r.code != exitDone {
		t.Errorf("in a file: %+v", r)
	}
}

// TestWrongUse: exit 2, one line.
func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, line := range []struct{ args, word string }{
		{"explain --origin both", "--origin"},
		{"explain --category spam", "--category"},
		{"explain --from nobody", "--from"},
		{"explain --user max", "--user needs --tenant"},
		{"show --user max", "--user needs --tenant"},
		{"set --user max", "--user needs --tenant"},
		{"delete --user max", "--user needs --tenant"},
		{"test --user max --to a@b.example", "--user needs --tenant"},
		{"test --tenant acme", "--to is missing"},
		{"test --to nobody", "--to"},
		{"doctor --to nobody", "--to"},
		{"connect", "arg"},
		{"connect yahoo", "yahoo"},
		{"connect google --user max", "--user needs --tenant"},
		{"unlock", "--tenant is missing"},
		{"set extra", "extra"},
		{"lsit", "lsit"},
	} {
		t.Run(line.args, func(t *testing.T) {
			t.Parallel()
			refused(t, call(t, "", append([]string{"account"}, strings.Fields(line.args)...)...), exitUsage, line.word)
		})
	}
}

// TestNoRedis: accounts in Redis need it, and that is said in one line, soon.
func TestNoRedis(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.environ["ROHRPOST_REDIS_URL"] = "redis://127.0.0.1:1/0"
	start := time.Now()
	for _, args := range [][]string{{"list"}, {"show"}, {"explain"}, {"history"}} {
		o.refused(exitFailed, "", append([]string{"account"}, args...), "redis cannot be reached (127.0.0.1:1)")
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
