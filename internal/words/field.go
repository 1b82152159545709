package words

import (
	"regexp"
	"strconv"
	"strings"
)

// An index is where a key names an item of a list, or a pair of the metadata.
var index = regexp.MustCompile(`\[(\d{1,6}|"[^"\]]*")\]`)

// Field is the label of a setting or of a field of a message, by its key as a
// rohrpost.FieldError has it: smtp.port is "Port", aliases[1] "Weitere Absender (2)". The
// key may stand below "account.". Of a key that is not known it is the label of what holds
// it, else the key itself.
func Field(lang, key string) string {
	plain := strings.TrimPrefix(index.ReplaceAllString(key, ""), "account.")
	for {
		if p, ok := fields[plain]; ok {
			return p.in(lang) + item(key)
		}
		at := strings.LastIndexByte(plain, '.')
		if at < 0 {
			return key
		}
		plain = plain[:at]
	}
}

// item is " (2)" for the second item of a list; empty: the key names none.
func item(key string) string {
	at := index.FindStringSubmatch(key)
	if at == nil {
		return ""
	}
	if n, err := strconv.Atoi(at[1]); err == nil {
		return " (" + strconv.Itoa(n+1) + ")"
	}
	return " (" + at[1] + ")"
}

// FieldHint is the line below the field of a setting: what to enter, and what to know
// before. provider is the id of a resolver.Preset, which may have a hint of its own; empty,
// or one that has none: the hint for everybody. It is empty if there is nothing to say.
func FieldHint(lang, key, provider string) string {
	if p, ok := providerHints[provider][key]; ok {
		return p.in(lang)
	}
	return hints[key].in(lang)
}
