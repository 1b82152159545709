package plaintext

import (
	"net/url"
	"strings"
	"unicode"
)

// A link is the one that is open: HTML does not nest them.
type link struct {
	target  string // empty: none is open, or it leads nowhere that is shown
	picture bool   // it has one
}

// targetOf is what is written of an address: that of a page, or of a mail or telephone without
// its scheme. Empty: nothing, as of an anchor or a script.
func targetOf(href string) string {
	href = strings.TrimSpace(href)
	scheme, rest, found := strings.Cut(href, ":")
	if !found || len(scheme) > len("mailto") {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if !strings.HasPrefix(rest, "//") {
			return ""
		}
		return clean(href)
	case "mailto", "tel":
		rest, _, _ = strings.Cut(strings.TrimPrefix(rest, "//"), "?")
		if plain, err := url.PathUnescape(rest); err == nil {
			rest = plain
		}
		return clean(rest)
	}
	return ""
}

// clean keeps an address in one word, without what ends "<…>" or is not seen.
func clean(address string) string {
	var b strings.Builder
	b.Grow(len(address))
	for _, c := range strings.TrimSpace(address) {
		switch {
		case c == '\t', c == '\n', c == '\r': // a browser drops them
		case c == '<':
			b.WriteString("%3C")
		case c == '>':
			b.WriteString("%3E")
		case unicode.IsSpace(c):
			b.WriteString("%20")
		case unicode.IsControl(c), unicode.Is(unicode.Cf, c):
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// says reports whether the text of a link is its address already.
func says(text []byte, target string) bool {
	const most = 16 // octets that one of them may have more: a scheme, a slash
	if len(text) > len(target)+most || len(target) > len(text)+most {
		return false
	}
	shown := string(text)
	return bare(shown) == bare(target) || digits(shown) && digits(target) && onlyDigits(shown) == onlyDigits(target)
}

// bare is an address without scheme and slash at its end.
func bare(address string) string {
	address = strings.ToLower(strings.TrimSpace(address))
	for _, scheme := range [...]string{"https://", "http://", "mailto:", "tel:"} {
		address = strings.TrimPrefix(address, scheme)
	}
	return strings.TrimSuffix(strings.TrimPrefix(address, "www."), "/")
}

// digits reports whether it is a telephone number.
func digits(s string) bool {
	return strings.ContainsAny(s, "0123456789") && strings.Trim(s, "0123456789+-/(). ") == ""
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}
