package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/smtptest"
)

// try is an office with an account of the tenant acme, whose server is known.
func try(t *testing.T) (*office, *smtptest.Server) {
	t.Helper()
	o := openOffice(t)
	server := mailServer(t, "info@acme.example")
	o.admit(server.Port())
	o.set(account(server, "info@acme.example", "name: ACME"), "--tenant", "acme")
	return o, server
}

func test(more ...string) []string {
	return append([]string{"account", "test", "--tenant", "acme", "--to", "anna@acme.example"}, more...)
}

// TestTestMail: O4, F4.
func TestTestMail(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	r := o.json("", test("--lang", "de-AT")...)
	for _, unknown := range []string{"took_ms", "message_id"} {
		if r[unknown] == nil {
			t.Errorf("no %s: %v", unknown, r)
		}
		delete(r, unknown)
	}
	var steps []string
	for _, step := range r["steps"].([]any) {
		steps = append(steps, step.(map[string]any)["name"].(string))
	}
	delete(r, "steps")
	if diff := cmp.Diff([]string{"connect", "banner", "login", "sender", "recipient", "sent"}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	want := map[string]any{
		"accepted": true, "account": "tenant/acme", "host": "127.0.0.1:" + fmt.Sprint(server.Port()), "from": "info@acme.example",
		"to": "anna@acme.example", "reply_to": "info@acme.example", "reverse_path": "info@acme.example", "code": 250.0, "enhanced": "2.0.0", "checked": true,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	mails := server.Mails()
	if len(mails) != 1 || mails[0].ReversePath != "info@acme.example" || mails[0].Username != "info@acme.example" ||
		cmp.Diff([]string{"anna@acme.example"}, mails[0].Recipients) != "" {
		t.Fatalf("%+v", mails)
	}
	for _, word := range []string{"From: ACME <info@acme.example>", "To: <anna@acme.example>", "Testmail von rohrpost", "Die Einstellungen stimmen"} {
		if !strings.Contains(string(mails[0].Body), word) {
			t.Errorf("%q is not in\n%s", word, mails[0].Body)
		}
	}
	if text := o.fine("", test()...); !strings.Contains(text, "accepted after ") || !strings.Contains(string(server.Mails()[1].Body), "The settings work") {
		t.Errorf("in English: %s\n%s", text, server.Mails()[1].Body)
	}
	if server.Sessions() != 2 || server.Count(smtptest.AUTH) != 2 {
		t.Errorf("%d sessions, %d logins: each test mail has its own", server.Sessions(), server.Count(smtptest.AUTH))
	}
}

// TestUnsaved: T3. Nothing in Redis changes, whatever the server says.
func TestUnsaved(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	other := mailServer(t, "new@acme.example")
	o.admit(other.Port())
	before := o.dump()
	file := o.write("new.yaml", "{admin_address: it@acme.example, account: "+account(other, "new@acme.example")+"}")
	if r := o.json("", test("--file", file)...); r["accepted"] != true || r["checked"] != nil || r["from"] != "new@acme.example" || r["reply_to"] != "it@acme.example" {
		t.Errorf("from a file: %v", r)
	}
	if r := o.json(account(other, "new@acme.example"), test("--stdin")...); r["accepted"] != true || len(other.Mails()) != 2 {
		t.Errorf("from standard input: %v", r)
	}
	wrong := strings.ReplaceAll(account(other, "new@acme.example"), hunter2, "wrong")
	if r := o.call(wrong, test("--stdin")...); r.code != exitFailed {
		t.Errorf("a wrong password: %+v", r)
	}
	// A secret that is left out is the stored one.
	kept := fmt.Sprintf("{address: info@acme.example, smtp: {host: 127.0.0.1, port: %d, encryption: none, authentication: true, allow_plaintext_login: true}}", server.Port())
	if r := o.json(kept, test("--stdin")...); r["accepted"] != true || server.Count(smtptest.AUTH) != 1 {
		t.Errorf("with the stored password: %v", r)
	}
	o.refused(exitFailed, strings.ReplaceAll(kept, fmt.Sprint(server.Port()), fmt.Sprint(other.Port())), test("--stdin"), "smtp.password", "must be given again")
	if diff := cmp.Diff(before, o.dump()); diff != "" {
		t.Errorf("Redis (-before +after):\n%s", diff)
	}
	// For somebody who has nothing stored yet; then it can be saved: T3.
	settings := account(other, "new@acme.example")
	newcomer := func(args ...string) []string { return append(args, "--tenant", "globex") }
	if r := o.json(settings, newcomer("account", "test", "--to", "bob@globex.example", "--stdin")...); r["accepted"] != true {
		t.Errorf("a newcomer: %v", r)
	}
	if diff := cmp.Diff(before, o.dump()); diff != "" {
		t.Errorf("Redis after a newcomer's test (-before +after):\n%s", diff)
	}
	o.fine(settings, newcomer("account", "set")...)
}

// TestRefusedLogin has a hint in both languages, and parks stored settings until
// a test mail went out.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	server.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 no such luck, canary"))
	before := o.dump()
	unsaved := o.call(account(server, "info@acme.example"), test("--stdin")...)
	if diff := cmp.Diff(before, o.dump()); diff != "" || unsaved.code != exitFailed {
		t.Errorf("unsaved settings were parked: %+v\n%s", unsaved, diff)
	}
	hints := map[string]string{}
	for _, lang := range []string{"en", "de"} {
		r := o.call("", test("--json", "--lang", lang)...)
		if r.code != exitFailed || r.err != "rohrpost: the test mail was not accepted: auth_failed\n" {
			t.Errorf("%+v", r)
		}
		out := decoded(t, r.out)
		want := map[string]any{"accepted": false, "stage": "auth", "category": "auth_failed", "class": "config", "code": 535.0, "enhanced": "5.7.8"}
		for key, value := range want {
			if out[key] != value {
				t.Errorf("%s is %v, not %v", key, out[key], value)
			}
		}
		if reply, _ := out["reply"].(string); !strings.Contains(reply, "no such luck") {
			t.Errorf("an operator sees the reply: %v", out)
		}
		hints[lang], _ = out["hint"].(string)
	}
	if !strings.Contains(hints["de"], "Passwort") || !strings.Contains(hints["en"], "password") {
		t.Errorf("hints: %v", hints)
	}
	if list := o.fine("", "account", "list"); !strings.Contains(list, "tenant/acme  parked: auth_failed") {
		t.Errorf("list: %s", list)
	}
	e := o.json("", "account", "explain", "--tenant", "acme", "--lang", "de")
	if waits, _ := e["waits"].(string); e["level"] != "tenant" || !strings.Contains(waits, "gestoppt seit") || !strings.Contains(waits, hints["de"]) {
		t.Errorf("explain: %v", e)
	}
	server.On(smtptest.AUTH, smtptest.Answer{})
	o.json("", test()...)
	if list := o.fine("", "account", "list"); !strings.Contains(list, "tenant/acme  active") {
		t.Errorf("after a green test mail: %s", list)
	}
}

// TestRelease is by an operator, or by new settings.
func TestRelease(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	server.On(smtptest.AUTH, smtptest.Reply(535, "5.7.8 no"))
	state := func() string {
		t.Helper()
		state, _ := o.json("", "account", "show", "--tenant", "acme")["state"].(string)
		return state
	}
	o.call("", test()...)
	if state() != "parked: auth_failed" {
		t.Errorf("state %q", state())
	}
	if got := o.fine("", "account", "release", "--tenant", "acme"); got != "tenant/acme released\n" || state() != "active" {
		t.Errorf("%q, state %q", got, state())
	}
	o.call("", test()...)
	o.set(strings.ReplaceAll(account(server, "info@acme.example"), hunter2, "another"), "--tenant", "acme")
	if state() != "active" {
		t.Errorf("with new settings: state %q", state())
	}
	o.refused(exitFailed, "", []string{"account", "release", "--tenant", "globex"}, "tenant/globex: there is no such account")
}

// TestTooOften is the seventh within a minute.
func TestTooOften(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	for range 5 {
		o.fine("", test()...)
	}
	o.fine("", "account", "doctor", "--tenant", "acme")
	o.refused(exitFailed, "", test(), "checked too often: try again in ")
	o.refused(exitFailed, account(server, "info@acme.example"), test("--stdin"), "checked too often")
	o.refused(exitFailed, "", []string{"account", "doctor", "--tenant", "acme"}, "checked too often")
	if len(server.Mails()) != 5 {
		t.Errorf("%d mails", len(server.Mails()))
	}
	o.set(account(server, "info@acme.example"), "--tenant", "globex")
	o.fine("", "account", "test", "--tenant", "globex", "--to", "bob@globex.example")
}

// TestCentralSenderRefused: I3.
func TestCentralSenderRefused(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	o.set(account(server, "info@acme.example", "central_sender: Service <service@acme.example>"), "--tenant", "acme")
	if r := o.json("", test()...); r["from"] != "service@acme.example" || r["reverse_path"] != "info@acme.example" {
		t.Errorf("%v", r)
	}
	server.On(smtptest.Dot, smtptest.Reply(550, "5.7.60 SMTP; Client does not have permissions to send as this sender"))
	for lang, words := range map[string]string{"en": "central sender", "de": "zentrale"} {
		r := o.call("", test("--json", "--lang", lang)...)
		out := decoded(t, r.out)
		if hint, _ := out["hint"].(string); out["category"] != "sender_rejected" || !strings.Contains(strings.ToLower(hint), words) {
			t.Errorf("%s: %v", lang, out)
		}
	}
	o.set(account(server, "info@acme.example"), "--tenant", "acme")
	out := decoded(t, o.call("", test("--json")...).out)
	if hint, _ := out["hint"].(string); strings.Contains(hint, "central sender") {
		t.Errorf("without a central sender: %v", out)
	}
}

// TestBrandingIsWorn: S5, by test mails with stored and with unsaved settings.
func TestBrandingIsWorn(t *testing.T) {
	t.Parallel()
	o, server := try(t)
	worn := func(input string, args ...string) string {
		t.Helper()
		o.json(input, args...)
		mails := server.Mails()
		return string(mails[len(mails)-1].Body)
	}
	look := func(company string) string {
		return "branding: {enabled: true, company: " + company + ", logo: " + logo(t) + ", colors: {accent: '#336699'}}"
	}
	if body := worn("", test()...); strings.Contains(body, "Content-ID") {
		t.Errorf("without branding:\n%s", body)
	}
	o.set(account(server, "info@acme.example", look("Stored")), "--tenant", "acme")
	if body := worn("", test()...); !strings.Contains(body, "Stored") || !strings.Contains(body, "image/png") || !strings.Contains(body, "text/plain") {
		t.Errorf("stored:\n%s", body)
	}
	if body := worn(account(server, "info@acme.example", look("Unsaved")), test("--stdin")...); !strings.Contains(body, "Unsaved") || strings.Contains(body, "Stored") {
		t.Errorf("unsaved:\n%s", body)
	}
	o.set(account(server, "max@acme.example"), "--tenant", "acme", "--user", "max")
	server.On(smtptest.AUTH, smtptest.Reply(235, "2.7.0 whoever you are"))
	if body := worn("", test("--user", "max")...); !strings.Contains(body, "Stored") {
		t.Errorf("a user's mail wears the tenant's:\n%s", body)
	}
}

// TestSwitchedOffOrHalf: what cannot be tried is said in one line.
func TestSwitchedOffOrHalf(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.set("{account: {use_platform_default: true, name: ACME}}", "--tenant", "acme")
	for _, args := range [][]string{test(), {"account", "doctor", "--tenant", "acme"}} {
		r := o.call("", args...)
		if r.code != exitFailed || r.out != "" || r.err != "rohrpost: tenant/acme cannot be tried: address: is missing\nsmtp.host: is missing: the name or IP address of the mail server\n" {
			t.Errorf("%+v", r)
		}
	}
	o.refused(exitFailed, "{admin_address: it@acme.example}", test("--stdin"), "tenant/acme", "account")
	o.refused(exitFailed, "{address: a@acme.example}", test("--stdin"), "smtp.host")
	o.set("{admin_address: it@globex.example}", "--tenant", "globex")
	o.refused(exitFailed, "", []string{"account", "test", "--tenant", "globex", "--to", "a@b.example"}, "tenant/globex: there is no such account")
	o.refused(exitFailed, "", []string{"account", "test", "--to", "a@b.example"}, "platform: there is no such account")
}
