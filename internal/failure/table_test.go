package failure

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestTable is what keeps a broken rules.yaml from being shipped.
func TestTable(t *testing.T) {
	t.Parallel()
	loaded, err := load(rulesYAML)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 81; n++ {
		if loaded.rules[n] == nil {
			t.Errorf("rule %d is missing", n)
		}
	}
}

func TestHints(t *testing.T) {
	t.Parallel()
	for n, r := range table().rules {
		en, de := Hint(n, "en"), Hint(n, "de")
		plain := strings.NewReplacer("{", "", "}", "")
		if en != plain.Replace(r.EN) || de != plain.Replace(r.DE) || en == de || strings.Contains(r.EN, "{") != strings.Contains(r.DE, "{") {
			t.Errorf("rule %d: languages mixed up", n)
		}
		for _, hint := range []string{en, de, Test().Hint(n, "en"), Test().Hint(n, "de"), Moment{Final: true}.Hint(n, "en"), Moment{Final: true, Tried: 24 * time.Hour}.Hint(n, "de")} {
			if len(hint) < 60 || !strings.HasSuffix(hint, ".") || strings.ContainsAny(hint, "\n\r\t") || strings.Contains(hint, "  ") {
				t.Errorf("rule %d: not a sentence that says what to do: %q", n, hint)
			}
		}
		for _, wrong := range []string{"fuer", "ueber", "aend", "pruef", "loesch", "schluess", "oeffn", " Sie ihr", "können Sie", "Bitte", "bitte", "Ihr "} {
			if strings.Contains(de, wrong) {
				t.Errorf("rule %d: %q in %q", n, wrong, de)
			}
		}
	}
	for lang, german := range map[string]bool{"de": true, "DE": true, "de-AT": true, "en": false, "": false, "fr": false, "den": false} {
		if got := Hint(19, lang) == Hint(19, "de"); got != german {
			t.Errorf("language %q: German %v, want %v", lang, got, german)
		}
	}
	if Hint(9999, "en") != Hint(81, "en") || Hint(0, "de") != Hint(81, "de") {
		t.Error("an unknown rule must have the hint of the last resort")
	}
	if f := Classify(reply(StageAuth, 535, "no")); f.Hint("de") != Hint(19, "de") {
		t.Error("a failure must have the hint of its rule")
	}
}

func TestStrictLoading(t *testing.T) {
	t.Parallel()
	const (
		head = "scopes: [{scope: sender, rules: [81], codes: ['550']}, {scope: mail}]\nneeds_person: [{categories: [auth_failed]}]\nrules:\n- {rule: 81, category: unknown, class: transient, en: a, de: b}\n"
		good = head + "- {rule: 1, category: timeout, class: transient, en: a, de: b, match: [{codes: ['421']}]}\n"
	)
	if _, err := load([]byte(good)); err != nil {
		t.Fatalf("the base of this test does not load: %v", err)
	}
	for _, tt := range []struct {
		name, old, new, want string
	}{
		{"column", "en: a, de: b, match", "en: a, de: b, severity: 3, match", "severity"},
		{"category", "timeout", "time_out", `category "time_out"`},
		{"class", "timeout, class: transient", "timeout, class: temporary", `class "temporary"`},
		{"stage", "codes: ['421']", "codes: ['421'], stages: [hello]", `stage "hello"`},
		{"error kind", "codes: ['421']", "error: bad_luck", `kind "bad_luck"`},
		{"provider", "codes: ['421']", "provider: acme, text: x", `provider "acme"`},
		{"category of a match", "codes: ['421']", "codes: ['421'], category: odd", `category "odd"`},
		{"class of a match", "codes: ['421']", "codes: ['421'], class: odd", `class "odd"`},
		{"code", "421", "42x", `"42x"`},
		{"code range", "421", "504-500", `"504-500"`},
		{"enhanced", "codes: ['421']", "enhanced: [5.1]", `"5.1"`},
		{"pattern", "codes: ['421']", "text: '('", "missing closing"},
		{"nothing asked", "codes: ['421']", "stages: [rcpt]", "asks nothing"},
		{"unspecific enhanced alone", "codes: ['421']", "enhanced: [5.7.1]", "asks nothing"},
		{"no match", "[{codes: ['421']}]", "[]", "never apply"},
		{"hint missing", "de: b, match", "match", "hint"},
		{"number twice", "rule: 1,", "rule: 81,", "twice"},
		{"number missing", "rule: 1, ", "", "number"},
		{"wait too long", "de: b, match", "de: b, wait: 25h, match", "24h"},
		{"wait not a span", "de: b, match", "de: b, wait: soon, match", "soon"},
		{"no last resort", "rule: 81", "rule: 80", "rule 81"},
		{"scope", "scope: sender", "scope: domain", `scope "domain"`},
		{"rule of a scope", "rules: [81]", "rules: [82]", "rule 82"},
		{"code of a scope", "550", "5xx", `"5xx"`},
		{"column of a scope", "codes: ['550']", "enhanced: ['5.1.1']", "enhanced"},
		{"scopes that leave a gap", ", {scope: mail}", "", "must fit everything"},
		{"a scope behind the last", "{scope: mail}", "{scope: mail}, {scope: mail}", "must fit everything"},
		{"no scopes", "[{scope: sender, rules: [81], codes: ['550']}, {scope: mail}]", "[]", "scopes are missing"},
		{"category that needs a person", "auth_failed", "auth_fail", `category "auth_fail"`},
		{"a person for everything", "{categories: [auth_failed]}", "{}", "asks nothing"},
		{"not YAML", "rules:", "rules", "rules"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := bytes.Replace([]byte(good), []byte(tt.old), []byte(tt.new), 1)
			if bytes.Equal(b, []byte(good)) {
				t.Fatalf("%q is not in the file", tt.old)
			}
			_, err := load(b)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %s", err, tt.want)
			}
		})
	}
}

// TestLastResort asks a table that knows nothing.
func TestLastResort(t *testing.T) {
	t.Parallel()
	empty, err := load([]byte("scopes: [{scope: mail}]\nrules: [{rule: 81, category: unknown, class: transient, en: a, de: b}]"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		stage Stage
		code  int
		want  Class // "": that of the rule
	}{
		{StageRcpt, 550, Permanent},
		{StageRcpt, 450, ""},
		{StageRcpt, 0, ""},
		{StageAPI, 500, ""}, // an HTTP status is no reply code
		{StageToken, 503, ""},
	} {
		if got := empty.find(&query{stage: tt.stage, code: tt.code, text: empty.read(""), session: &Session{}}); got.class != tt.want || got.rule.Number != 81 {
			t.Errorf("%s %d: class %q of rule %d", tt.stage, tt.code, got.class, got.rule.Number)
		}
	}
}
