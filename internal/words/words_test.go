package words_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
)

// enumerations are the values of each kind, from where they are declared.
func enumerations(t *testing.T) map[words.Kind][]string {
	t.Helper()
	declared := func(dir, kind string) []string {
		values := read(t, dir).values(kind)
		if len(values) == 0 {
			t.Errorf("%s has no values of type %s", dir, kind)
		}
		return values
	}
	levels := declared("resolver", "Level")
	return map[words.Kind][]string{
		words.Category:    append(failure.Categories(), "unreadable"), // of errorlog
		words.Stage:       declared("internal/failure", "Stage"),
		words.Class:       declared("internal/failure", "Class"),
		words.Scope:       declared("internal/failure", "Scope"),
		words.State:       declared(".", "State"),
		words.Recipient:   declared(".", "RecipientState"),
		words.Queue:       declared(".", "Priority"),
		words.Origin:      declared(".", "Origin"),
		words.Purpose:     declared(".", "Category"),
		words.OnUncertain: declared(".", "OnUncertain"),
		// What State.String and the list of accounts add.
		words.Account:        append(declared("resolver", "State"), "active", "switched off", "unusable", "no account"),
		words.Breaker:        declared("internal/breaker", "Kind"),
		words.Wait:           append(declared("internal/dispatch", "Reason"), "parked", "slow", "down"), // those of the breaker
		words.Level:          levels,
		words.Owner:          levels,
		words.Transport:      declared("resolver", "Transport"),
		words.Encryption:     declared("resolver", "Encryption"),
		words.Authentication: {"oauth2", "password", "none"}, // resolver/explain.go
		words.Fallback:       append(declared("resolver", "Fallback"), ""),
		words.Sender:         declared("resolver", "FromRule"),
		words.Role:           append(declared("resolver/redisstore", "Role"), roles(t)...),
		words.Change:         changes(t),
		words.Step:           declared("resolver/redisstore", "step"),
		words.Action:         declared("internal/audit", "Action"),
		words.Source:         declared("internal/audit", "Source"),
		words.Outcome:        declared("internal/audit", "Outcome"),
		words.Verdict:        declared("internal/doctor", "Verdict"),
		words.Task:           declared("internal/queue", "State"),
		words.Secret:         secrets(),
		words.Ground:         {"card", "background"}, // internal/branding/check.go
	}
}

// secrets are the keys of settings for secrets as sentences name them.
func secrets() []string {
	s := resolver.Settings{SMTP: &resolver.SMTPSettings{}, OAuth2: &resolver.OAuth2Settings{}}
	var out []string
	for key := range s.Secrets() {
		out = append(out, strings.ReplaceAll(path.Ext(key)[1:], "_", " "))
	}
	return out
}

func TestEveryValueHasALabel(t *testing.T) {
	t.Parallel()
	all, kinds := enumerations(t), words.Kinds()
	for kind, values := range all {
		if !words.Known(kind) {
			t.Errorf("there is no kind %s", kind)
		}
		for _, value := range values {
			if _, ok := kinds[kind][value]; !ok {
				t.Errorf("%s %q has no label", kind, value)
			}
		}
		for value := range kinds[kind] {
			if !slices.Contains(values, value) {
				t.Errorf("%s %q has a label, and nobody uses it any more", kind, value)
			}
		}
	}
	for kind := range kinds {
		if all[kind] == nil {
			t.Errorf("kind %s is not compared with what declares its values", kind)
		}
	}
}

// same are texts that are the same in both languages on purpose: names, and words that
// both have.
func same() []string {
	return []string{
		"Microsoft Graph", "Gmail API", "Administrator", "Port", "Server", "HTML", "Text", "Logo", "Limits", "normal",
	}
}

// checkPair looks at a text in both languages.
func checkPair(t *testing.T, what, en, de string) {
	t.Helper()
	switch {
	case en == "" || de == "":
		t.Errorf("%s: a text is missing: %q, %q", what, en, de)
	case en == de && !slices.Contains(same(), en):
		t.Errorf("%s: %q is the same in both languages", what, en)
	case strings.ContainsAny(en+de, "{}%…") || strings.Contains(en+de, "  "):
		t.Errorf("%s: something is left in %q or %q", what, en, de)
	case strings.ContainsAny(en, "äöüÄÖÜß„“"):
		t.Errorf("%s: %q is not English", what, en)
	case strings.Count(de, "„") != strings.Count(de, "“") || strings.Contains(de, `"`):
		t.Errorf("%s: the quotes of %q are not German", what, de)
	}
}

func TestLabels(t *testing.T) {
	t.Parallel()
	for kind, list := range words.Kinds() {
		for value, label := range list {
			checkPair(t, string(kind)+" "+value, label[0], label[1])
			if strings.Contains(label[0]+label[1], "_") {
				t.Errorf("%s %q is called by a code: %q", kind, value, label)
			}
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lang  string
		kind  words.Kind
		value string
		want  string
	}{
		{"de", words.Category, "content_rejected", "Inhalt abgelehnt"},
		{"de-AT", words.Stage, "dot", "nach dem Senden des Inhalts"},
		{"de_DE.UTF-8", words.Class, "permanent", "endgültig"},
		{"en", words.Class, "permanent", "for good"},
		{"fr", words.Category, "content_rejected", "content refused"},
		{"", words.Account, "", "active"},
		{"de", words.Category, "of_a_newer_version", "of_a_newer_version"},
		{"de", "no such kind", "value", "value"},
	} {
		if got := words.Of(test.lang, test.kind, test.value); got != test.want {
			t.Errorf("%s %s in %q: %q, want %q", test.kind, test.value, test.lang, got, test.want)
		}
	}
	if words.Known("no such kind") {
		t.Error("a kind is known that does not exist")
	}
}

func TestAccountName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		place  resolver.Place
		en, de string
	}{
		{resolver.Place{}, "platform", "Plattform"},
		{resolver.Place{Tenant: "acme"}, "tenant acme", "Mandant acme"},
		{resolver.Place{Tenant: "acme", User: "max"}, "user max (acme)", "Benutzer max (acme)"},
		{resolver.Place{Tenant: "a/b%2F", User: "%/"}, "user %/ (a/b%2F)", "Benutzer %/ (a/b%2F)"},
	} {
		if en, de := words.AccountName("en", test.place.String()), words.AccountName("de", test.place.String()); en != test.en || de != test.de {
			t.Errorf("%s: %q, %q", test.place, en, de)
		}
	}
	for _, id := range []string{"", "tenant", "tenant/", "user/acme", "user//max", "tenant/a/b", "info@acme.example", "platform/x"} {
		if got := words.AccountName("de", id); got != id {
			t.Errorf("%q is no id of an account: %q", id, got)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	keys := settingKeys(t)
	for _, key := range keys {
		en, de := words.Field("en", key), words.Field("de", key)
		if en == key {
			t.Errorf("%s has no label", key)
		}
		checkPair(t, key, en, de)
	}
	for key := range words.Fields() {
		if !slices.Contains(keys, key) {
			t.Errorf("%s has a label, and is no setting", key)
		}
	}
	for _, test := range []struct{ key, want string }{
		{"smtp.port", "Port"},
		{"account.smtp.username", "Benutzername"},
		{"aliases[1]", "Weitere Absender (2)"},
		{"to[0].address", "An (1)"},
		{`metadata["a b"]`, `Metadaten ("a b")`},
		{"unknown.key[3]", "unknown.key[3]"},
		{"", ""},
	} {
		if got := words.Field("de", test.key); got != test.want {
			t.Errorf("%s: %q, want %q", test.key, got, test.want)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	keys := settingKeys(t)
	for provider, list := range words.Hints() {
		if _, known := resolver.PresetByID(provider); provider != "" && !known {
			t.Errorf("%s is no provider", provider)
		}
		for _, key := range slices.Sorted(maps.Keys(list)) {
			checkPair(t, provider+" "+key, list[key][0], list[key][1])
			if !slices.Contains(keys, key) {
				t.Errorf("%s is no setting", key)
			}
			if got := words.FieldHint("de", key, provider); got != list[key][1] {
				t.Errorf("%s at %s: %q", key, provider, got)
			}
		}
	}
	if got, want := words.FieldHint("en", "smtp.port", "google"), words.FieldHint("en", "smtp.port", ""); got == "" || got != want {
		t.Errorf("a provider without a hint of its own: %q, everybody: %q", got, want)
	}
	if got := words.FieldHint("de", "metadata", "google"); got != "" {
		t.Errorf("there is a hint where nothing is to be said: %q", got)
	}
}
