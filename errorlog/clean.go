package errorlog

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is the most characters that are kept of any one text.
const maxText = 1000

// kept is a text as it is stored: flat, and of at most maxText characters.
func kept(s string) string { return cut(flat(s)) }

// flat replaces whatever could begin a line or hide text (line breaks, control and
// invisible characters, broken UTF-8) by a space: what a server says must not
// forge entries (CWE-117).
func flat(s string) string {
	if printableASCII(s) {
		return s
	}
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
}

func printableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func cut(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := 0
	end := 0 // where the last character begins, if there are too many
	for i := range s {
		if n++; n == maxText {
			end = i
		}
		if n > maxText {
			return s[:end] + "…"
		}
	}
	return s
}

// addressInText finds mail addresses, also with a quoted local part and also with
// the @ of a URL.
var addressInText = regexp.MustCompile(`(?:"[^"]*"|[^\s<>()\[\],;:"@]+)(?:@|%40)(?:[\p{L}\p{M}\p{N}._-]+|\[[^\]\s]*\])`)

// maskText masks every address in a text.
func maskText(s string) string { return addressInText.ReplaceAllStringFunc(s, maskAddress) }

// maskAddress is the first character of the local part and the domain.
func maskAddress(s string) string {
	at := strings.LastIndex(s, "@")
	if at < 0 {
		at = strings.LastIndex(s, "%40")
	}
	if at < 0 {
		at = len(s)
	}
	local := strings.TrimPrefix(s[:at], `"`)
	_, first := utf8.DecodeRuneInString(local)
	return local[:first] + "***" + s[at:]
}
