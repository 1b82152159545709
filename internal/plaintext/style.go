package plaintext

import "strings"

// A style is what of an element's style attribute matters for its text.
type style struct {
	hidden bool
	size   fontSize
	pre    bool
	block  bool
}

type fontSize int

const (
	inherited fontSize = iota
	zero
	some
)

// maxStyle is how many bytes of a style attribute are read.
const maxStyle = 8 << 10

// parseStyle reads declarations. An element that is hidden for phones or for screens
// alone has its rule in a sheet, which is not looked at.
func parseStyle(text string) style {
	var s style
	if text == "" {
		return s
	}
	for declaration := range strings.SplitSeq(strings.ToLower(text), ";") {
		name, value, found := strings.Cut(declaration, ":")
		if !found {
			continue
		}
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		switch strings.TrimSpace(name) {
		case "display":
			s.hidden = s.hidden || value == "none"
			s.block = value == "block" || value == "table" || value == "flex" || value == "list-item"
		case "visibility":
			s.hidden = s.hidden || value == "hidden" || value == "collapse"
		case "max-height", "opacity":
			s.hidden = s.hidden || isZero(value)
		case "font-size":
			s.size = sizeOf(value)
		case "font": // "bold 700 0/0 a": the last number is the size
			for word := range strings.FieldsSeq(value) {
				if word[0] == '.' || '0' <= word[0] && word[0] <= '9' {
					before, _, _ := strings.Cut(word, "/")
					s.size = sizeOf(before)
				}
			}
		case "white-space":
			s.pre = value == "pre" || value == "pre-wrap"
		}
	}
	return s
}

// sizeOf takes what grows with the size around it for inherited: twice nothing is nothing.
func sizeOf(value string) fontSize {
	switch {
	case value == "", value == "inherit", value == "unset", value == "larger", value == "smaller":
		return inherited
	case isZero(value):
		return zero
	case strings.HasSuffix(value, "%"), strings.HasSuffix(value, "em") && !strings.HasSuffix(value, "rem"):
		return inherited
	}
	return some
}

// isZero reports whether a length is 0 in whatever unit.
func isZero(value string) bool {
	number := strings.TrimRight(value, "%abcdefghijklmnopqrstuvwxyz")
	return number != "" && strings.Trim(number, "0.+-") == "" && strings.Contains(number, "0")
}
