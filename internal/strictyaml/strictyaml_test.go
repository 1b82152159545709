package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/strictyaml"
)

// A page has a field of every kind that can be read.
type page struct {
	Text   string            `json:"text,omitempty"`
	Flag   bool              `json:"flag"`
	Maybe  *bool             `json:"maybe"`
	Number int               `json:"number"`
	Large  int64             `json:"large"`
	Secret rohrpost.Secret   `json:"secret"`
	Person person            `json:"person"`
	Other  *person           `json:"other"`
	Texts  []string          `json:"texts"`
	People []person          `json:"people"`
	ByID   map[string]*item  `json:"by_id"`
	Deep   map[string]*shelf `json:"deep"`
	Hidden string            `json:"-"`
	Bare   string
	embedded
}

type embedded struct {
	Inner string `json:"inner"`
}

type shelf struct {
	Items map[string]*item `json:"items"`
}

type item struct {
	Number int `json:"number"`
}

// A person may be written as "First Last".
type person struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

func (p *person) UnmarshalScalar(text string) error {
	first, last, ok := strings.Cut(text, " ")
	if !ok {
		return errors.New("must be two names")
	}
	p.First, p.Last = first, last
	return nil
}

func decode(text string) (page, *strictyaml.Document) {
	var p page
	d := strictyaml.New("f.yaml")
	d.Decode([]byte(text), &p)
	return p, d
}

func TestDecode(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tt := range []struct {
		name, text string
		want       page
	}{
		{"text", "text: hello", page{Text: "hello"}},
		{"text in quotes", `text: "a\nb"`, page{Text: "a\nb"}},
		{"text over lines", "text: |\n  a\n  b\n", page{Text: "a\nb\n"}},
		{"text like a number", "text: 0123", page{Text: "0123"}},
		{"text like a flag", "text: yes", page{Text: "yes"}},
		{"text like a time", "text: 2020-01-01", page{Text: "2020-01-01"}},
		{"empty text", "{text: '', number: 1}", page{Number: 1}},
		{"as if it were not there", "{text: , number: 1, person: ~, texts: null, by_id: , maybe: }", page{Number: 1}},
		{"flag", "flag: true", page{Flag: true}},
		{"pointer", "maybe: true", page{Maybe: &yes}},
		{"numbers", "{number: -7, large: 0x7fffffffffffffff}", page{Number: -7, Large: 1<<63 - 1}},
		{"secret", "secret: hunter2", page{Secret: rohrpost.NewSecret("hunter2")}},
		{"secret like a number", "secret: 007", page{Secret: rohrpost.NewSecret("007")}},
		{"struct", "person: {first: Max, last: Muster}", page{Person: person{"Max", "Muster"}}},
		{"struct as text", "person: Max Muster", page{Person: person{"Max", "Muster"}}},
		{"pointer to a struct", "other: {first: Max}", page{Other: &person{First: "Max"}}},
		{"pointer to a struct as text", "other: Max Muster", page{Other: &person{"Max", "Muster"}}},
		{"list", "texts: [a, '']", page{Texts: []string{"a", ""}}},
		{"empty list", "texts: []", page{Texts: []string{}}},
		{"list of structs", "people: [Max Muster, {first: Eva}]", page{People: []person{{"Max", "Muster"}, {First: "Eva"}}}},
		{"map", "by_id: {a: {number: 1}, b: }", page{ByID: map[string]*item{"a": {Number: 1}, "b": {}}}},
		{"map in a map", "deep: {a: {items: {b: {number: 1}}}}", page{Deep: map[string]*shelf{"a": {Items: map[string]*item{"b": {Number: 1}}}}}},
		{"embedded", "inner: x", page{embedded: embedded{Inner: "x"}}},
		{"JSON", `{"text": "hello", "people": [{"first": "Max"}]}`, page{Text: "hello", People: []person{{First: "Max"}}}},
		{"end of document", "text: x\n...\n", page{Text: "x"}},
		{"nothing but a mapping", "{}", page{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, d := decode(tt.text)
			if err := d.Err(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(page{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestProblems is every mistake, where it stands and what is said of it.
func TestProblems(t *testing.T) {
	t.Parallel()
	const (
		known   = "unknown key; known here are "
		top     = known + "by_id, deep, flag, inner, large, maybe, number, other, people, person, secret, text, texts"
		anchors = "anchors and aliases (& and *) are not supported: write the value out, in quotes if it begins so"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", " is empty"},
		{"nothing but a comment", "# canary\n", " is empty"},
		{"null", "~", " is empty"},
		{"no mapping", "canary", "1: must be a mapping of keys to values"},
		{"a list", "[canary]", "1: must be a mapping of keys to values"},
		{"a second document", "text: x\n---\ntext: canary", "2: holds a second document after ---"},
		{"a second document that is none", "text: x\n---\n'canary", "3: is no YAML: found unexpected end of stream"},
		{"no YAML", "text: x\n\tnumber: canary", "2: is no YAML: found a tab character that violates indentation"},
		{"open quote", "text: 'canary", " is no YAML: found unexpected end of stream"},
		{"unknown anchor", "text: x\nsecret: *canary", "2: a value that begins with * must stand in quotes"},
		{"unknown key", "canary: x", "1: canary: " + top},
		{"hidden field", "Hidden: x", "1: Hidden: " + top},
		{"field without a name", "Bare: x", "1: Bare: " + top},
		{"unknown key below", "person:\n  first: x\n  middle: x", "3: person.middle: " + known + "first, last"},
		{"unknown key in a list", "people: [{middle: x}]", "1: people[0].middle: " + known + "first, last"},
		{"unknown key in a map", "by_id: {a: {size: 1}}", "1: by_id.a.size: " + known + "number"},
		{"key that cannot be read", `"a\nb": x`, `1: "a\nb": ` + top},
		{"key without letters", `"": x`, `1: "": ` + top},
		{"key without end", strings.Repeat("k", 70) + ": x", `1: "` + strings.Repeat("k", 65) + ": " + top},
		{"key is a list", "? [a]\n: x", "1: has a key that is no plain text"},
		{"key is an anchor", "&a text: x", "1: has a key that is no plain text"},
		{"key twice", "text: x\ntext: canary", "2: text: stands here twice"},
		{"id twice", "by_id: {a: {}, a: {}}", "1: by_id.a: stands here twice"},
		{"merge", "<<: {text: x}", "1: <<: " + top},
		{"anchor", "text: &canary x", "1: text: " + anchors},
		{"alias", "text: &a x\nsecret: *a", "1: text: " + anchors + "\nf.yaml:2: secret: " + anchors},
		{"anchor of a list", "texts: &a [x]", "1: texts: " + anchors},
		{"anchor of a mapping", "person: &a {first: x}", "1: person: " + anchors},
		{"anchor of a number", "number: &a 1", "1: number: " + anchors},
		{"anchor of nothing", "number: &a", "1: number: " + anchors},
		{"anchor at the top", "&a {text: x}", "1: " + anchors},
		{"text is a list", "text: [canary]", "1: text: must be a text"},
		{"text is a mapping", "text: {canary: x}", "1: text: must be a text"},
		{"text is a tag", "text: !canary x", "1: text: must be a text"},
		{"text is binary", "text: !!binary Y2FuYXJ5", "1: text: must be a text"},
		{"nothing in a list of texts", "texts: [x, ~]", "1: texts[1]: must be a text"},
		{"secret is a list", "secret: [canary]", "1: secret: must be a text"},
		{"a printed secret", "secret: '[redacted]'", "1: secret: " + rohrpost.ErrRedacted.Error()},
		{"flag", "flag: canary", "1: flag: must be true or false"},
		{"flag as in YAML 1.1", "flag: yes", "1: flag: must be true or false"},
		{"flag in quotes", "flag: 'true'", "1: flag: must be true or false"},
		{"flag is a list", "flag: [true]", "1: flag: must be true or false"},
		{"pointer to a flag", "maybe: canary", "1: maybe: must be true or false"},
		{"number", "number: canary", "1: number: must be a whole number"},
		{"number with a fraction", "number: 1.5", "1: number: must be a whole number"},
		{"number in quotes", "number: '1'", "1: number: must be a whole number"},
		{"number too large", "large: 9223372036854775808", "1: large: must be a whole number"},
		{"list is a text", "texts: canary", "1: texts: must be a list"},
		{"list is a mapping", "texts: {canary: x}", "1: texts: must be a list"},
		{"struct is a list", "person: [canary]", "1: person: must be a mapping of keys to values"},
		{"struct is another text", "person: canary", "1: person: must be two names"},
		{"struct in a list is another text", "people:\n- Max Muster\n- canary", "3: people[1]: must be two names"},
		{"map is a text", "by_id: canary", "1: by_id: must be a mapping of keys to values"},
		{"struct in a map is a text", "by_id: {a: canary}", "1: by_id.a: must be a mapping of keys to values"},
		{"several, by line", "number: x\nby_id:\n  a: {b: 1}\nflag: x", "1: number: must be a whole number\nf.yaml:3: by_id.a.b: " + known + "number\nf.yaml:4: flag: must be true or false"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, d := decode(tt.text)
			err := d.Err()
			if err == nil || err.Error() != "f.yaml:"+tt.want {
				t.Fatalf("got  %v\nwant f.yaml:%s", err, tt.want)
			}
			if e, ok := errors.AsType[*strictyaml.Error](err); !ok || e.File != "f.yaml" || d.File() != "f.yaml" {
				t.Errorf("error is a %T", err)
			}
			if tt.name != "unknown key" && strings.Contains(err.Error(), "canary") {
				t.Errorf("a value is in the error: %v", err)
			}
		})
	}
}

// TestPlaces: what a reader asks afterwards.
func TestPlaces(t *testing.T) {
	t.Parallel()
	_, d := decode("text: x\nperson:\n  first: x\n  last:\npeople:\n- {first: x}\n- {first: x}\nby_id:\n  a:\n    number: x\n")
	for key, line := range map[string]int{
		"text": 1, "person.first": 3, "person.last": 3, "person.middle": 3, "people[0]": 6, "people[1].last": 7, "people[2]": 6,
		"by_id.a.number": 10, "by_id.a.size": 10, "unknown": 0, "unknown.below": 0, "": 0,
	} {
		if got := d.Line(key); got != line {
			t.Errorf("%q stands in line %d, want %d", key, got, line)
		}
	}
	for key, has := range map[string]bool{"text": true, "person": true, "person.last": false, "flag": false} {
		if d.Has(key) != has {
			t.Errorf("has %q: %t", key, !has)
		}
	}
	for key, failed := range map[string]bool{
		"": true, "by_id": true, "by_id.a": true, "by_id.a.number": true, "by_id.a.num": false, "by": false, "text": false, "people": false,
	} {
		if d.Failed(key) != failed {
			t.Errorf("failed %q: %t", key, !failed)
		}
	}
	d.Fail("people[1].first", "is %d", 7)
	d.Fail("unknown", "is missing")
	d.Fail("text", "is late")
	want := "f.yaml:1: text: is late\nf.yaml:7: people[1].first: is 7\nf.yaml:10: by_id.a.number: must be a whole number\nf.yaml: unknown: is missing"
	if got := d.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d.Failed("unknown.below") || !d.Failed("people") {
		t.Error("what was noted is forgotten")
	}
	if _, d := decode("text: x"); d.Err() != nil || d.Failed("") {
		t.Errorf("nothing is wrong: %v", d.Err())
	}
}

func TestPath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, name, want string }{
		{"", "a", "a"},
		{"a", "b", "a.b"},
		{"a", "", `a.""`},
		{"a", "Büro 1", "a.Büro 1"},
		{"a", `x"y`, `a."x\"y"`},
		{"a", "x\r\ny", `a."x\r\ny"`},
		{"", strings.Repeat("k", 64), strings.Repeat("k", 64)},
		{"", strings.Repeat("k", 65), `"` + strings.Repeat("k", 65)},
	} {
		if got := strictyaml.Path(tt.key, tt.name); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestUnreadable: a struct that cannot be read is a mistake of the program.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r != "strictyaml: ratio: a float64 cannot be read" {
			t.Errorf("panic is %v", r)
		}
	}()
	strictyaml.New("f.yaml").Decode([]byte("ratio: 1"), &struct {
		Ratio float64 `json:"ratio"`
	}{})
}
