package branding

import (
	"regexp"
	"strings"
)

var bodySelector = regexp.MustCompile(`(?i)(^|[\s,>+~}*(/])body\b`)

// renameBody makes the rules for body in a style sheet hold for the cell. It
// tells whether there are any, and whether they set colors.
func renameBody(css string) (renamed string, ruled, colored bool) {
	if !strings.Contains(strings.ToLower(css), "body") {
		return css, false, false
	}
	var b strings.Builder
	start := 0 // of a selector, or of a declaration
	body := false
	for i := 0; i < len(css); i++ {
		switch css[i] {
		case '/':
			i += commentLength(css[i:])
		case '"', '\'':
			i += stringLength(css[i:])
		case '{':
			selector := css[start:i]
			if body = !strings.HasPrefix(strings.TrimSpace(selector), "@") && bodySelector.MatchString(selector); body {
				selector = bodySelector.ReplaceAllString(selector, "${1}."+bodyClass)
				ruled = true
			}
			b.WriteString(selector)
			b.WriteByte('{')
			start = i + 1
		case ';', '}':
			declaration := css[start : i+1]
			colored = colored || body && setsColor(declaration)
			body = body && css[i] == ';'
			b.WriteString(declaration)
			start = i + 1
		}
	}
	if start < len(css) {
		b.WriteString(css[start:])
	}
	return b.String(), ruled, colored
}

func setsColor(declaration string) bool {
	declaration = strings.ToLower(declaration)
	return strings.Contains(declaration, "color") || strings.Contains(declaration, "background")
}

// commentLength is the number of bytes of the comment after the first, or 0.
func commentLength(css string) int {
	if !strings.HasPrefix(css, "/*") {
		return 0
	}
	if end := strings.Index(css[2:], "*/"); end >= 0 {
		return end + len("/**/") - 1
	}
	return len(css) - 1
}

// stringLength is the number of bytes of the string after its first quote.
func stringLength(css string) int {
	for i := 1; i < len(css); i++ {
		switch css[i] {
		case '\\':
			i++
		case css[0], '\n':
			return i
		}
	}
	return len(css) - 1
}
