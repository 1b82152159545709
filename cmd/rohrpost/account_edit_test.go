package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost/resolver"
)

// TestSet stores settings from standard input and from a file, flat and nested.
func TestSet(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.write("password", hunter2+"\n")
	const smtp = "smtp: {host: smtp.acme.example, password_file: password}"
	for name, test := range map[string]struct{ place, text string }{
		"platform": {"", "{address: noreply@platform.example, admin_address: admin@platform.example, " + smtp + "}"},
		"flat":     {"flat", "{address: info@flat.example, admin_address: it@flat.example, " + smtp + "}"},
		"nested":   {"nested", "{admin_address: it@nested.example, account: {address: info@nested.example, " + smtp + "}}"},
	} {
		args := []string{"account", "set", "--file", o.write(name+".yaml", test.text)}
		show := []string{"account", "show"}
		if test.place != "" {
			args, show = append(args, "--tenant", test.place), append(show, "--tenant", test.place)
		}
		id := "platform"
		if test.place != "" {
			id = "tenant/" + test.place
		}
		if got, want := o.fine("", args...), id+" stored: active, version 1\n"; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		s := o.json("", show...)
		if diff := cmp.Diff([]any{"smtp.password"}, s["secrets"]); diff != "" {
			t.Errorf("%s: secrets (-want +got):\n%s", name, diff)
		}
		entry, _ := s["entry"].(map[string]any)
		account, _ := entry["account"].(map[string]any)
		if !strings.HasSuffix(fmt.Sprint(account["address"]), ".example") || !strings.HasSuffix(fmt.Sprint(entry["admin_address"]), ".example") {
			t.Errorf("%s: %v", name, s)
		}
	}
	got := o.json("{first_name: Max, address: max@flat.example, smtp: {host: 192.0.2.1, encryption: none}}",
		"account", "set", "--tenant", "flat", "--user", "max")
	if w, _ := got["warnings"].([]any); got["id"] != "user/flat/max" || got["version"] != 1.0 || got["state"] != "active" || len(w) != 1 {
		t.Errorf("from standard input: %v", got)
	}
	if strings.Contains(o.values(), hunter2) {
		t.Error("a password stands in Redis")
	}
}

// TestSetRefuses stores nothing.
func TestSetRefuses(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	before := o.dump()
	for name, test := range map[string]struct{ input, word string }{
		"no YAML":             {"{", "standard input"},
		"unknown key":         {"{address: a@b.example, smpt: {}}", "smpt"},
		"missing file":        {"{address: a@b.example, smtp: {host: h.example, password_file: nowhere}}", "nowhere"},
		"printed secret":      {"{address: a@b.example, smtp: {host: h.example, password: '[redacted]'}}", "it was printed, not stored"},
		"login in clear":      {"{address: a@b.example, smtp: {host: h.example, password: x, encryption: none}}", "allow_plaintext_login"},
		"central of a person": {"{address: a@b.example, central_sender: c@b.example, smtp: {host: h.example}}", "central_sender"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, o.call(test.input, "account", "set", "--tenant", "acme", "--user", "max"), exitFailed, test.word)
		})
	}
	refused(t, o.call("", "account", "set", "--file", o.path("nowhere.yaml")), exitFailed, "nowhere.yaml")
	if diff := cmp.Diff(before, o.dump()); diff != "" {
		t.Errorf("Redis (-before +after):\n%s", diff)
	}
}

// TestVersions: two people save at once.
func TestVersions(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	set := func(address string, more ...string) []string {
		return append([]string{"account", "set", "--tenant", "acme", "--file", o.write(address, "{address: "+address+", smtp: {host: smtp.acme.example}}")}, more...)
	}
	o.fine("", set("a@acme.example", "--version", "0")...)
	o.fine("", set("b@acme.example", "--version", "1")...)
	o.refused(exitFailed, "", set("c@acme.example", "--version", "1"), "tenant/acme", "somebody else has changed it meanwhile")
	o.refused(exitFailed, "", set("c@acme.example", "--version", "0"), "somebody else has changed it meanwhile")
	// What show has printed names its version.
	shown := o.fine("", "account", "show", "--tenant", "acme")
	o.fine("", set("b@acme.example", "--version", "2")...) // the same: no new version
	o.fine(shown, "account", "set", "--tenant", "acme")
	o.fine(strings.Replace(shown, "tenant/acme", "tenant/other", 1), "account", "set", "--tenant", "globex")
	if got := o.fine("", set("c@acme.example")...); got != "tenant/acme stored: active, version 3\n" {
		t.Errorf("without a version: %q", got)
	}
	o.refused(exitFailed, shown, []string{"account", "set", "--tenant", "acme"}, "somebody else has changed it meanwhile")
	if got := o.fine("", set("c@acme.example")...); got != "tenant/acme stored: active, version 3\n" {
		t.Errorf("without a change: %q", got)
	}
	if got := o.fine("", "account", "delete", "--tenant", "acme"); got != "tenant/acme deleted\n" {
		t.Errorf("delete: %q", got)
	}
	o.refused(exitFailed, "", []string{"account", "delete", "--tenant", "acme"}, "tenant/acme: there is no such account")
	o.refused(exitFailed, "", []string{"account", "show", "--tenant", "acme"}, "tenant/acme: there is no such account")
	if got := o.fine("", set("d@acme.example")...); !strings.HasPrefix(got, "tenant/acme stored: active, version ") {
		t.Errorf("after a delete: %q", got)
	}
}

// TestSecretsAreKept: what is left out stays, unless it would go elsewhere.
func TestSecretsAreKept(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	rdb := o.redis.Client(t)
	sealed := func() string { return sealedOf(t, rdb, "rohrpost:accounts:{t:acme}", "tenant", "smtp.password") }
	o.set("{address: info@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", "--tenant", "acme")
	first := sealed()
	o.set("{address: info@acme.example, name: ACME, smtp: {host: smtp.acme.example}}", "--tenant", "acme")
	if first == "" || sealed() != first {
		t.Errorf("sealed %q, then %q", first, sealed())
	}
	o.refused(exitFailed, "{address: info@acme.example, smtp: {host: evil.example, authentication: true}}",
		[]string{"account", "set", "--tenant", "acme"}, "smtp.password", "must be given again")
	if sealed() != first {
		t.Error("a refused change has changed something")
	}
}

// logo is a picture of one pixel, in base64.
func logo(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// TestRoundTrip: what show prints, set reads, and nothing changes.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for name, test := range map[string]struct {
		place []string
		text  string
	}{
		"platform": {nil, `{admin_address: admin@platform.example, address: noreply@platform.example, name: "Plattform: \"Größe\" #1 <x>",
			smtp: {host: smtp.platform.example, password: canary-hunter2, max_connections: 10}, limits: {per_minute: 30, recipients_per_mail: 100}}`},
		"tenant": {[]string{"--tenant", "acme"}, `{admin_address: it@acme.example, order: {manual: [tenant, platform], automatic: [tenant]},
			branding: {enabled: true, company: "yes", logo: ` + logo(t) + `, logo_alt: "0x10", logo_width: 40,
				colors: {accent: "#336699"}, footer: {lines: ["ACME: GmbH", "- null", "~"], link: "https://acme.example/?a=1&b=2", link_text: " padded "}},
			account: {address: info@acme.example, name: "12", central_sender: {address: service@acme.example, name: "true"}, force_sender: false,
				reply_to_user: true, aliases: [sales@acme.example], reverse_path: bounces@acme.example,
				oauth2: {provider: microsoft, transport: graph, tenant: acme.example, client_id: "1e3", client_secret: canary-hunter2,
					endpoints: {token: "https://login.acme.example/token"}},
				smtp: {host: 192.0.2.7, port: 465, encryption: tls, authentication: true, username: info@acme.example, password: canary-hunter2}}}`},
		"user": {[]string{"--tenant", "acme", "--user", "max/1%"}, `{first_name: "Max\tä", last_name: "Muster 'x'", account: {use_platform_default: true,
			address: max@acme.example, smtp: {host: smtp.acme.example, authentication: false}}}`},
		"name alone": {[]string{"--tenant", "acme", "--user", "eva"}, `{first_name: "007", last_name: "no"}`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(test.text, "\t\t\t\t", " ")
			text = strings.ReplaceAll(text, `Max\tä`, "Maxä")
			o.set(text, test.place...)
			before := o.dump()
			show := append([]string{"account", "show"}, test.place...)
			printed := o.fine("", show...)
			o.set(printed, test.place...)
			if diff := cmp.Diff(before, o.dump()); diff != "" {
				t.Errorf("%s\nRedis (-before +after):\n%s", printed, diff)
			}
			o.fine("", append([]string{"account", "delete"}, test.place...)...)
		})
	}
}

// TestHistory tells who changed what, and of secrets that they were.
func TestHistory(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.set("{address: a@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2}}", "--tenant", "acme")
	o.set("{address: b@acme.example, smtp: {host: smtp.acme.example, password: canary-hunter2-new}}", "--tenant", "acme")
	o.fine("", "account", "delete", "--tenant", "acme")
	text := o.fine("", "account", "history", "--tenant", "acme")
	for _, want := range []string{"cli:olga  set tenant/acme", "cli:olga  delete tenant/acme", "account.address: a@acme.example → b@acme.example", "account.smtp.password: - → changed"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	lines := strings.Split(strings.TrimSpace(o.fine("", "account", "history", "--tenant", "acme", "--json", "--limit", "2")), "\n")
	if len(lines) != 2 {
		t.Fatalf("%q", lines)
	}
	var actions []any
	for _, l := range lines {
		actions = append(actions, decoded(t, l+"\n")["action"])
	}
	if diff := cmp.Diff([]any{"delete", "set"}, actions); diff != "" {
		t.Errorf("the latest first (-want +got):\n%s", diff)
	}
}

// TestImport takes the example over: the answers are those of the file.
func TestImport(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	example, err := os.ReadFile("../../configs/accounts.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := o.write("accounts.yaml", strings.ReplaceAll(string(example), "/run/secrets/", "secrets/"))
	named := regexp.MustCompile(`(?m)^[^#\n]*?([a-z_]+)_file: ([^\s,}]+)`).FindAllStringSubmatch(strings.ReplaceAll(string(example), "/run/secrets/", "secrets/"), -1)
	r := o.call("", "account", "import", file)
	if r.code != exitFailed || strings.Count(r.err, "\n") != len(named) || !strings.Contains(r.err, "platform: its password cannot be read: ") || len(o.dump()) > 0 {
		t.Errorf("without its %d files: %+v", len(named), r)
	}
	if err := os.Mkdir(o.path("secrets"), 0o700); err != nil {
		t.Fatal(err)
	}
	picture, err := base64.StdEncoding.DecodeString(logo(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range named {
		content := hunter2 + "\n"
		if n[1] == "logo" {
			content = string(picture)
		}
		o.write(n[2], content)
	}
	entries := 0
	stored, err := resolver.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for range stored.Entries() {
		entries++
	}
	if got, want := o.fine("", "account", "import", file), fmt.Sprintf("%d entries stored\n", entries); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if strings.Contains(o.values(), hunter2) {
		t.Error("a password stands in Redis")
	}
	if got := o.json("", "account", "import", file); got["entries"] != float64(entries) {
		t.Errorf("again: %v", got)
	}
	for place := range stored.Entries() {
		for _, origin := range []string{"manual", "automatic"} {
			args := []string{"account", "explain", "--json", "--tenant", place.Tenant, "--user", place.User, "--origin", origin}
			inBook := decoded(t, o.fine("", args...))
			inFile := decoded(t, fine(t, call(t, "", append(args, "--redis", o.redis.URL(), "--accounts", file)...)).out)
			if diff := cmp.Diff(inFile, inBook); diff != "" {
				t.Errorf("%v (-file +redis):\n%s", args, diff)
			}
		}
	}
	o.refused(exitFailed, "", []string{"account", "import", o.path("nowhere.yaml")}, "nowhere.yaml")
	o.refused(exitUsage, "", []string{"account", "import"}, "arg")
}

func TestPresetsAndPreview(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for lang, word := range map[string]string{"en": "app password", "de": "App-Passwort"} {
		if text := o.fine("", "account", "presets", "--lang", lang); !strings.Contains(text, "smtp.ionos.de:") || !strings.Contains(text, word) {
			t.Errorf("%s: %s", lang, text)
		}
	}
	page := o.path("preview.html")
	o.set("{branding: {enabled: true, company: ACME <GmbH>, logo: "+logo(t)+"}}", "--tenant", "acme")
	if got := o.fine("", "account", "preview", "--tenant", "acme", "-o", page, "--lang", "de"); got != page+" written\n" {
		t.Errorf("%q", got)
	}
	html, err := os.ReadFile(page)
	if err != nil || !bytes.Contains(html, []byte("ACME &lt;GmbH&gt;")) || !bytes.Contains(html, []byte("data:image/png;base64,")) {
		t.Errorf("%s: %v", html, err)
	}
	if got := o.json("", "account", "preview", "--tenant", "acme", "-o", page); got["output"] != page {
		t.Errorf("as JSON: %v", got)
	}
	o.refused(exitFailed, "", []string{"account", "preview", "--tenant", "globex", "-o", page}, "globex has no branding")
	o.refused(exitUsage, "", []string{"account", "preview"}, "--tenant and --output")
}
