package accountpages

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/rohrpost/rohrpost"
	"github.com/rohrpost/rohrpost/internal/words"
)

// A field is one of a form, as its template shows it. Its key is that of
// rohrpost.FieldError.
type field struct {
	Key, Label, Tip string
	Kind            string // of the input: text, email, password, number, checkbox, select, textarea, color, file
	Value           string
	Checked         bool
	Options         []option
	Placeholder     string
	Complete        string // autocomplete
	Wrong           string // what is wrong with the value
	Disabled        bool
}

// An option is one of a select.
type option struct{ Value, Text string }

// ID is that of the input.
func (f field) ID() string {
	return "f-" + strings.NewReplacer(".", "-", "[", "-", "]", "").Replace(f.Key)
}

// DescribedBy are the ids of what belongs to the input.
func (f field) DescribedBy() string {
	var ids []string
	if f.Tip != "" {
		ids = append(ids, f.ID()+"-tip")
	}
	if f.Wrong != "" {
		ids = append(ids, f.ID()+"-wrong")
	}
	return strings.Join(ids, " ")
}

// A fault is a line of the summary on top of a form.
type fault struct {
	Field string // id of the input; empty: there is none
	Label string
	Text  string
}

// A builder makes the fields of a form.
type builder struct {
	lang     string
	provider string // id of a preset, for its hints
	readOnly bool
	wrong    map[string]string // by key
}

func newBuilder(lang, provider string, readOnly bool, errs []*rohrpost.FieldError) *builder {
	b := &builder{lang: lang, provider: provider, readOnly: readOnly, wrong: map[string]string{}}
	for _, e := range errs {
		key := inputKey(e.Field)
		if b.wrong[key] == "" {
			b.wrong[key] = words.Sentence(lang, e.Problem)
		}
	}
	return b
}

var itemIndex = regexp.MustCompile(`\[.*\]$`)

// inputKey is that of the input in which a field is entered.
func inputKey(key string) string {
	return itemIndex.ReplaceAllString(strings.TrimPrefix(key, "account."), "")
}

func (b *builder) field(kind, key, value string) field {
	return field{
		Key: key, Kind: kind, Value: value, Label: words.Field(b.lang, key), Tip: words.FieldHint(b.lang, key, b.provider),
		Wrong: b.wrong[key], Disabled: b.readOnly, Complete: "off",
	}
}

func (b *builder) text(key, value, placeholder string) field {
	f := b.field("text", key, value)
	f.Placeholder = placeholder
	return f
}

func (b *builder) check(key string, on bool) field {
	f := b.field("checkbox", key, "1")
	f.Checked = on
	return f
}

func (b *builder) choice(key, value string, options ...option) field {
	f := b.field("select", key, value)
	f.Options = options
	return f
}

// faults are the summary of what is wrong, in the order in which it was found.
func (b *builder) faults(errs []*rohrpost.FieldError, shown []field) []fault {
	ids := map[string]string{}
	for _, f := range shown {
		ids[f.Key] = f.ID()
	}
	var out []fault
	for _, e := range errs {
		out = append(out, fault{ids[inputKey(e.Field)], words.Field(b.lang, e.Field), words.Sentence(b.lang, e.Problem)})
	}
	return out
}

// entered is a value of a form, trimmed.
func entered(form url.Values, key string) string { return strings.TrimSpace(form.Get(key)) }

func escaped(s string) string { return url.PathEscape(s) }
