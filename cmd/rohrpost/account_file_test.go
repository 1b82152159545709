package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/internal/redistest"
)

const accountsFile = `platform:
  address: noreply@platform.example
  name: Platform
  admin_address: admin@platform.example
  smtp: {host: smtp.platform.example, username: noreply@platform.example, password: canary-hunter2}
tenants:
  acme:
    admin_address: it@acme.example
    account:
      address: info@acme.example
      name: ACME
      reply_to_user: true
      oauth2: {provider: microsoft, tenant: acme.example, client_id: app, client_secret: canary-hunter2, transport: graph}
      smtp: {host: 192.0.2.7, port: 25, encryption: none}
    users:
      eva: {first_name: Eva, last_name: Beispiel}
      max:
        first_name: Max
        last_name: Muster
        account: {address: max@acme.example, smtp: {host: smtp.acme.example, encryption: tls, password_file: missing}}
  globex:
    account: {use_platform_default: true, address: info@globex.example, smtp: {host: smtp.globex.example, password: canary-hunter2}}
`

// inAFile is a command line with accounts in a file and an empty Redis.
func inAFile(t *testing.T, redisURL string) func(args ...string) result {
	t.Helper()
	return inThisFile(t, redisURL, accountsFile)
}

func inThisFile(t *testing.T, redisURL, text string) func(args ...string) result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(args ...string) result {
		t.Helper()
		r := call(t, "", append([]string{"account", "--redis", redisURL, "--accounts", path}, args...)...)
		if strings.Contains(r.out+r.err, hunter2) {
			t.Errorf("%v shows a password: %s%s", args, r.out, r.err)
		}
		return r
	}
}

const listText = `ACCOUNT        STATE         ADDRESS                   THROUGH  SERVER
platform       active        noreply@platform.example  smtp     smtp.platform.example:587
tenant/acme    active        info@acme.example         graph    Microsoft Graph
user/acme/max  unusable      max@acme.example          smtp     smtp.acme.example:465
tenant/globex  switched off  info@globex.example       smtp     smtp.globex.example:587
`

func TestAccountsInFile(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	if diff := cmp.Diff(listText, fine(t, ask("list")).out); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	lines := strings.Split(strings.TrimSpace(fine(t, ask("list", "--json", "--tenant", "acme")).out), "\n")
	if len(lines) != 2 {
		t.Fatalf("list of a tenant: %q", lines)
	}
	want := map[string]any{
		"place": map[string]any{"tenant": "acme"}, "id": "tenant/acme", "state": "active", "address": "info@acme.example",
		"transport": "graph", "host": "Microsoft Graph", "switched_off": false,
	}
	if diff := cmp.Diff(want, decoded(t, lines[0]+"\n")); diff != "" {
		t.Errorf("list as JSON (-want +got):\n%s", diff)
	}
	if user := decoded(t, lines[1]+"\n"); !strings.Contains(user["unusable"].(string), "missing") {
		t.Errorf("an account without its password: %v", user)
	}
}

const showText = `# tenant/acme: active
admin_address: it@acme.example
account:
  address: info@acme.example
  name: ACME
  reply_to_user: true
  smtp:
    host: 192.0.2.7
    port: 25
    encryption: none
  oauth2:
    provider: microsoft
    transport: graph
    tenant: acme.example
    client_id: app
    client_secret: '[redacted]'
`

func TestShowInFile(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	if diff := cmp.Diff(showText, fine(t, ask("show", "--tenant", "acme")).out); diff != "" {
		t.Errorf("show (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("# user/acme/eva: no account\nfirst_name: Eva\nlast_name: Beispiel\n", fine(t, ask("show", "--tenant", "acme", "--user", "eva")).out); diff != "" {
		t.Errorf("show without an account (-want +got):\n%s", diff)
	}
	r := fine(t, ask("show", "--tenant", "globex", "--json"))
	want := map[string]any{
		"id": "tenant/globex", "state": "switched off",
		"entry": map[string]any{"account": map[string]any{
			"address": "info@globex.example", "use_platform_default": true,
			"smtp": map[string]any{"host": "smtp.globex.example", "password": "[redacted]"},
		}},
	}
	if diff := cmp.Diff(want, decoded(t, r.out)); diff != "" {
		t.Errorf("show as JSON (-want +got):\n%s", diff)
	}
	if r := ask("show", "--tenant", "acme", "--user", "max"); !strings.HasPrefix(r.out, "# user/acme/max: unusable\n# warning: ") {
		t.Errorf("an account without its password: %q", r.out)
	}
	refused(t, ask("show", "--tenant", "initech"), exitFailed, "tenant/initech: there is no such account")
}

const explainText = `account            tenant/acme
leaves by          graph, Microsoft Graph, login: oauth2
From               ACME <info@acme.example>
Reply-To           it@acme.example
reverse-path       info@acme.example
why                A program sends, and for that the tenant's account goes first; From is the account's address.
not tenant (smtp)  OAuth2 goes before SMTP; the SMTP settings stay stored
not user           the mail names no user
not platform (smtp)  the tenant's account goes first here
`

// TestExplainInFile: I4, I5, I6, O1, O2, S4, S6, T4, T5.
func TestExplainInFile(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	got := fine(t, ask("explain", "--tenant", "acme", "--origin", "automatic")).out
	if diff := cmp.Diff(words(explainText), words(got)); diff != "" {
		t.Errorf("explain (-want +got):\n%s", diff)
	}
	r := fine(t, ask("explain", "--tenant", "acme", "--user", "eva", "--origin", "manual", "--from", "Boss <boss@acme.example>", "--json"))
	want := map[string]any{
		"level": "tenant", "account": "tenant/acme", "transport": "graph", "authentication": "oauth2", "host": "Microsoft Graph",
		"from": "info@acme.example", "from_name": "ACME", "reply_to": []any{"it@acme.example"}, "reverse_path": "info@acme.example",
		"why": "A person sends who has no account in use, so the tenant's serves; " +
			"From is the account's address, which it forces whatever is asked for.",
		"passed_over": []any{
			map[string]any{"level": "user", "why": "the user has none"},
			map[string]any{"level": "tenant", "transport": "smtp", "why": "OAuth2 goes before SMTP; the SMTP settings stay stored"},
			map[string]any{"level": "platform", "transport": "smtp", "why": "the tenant's account goes first here"},
		},
	}
	if diff := cmp.Diff(want, decoded(t, r.out)); diff != "" {
		t.Errorf("explain as JSON (-want +got):\n%s", diff)
	}
	for name, args := range map[string][]string{
		"switched off": {"--tenant", "globex"},
		"marketing":    {"--tenant", "acme", "--category", "marketing"},
		"no tenant":    {},
	} {
		e := decoded(t, fine(t, ask(append([]string{"explain", "--json"}, args...)...)).out)
		if e["level"] != "platform" || e["from"] != "noreply@platform.example" || e["host"] != "smtp.platform.example:587" {
			t.Errorf("%s: %v", name, e)
		}
	}
}

// TestExplainFallback: that another account steps in is never silent.
func TestExplainFallback(t *testing.T) {
	t.Parallel()
	text := strings.Replace(accountsFile, "reply_to_user: true", "fallback: platform", 1)
	ask := inThisFile(t, redistest.Start(t).URL(), text)
	const said = "while this account is parked, the platform's sends (the tenant allows it): " +
		"From noreply@platform.example, Reply-To it@acme.example"
	if got := fine(t, ask("explain", "--tenant", "acme")).out; !strings.Contains(strings.Join(words(got), " "), " fallback "+said+" not tenant ") {
		t.Errorf("explain says\n%s", got)
	}
	if got := decoded(t, fine(t, ask("explain", "--tenant", "acme", "--json")).out)["fallback"]; got != said {
		t.Errorf("explain --json says %v", got)
	}
	if got := decoded(t, fine(t, ask("explain", "--tenant", "globex", "--json")).out)["fallback"]; got != nil {
		t.Errorf("of another tenant it says %v", got)
	}
	if got := fine(t, ask("show", "--tenant", "acme")).out; !strings.Contains(got, "  fallback: platform\n") {
		t.Errorf("show says\n%s", got)
	}
}

// TestExplainUnusable tells what a mail would be and why it waits.
func TestExplainUnusable(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	e := decoded(t, fine(t, ask("explain", "--tenant", "acme", "--user", "max", "--origin", "manual", "--json")).out)
	want := map[string]any{"from": "max@acme.example", "from_name": "Max Muster", "reverse_path": "max@acme.example", "reply_to": []any{"max@acme.example"}}
	for key, value := range want {
		if diff := cmp.Diff(value, e[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	if waits, _ := e["waits"].(string); !strings.Contains(waits, "its password cannot be read") {
		t.Errorf("why it waits: %v", e["waits"])
	}
}

// words are a text without the width of its columns.
func words(text string) []string { return strings.Fields(text) }

// TestAccountsWithoutRedis: what stands in a file is answered, with a warning.
func TestAccountsWithoutRedis(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, "redis://127.0.0.1:1/0")
	for _, args := range [][]string{
		{"list"},
		{"show", "--tenant", "acme"},
		{"explain", "--tenant", "acme", "--json"},
	} {
		r := fine(t, ask(args...))
		if !strings.Contains(r.out, "info@acme.example") {
			t.Errorf("%v: %q", args, r.out)
		}
		if strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "rohrpost: warning: nobody knows which accounts are parked: redis cannot be reached (127.0.0.1:1)") {
			t.Errorf("%v: %q", args, r.err)
		}
	}
	r := ask("test", "--tenant", "acme", "--to", "anna@acme.example")
	if r.code != exitFailed || r.out != "" || !strings.Contains(r.err, "not possible while Redis does not answer") {
		t.Errorf("a test mail that nobody counts: %+v", r)
	}
}

// TestFileIsNotEdited says where accounts are edited, in one line.
func TestFileIsNotEdited(t *testing.T) {
	t.Parallel()
	ask := inAFile(t, redistest.Start(t).URL())
	other := filepath.Join(t.TempDir(), "accounts.yaml")
	if err := os.WriteFile(other, []byte(accountsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settings, []byte("{address: a@b.example, smtp: {host: mail.b.example}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"set", "--tenant", "acme", "--file", settings},
		{"delete", "--tenant", "acme"},
		{"unlock", "--tenant", "acme"},
		{"lock", "--tenant", "acme"},
		{"approve", "--tenant", "acme"},
		{"history", "--tenant", "acme"},
		{"import", other},
	} {
		t.Run(args[0], func(t *testing.T) {
			refused(t, ask(args...), exitFailed, "the accounts stand in a file", "accounts.store: redis")
		})
	}
}
