package words_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/growthtest"
	"github.com/rohrpost/rohrpost/internal/words"
	"github.com/rohrpost/rohrpost/resolver"
)

var (
	verb = regexp.MustCompile(`%[.0-9]*([a-zA-Z%])`)
	form = regexp.MustCompile(`\{(\d)(?::([a-z]+))?\}`)
)

// filled is a format with a value for each verb, and the German that must come of it. text
// is what stands for a text of any kind.
func filled(format, german, text string) (english, want string) {
	forms := map[string]string{}
	for _, m := range form.FindAllStringSubmatch(german, -1) {
		forms[m[1]] = m[2]
	}
	n, shown := 0, []string{}
	english = verb.ReplaceAllStringFunc(format, func(v string) string {
		if v == "%%" {
			return "%"
		}
		n++
		en, de := valueFor(v[len(v)-1], forms[strconv.Itoa(n)], text, n)
		shown = append(shown, de)
		return en
	})
	want = form.ReplaceAllStringFunc(german, func(f string) string { return shown[f[1]-'1'] })
	return english, want
}

func valueFor(verb byte, form, text string, n int) (en, de string) {
	switch {
	case form == "sentence" || form == "text":
		return "is missing", "fehlt"
	case form == "list":
		return "user: the user has none; tenant: the tenant has none", "Benutzer: der Benutzer hat keines; Mandant: der Mandant hat keines"
	case form == "decimal":
		return "4.50", "4,50"
	case form != "":
		for value, label := range words.Kinds()[words.Kind(form)] {
			if value != "" {
				return value, label[1]
			}
		}
	case verb == 'q':
		en = strconv.Quote(text)
	case verb == 'd':
		en = strconv.Itoa(-n)
	case verb == 'U':
		en = "U+202E"
	default:
		en = text + strconv.Itoa(n)
	}
	return en, en
}

// TestSentences tries every sentence with values.
func TestSentences(t *testing.T) {
	t.Parallel()
	for format, german := range words.Catalog() {
		english, want := filled(format, german, "value")
		if got := words.Sentence("de", english); got != want {
			t.Errorf("%q\n got %q\nwant %q", english, got, want)
		}
		if got := words.Sentence("en", english); got != english {
			t.Errorf("in English %q is %q", english, got)
		}
		if got := words.Sentence("de", "accounts.yaml:12: tenants.acme.account.smtp.port: "+english); got != "accounts.yaml:12: tenants.acme.account.smtp.port: "+want {
			t.Errorf("with a line and a key in front: %q", got)
		}
		plain := form.ReplaceAllString(german, "")
		if strings.ContainsAny(plain, "{}%") || strings.Count(plain, "„") != strings.Count(plain, "“") || strings.ContainsAny(plain, `"`) || german == format {
			t.Errorf("something is left in %q", german)
		}
	}
}

// TestSentencesOfOthers takes texts as the packages write them.
func TestSentencesOfOthers(t *testing.T) {
	t.Parallel()
	long := rohrpost.CheckAddress(strings.Repeat("a", 300))
	for _, test := range []struct{ english, german string }{
		{rohrpost.CheckAddress("max").Error(), `"max" enthält kein @: keine Mailadresse`},
		{rohrpost.CheckAddress("ma x@acme.example").Error(), `"ma x@acme.example": Zeichen ' ' vor dem @: keine Mailadresse`},
		{long.Error(), `300 Bytes, höchstens 254: keine Mailadresse`},
		{
			"A program sends and neither tenant nor user has an account in use, so the platform's serves; From is the account's address.",
			"Ein Programm sendet, und weder ein Konto des Mandanten noch eines des Benutzers ist in Gebrauch, daher dient das Konto der Plattform; Absender ist die Adresse des Kontos.",
		},
		{
			"#777777 on the card #888888 has a contrast of 1.26:1, at least 4.5:1 is needed to read it",
			"#777777 auf #888888 (Karte) hat einen Kontrast von 1,26:1, zum Lesen sind mindestens 4,5:1 nötig",
		},
		{
			(&resolver.NoAccountError{PassedOver: []resolver.Passed{{Level: resolver.Tenant, Why: "the tenant has none"}, {Level: resolver.Platform, Why: "none is set up"}}}).Error(),
			"kein Konto kann diese Mail senden; Mandant: der Mandant hat keines; Plattform: keines ist eingerichtet; das Konto der Plattform einrichten, das allen dient, die keines haben",
		},
		{`"a: b": "c" stays`, `"a: b": "c" stays`},
		{"The sky is blue.", "The sky is blue."},
		{"", ""},
	} {
		if got := words.Sentence("de", test.english); got != test.german {
			t.Errorf("%q\n got %q\nwant %q", test.english, got, test.german)
		}
	}
}

// TestWarningsAndFields takes all that resolver finds wrong with an account that has
// everything wrong.
func TestWarningsAndFields(t *testing.T) {
	t.Parallel()
	settings := resolver.Settings{
		Provider: "google", Address: "max@acme.example", Aliases: []string{"x"}, ReversePath: "y@",
		CentralSender: &resolver.Mailbox{Address: "service@acme.example"},
		SMTP:          &resolver.SMTPSettings{Host: "a b", Port: 70000, Encryption: "none", Username: "anna@acme.example", MaxConnections: -1},
		Limits:        &resolver.Limits{PerDay: -1},
	}
	a := settings.Account(resolver.Tenant, "acme", "")
	err := a.Validate()
	if _, ok := errors.AsType[*rohrpost.FieldError](err); !ok {
		t.Fatal(err)
	}
	list := append(a.Warnings(), strings.Split(err.Error(), "\n")...)
	if len(list) < 10 {
		t.Errorf("only %d sentences: %q", len(list), list)
	}
	for _, s := range list {
		if words.Sentence("de", s) == s {
			t.Errorf("no German for %q", s)
		}
	}
}

// TestValuesBreakNothing enters what looks like the sentence itself.
func TestValuesBreakNothing(t *testing.T) {
	t.Parallel()
	for format, german := range words.Catalog() {
		for _, text := range []string{"{1}", "{1:sentence}", "%s", "is missing", `", "`, ": ", "; ", ", so the ", "'s account", format, german, "\x00\xff", "ß", ""} {
			english, want := filled(format, german, text)
			// English is left where nobody can tell where a value ends.
			if got := words.Sentence("de", english); got != english && got != want {
				t.Errorf("%q\n got %q\nwant %q", english, got, want)
			}
		}
	}
	for text, want := range map[string]string{
		// Where the first value ends is not certain.
		"the sender a is not the login b is not the login c: most providers refuse a foreign sender address": "",
		"the sender {2} is not the login {1}: most providers refuse a foreign sender address":                "der Absender {2} ist nicht die Anmeldung {1}: Die meisten Anbieter lehnen eine fremde Absenderadresse ab",
		`"is missing\": x" is not host:port`: `"is missing\": x" hat nicht die Form Server:Port`,
		"the moon's account goes first here": "", // no level
	} {
		if want == "" {
			want = text
		}
		if got := words.Sentence("de", text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSentenceGrowsWithItsLength(t *testing.T) {
	shapes := append(growthtest.Shapes(),
		growthtest.Shape{Name: "heads", Make: func(n int) string { return strings.Repeat("a: ", n/3) }},
		growthtest.Shape{Name: "frames", Make: func(n int) string { return strings.Repeat("A person sends; ", n/16) + "." }},
		growthtest.Shape{Name: "middles", Make: func(n int) string { return "the sender " + strings.Repeat(" is not the login ", n/18) + "x" }},
		growthtest.Shape{Name: "quoted", Make: func(n int) string { return strings.Repeat(`"a": `, n/5) }},
		growthtest.Shape{Name: "list", Make: func(n int) string {
			return "no account can send this mail; " + strings.Repeat("user: the user has none; ", n/25) + "set up the platform's account, which serves all who have none"
		}},
	)
	for _, shape := range shapes {
		t.Run(shape.Name, func(t *testing.T) {
			growthtest.Linear(t, 1000, func(size int) func() { // 2,000 bytes are the most that is looked at
				text := shape.Make(size)
				return func() {
					for range 20 {
						words.Sentence("de", text)
					}
				}
			})
		})
	}
	huge := strings.Repeat("a: ", 10<<20)
	began := time.Now()
	if words.Sentence("de", huge) != huge || time.Since(began) > time.Second {
		t.Errorf("30 MiB took %v", time.Since(began))
	}
}

func FuzzSentence(f *testing.F) {
	formats := slices.Sorted(func(yield func(string) bool) {
		for format := range words.Catalog() {
			if !yield(format) {
				return
			}
		}
	})
	for i, format := range formats {
		f.Add(i, format)
		f.Add(i, "value: "+strconv.Itoa(i))
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		format := formats[uint(i)%uint(len(formats))]
		german := words.Catalog()[format]
		english, want := filled(format, german, text)
		if got := words.Sentence("de", english); got != english && got != want {
			t.Errorf("%q\n got %q\nwant %q", english, got, want)
		}
		for _, s := range []string{text, fmt.Sprintf("%q: %s", text, text)} {
			if words.Sentence("en", s) != s {
				t.Errorf("English %q is changed", s)
			}
			if got := words.Sentence("de", s); words.Sentence("de-AT", s) != got || len(got) > 3*len(s)+500 {
				t.Errorf("%q has become %q", s, got)
			}
		}
	})
}
