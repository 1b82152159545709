package words

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The forms in which a value may stand in a German text, beside the kinds of [Of].
const (
	formSentence = "sentence" // it is a sentence that is known, and translated
	formText     = "text"     // it may be one
	formList     = "list"     // it is a list of them, joined with "; "
	formDecimal  = "decimal"  // it is a number with a decimal point
)

// A pattern is an English sentence with values, as the format that wrote it, and the
// German one.
type pattern struct {
	parts  []part
	values int // how many of the parts are verbs
	german []piece
}

// A part of a format is a literal or a verb.
type part struct {
	literal string
	verb    byte // 0: a literal
}

// A piece of a German text: a literal, and a value behind it in a form.
type piece struct {
	literal string
	value   int // from 1; 0: none
	form    string
}

var (
	verbPattern  = regexp.MustCompile(`%[+.0-9]*([%a-zA-Z])`)
	valuePattern = regexp.MustCompile(`\{(\d)(?::([a-z]+))?\}`)
)

// compile reads a format of package fmt, and the German text with {1} for its first
// value or {1:form}. Two values in a row, or a text of any kind before a quoted one, could
// not be told apart, and are an error.
func compile(format, german string) (*pattern, error) {
	p := &pattern{}
	literal, from, wild := "", 0, false
	for _, at := range verbPattern.FindAllStringSubmatchIndex(format, -1) {
		literal += format[from:at[0]]
		from = at[1]
		verb := format[at[2]]
		if verb == '%' {
			literal += "%"
			continue
		}
		if literal == "" && p.values > 0 || verb == 'q' && wild {
			return nil, fmt.Errorf("words: %q: nobody can tell where value %d begins", format, p.values+1)
		}
		p.say(literal)
		p.parts = append(p.parts, part{verb: verb})
		literal, wild = "", wild || isWild(verb)
		p.values++
	}
	p.say(literal + format[from:])
	var err error
	if p.german, err = readGerman(german, p.values); err != nil {
		return nil, fmt.Errorf("words: %q: %w", format, err)
	}
	return p, nil
}

// say appends a literal.
func (p *pattern) say(literal string) {
	if literal != "" {
		p.parts = append(p.parts, part{literal: literal})
	}
}

// readGerman wants every one of n values in the text, so that none is lost.
func readGerman(german string, n int) ([]piece, error) {
	var pieces []piece
	from, used := 0, map[int]bool{}
	for _, at := range valuePattern.FindAllStringSubmatchIndex(german, -1) {
		p := piece{literal: german[from:at[0]]}
		p.value, _ = strconv.Atoi(german[at[2]:at[3]])
		if at[4] >= 0 {
			p.form = german[at[4]:at[5]]
		}
		if p.value < 1 || p.value > n {
			return nil, fmt.Errorf("there is no value %d", p.value)
		}
		if !slices.Contains([]string{"", formSentence, formText, formList, formDecimal}, p.form) && !Known(Kind(p.form)) {
			return nil, fmt.Errorf("there is no form %s", p.form)
		}
		from, used[p.value] = at[1], true
		pieces = append(pieces, p)
	}
	if len(used) < n {
		return nil, fmt.Errorf("it has %d values, and %d of them in German", n, len(used))
	}
	return append(pieces, piece{literal: german[from:]}), nil
}

// isWild reports a verb that writes any text.
func isWild(verb byte) bool { return verb == 's' || verb == 'v' || verb == 'w' }

// match finds the values of a sentence that the format has written. It is not ok if the
// sentence is another one, or if the values can be told apart in more than one way.
func (p *pattern) match(s string) (values []string, ok bool) {
	if values, ok = p.forward(s); !ok {
		return nil, false
	}
	return values, p.sameBackward(s, values)
}

// forward takes each value as short as it can be.
func (p *pattern) forward(s string) (values []string, ok bool) {
	for i, part := range p.parts {
		var end int
		switch {
		case part.verb == 0:
			if s, ok = strings.CutPrefix(s, part.literal); !ok {
				return nil, false
			}
			continue
		case !isWild(part.verb):
			end = width(part.verb, s)
		case i == len(p.parts)-1:
			end = len(s)
		case i == len(p.parts)-2:
			end = len(s) - len(p.parts[i+1].literal)
		default:
			end = strings.Index(s, p.parts[i+1].literal)
		}
		if end < 0 || end == 0 && !isWild(part.verb) {
			return nil, false
		}
		values, s = append(values, s[:end]), s[end:]
	}
	return values, s == ""
}

// sameBackward reports whether the values are the same if each is taken as short as it can
// be from the end. The first text of any kind begins where what is before it ends, so that
// nothing is left to compare. s is what forward has taken apart.
func (p *pattern) sameBackward(s string, values []string) bool {
	first := slices.IndexFunc(p.parts, func(p part) bool { return isWild(p.verb) })
	n := len(values)
	for i := len(p.parts) - 1; i > first && first >= 0; i-- {
		part := p.parts[i]
		if part.verb == 0 {
			s = strings.TrimSuffix(s, part.literal)
			continue
		}
		n--
		begin := len(s) - len(values[n])
		if before := p.parts[i-1].literal; isWild(part.verb) {
			begin = len(before) + strings.LastIndex(s, before)
		}
		if begin < 0 || s[begin:] != values[n] {
			return false
		}
		s = s[:begin]
	}
	return true
}

// width is how many bytes at the beginning of s a verb has written that writes no text of
// any kind; 0: none.
func width(verb byte, s string) int {
	switch verb {
	case 'q':
		quoted, err := strconv.QuotedPrefix(s)
		if err != nil {
			return 0
		}
		return len(quoted)
	case 'd':
		return span(s, "-0123456789")
	case 'f':
		return span(s, "-.0123456789")
	case 'U':
		return span(s, "U+0123456789ABCDEF")
	}
	return 0
}

// span is how many bytes at the beginning of s are among these.
func span(s, among string) int {
	for i := range len(s) {
		if strings.IndexByte(among, s[i]) < 0 {
			return i
		}
	}
	return len(s)
}
