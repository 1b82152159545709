package words

import "strings"

// The languages.
const (
	German  = "de"
	English = "en"
)

// Language is German for a tag such as de, de-AT or de_DE.UTF-8, and English for any
// other. Everything here that takes a language takes such a tag.
func Language(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	if strings.EqualFold(primary, German) {
		return German
	}
	return English
}

// A pair is a text in both languages.
type pair struct{ en, de string }

func (p pair) in(lang string) string {
	if Language(lang) == German {
		return p.de
	}
	return p.en
}
