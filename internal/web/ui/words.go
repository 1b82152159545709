package ui

import (
	"fmt"
	"html/template"
	"time"

	"github.com/rohrpost/rohrpost/internal/failure"
	"github.com/rohrpost/rohrpost/internal/words"
)

// functions are those of templates in a language and a time zone.
func (s *Set) functions(lang string, zone *time.Location) template.FuncMap {
	return template.FuncMap{
		"t":          func(key string, args ...any) (string, error) { return s.Text(lang, key, args...) },
		"lang":       func() string { return lang },
		"url":        s.ui.URL,
		"tenantpath": func(tenant, rest string) string { return s.ui.URL(TenantPath(tenant, rest)) },
		"tenant":     TenantParameter,
		"hint":       func(rule int) string { return failure.Hint(rule, lang) },
		"time":       func(t time.Time) string { return Time(lang, zone, t) },
		"moment":     func(t time.Time) string { return Moment(lang, zone, t, s.ui.options.Now()) },
		"iso":        func(t time.Time) string { return t.Format(time.RFC3339) },
		"span":       func(d time.Duration) string { return Span(lang, d) },
		"ago":        func(t time.Time) string { return Span(lang, s.ui.options.Now().Sub(t)) },
		"number":     func(n any) string { return numberOf(lang, n) },
		"bytes":      func(n int64) string { return Bytes(lang, n) },
		"word":       func(kind, value string) (string, error) { return word(lang, kind, value) },
		"sentence":   func(english string) string { return words.Sentence(lang, english) },
		"field":      func(key string) string { return words.Field(lang, key) },
		"fieldhint":  func(key, provider string) string { return words.FieldHint(lang, key, provider) },
		"account":    func(id string) string { return words.AccountName(lang, id) },
	}
}

// word is the label of a value; that there is no such kind is a fault of the template.
func word(lang, kind, value string) (string, error) {
	if !words.Known(words.Kind(kind)) {
		return "", fmt.Errorf("%w: %s", errNoText, kind)
	}
	return words.Of(lang, words.Kind(kind), value), nil
}

func numberOf(lang string, n any) string {
	switch n := n.(type) {
	case int:
		return Number(lang, int64(n))
	case int64:
		return Number(lang, n)
	}
	panic("web: not a number") // the guard answers 500 and logs it
}
