package failure

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const maxText = 8 << 10 // bytes of a reply that are read; real ones have a few lines

// A text is what a server or an error says, with what the rules look for in it.
type text struct {
	s      string // lower case, lines joined, white space collapsed
	hits   []hit
	found  set      // the literals of hits
	groups []uint64 // by group of words: the sentences with one of them
}

// read looks through a text once for all rules.
func (t *ruleTable) read(s string) *text {
	out := &text{s: s, hits: t.scanner.scan(s)}
	for _, h := range out.hits {
		out.found.add(h.literal)
	}
	t.words.sort(out)
	return out
}

// normalize joins lines as one text: servers break a sentence anywhere, and
// some repeat the enhanced code on every line.
func normalize(lines []string) string {
	b := make([]byte, 0, 256)
	for _, line := range lines {
		if len(b) > maxText {
			break
		}
		line = head(line)
		b = appendFolded(b, line[leadingEnhanced(line):])
		b = appendFolded(b, " ")
	}
	return strings.TrimSuffix(string(b), " ")
}

// appendFolded adds a line in lower case, with one space for any white space.
func appendFolded(b []byte, line string) []byte {
	if !isASCII(line) {
		line = strings.ToLower(strings.ReplaceAll(legible(line), "’", "'"))
	}
	b = slices.Grow(b, len(line))
	for i := range len(line) {
		c := line[i]
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			if len(b) == 0 || b[len(b)-1] == ' ' {
				continue
			}
			c = ' '
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// leadingEnhanced is the length of an enhanced code at the start of a line.
func leadingEnhanced(line string) int {
	rest := strings.TrimLeft(line, " \t")
	if _, n := parseCode(rest); n > 0 && n < len(rest) && (rest[n] == ' ' || rest[n] == '\t') {
		return len(line) - len(rest) + n
	}
	return 0
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Legible is a reply's text in UTF-8, line by line: what is none is read as Windows-1252.
func Legible(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = legible(lines[i])
	}
	return strings.Join(lines, "\n")
}

// legible is a line in UTF-8: what is none is read as Windows-1252, in which servers
// that know no other speak German. A character cut in two at the end is dropped.
func legible(line string) string {
	if utf8.ValidString(line) {
		return line
	}
	for n := 1; n < utf8.UTFMax && n < len(line); n++ {
		if whole := line[:len(line)-n]; utf8.RuneStart(line[len(whole)]) {
			if line[len(whole)] >= 0xC0 && whole != "" && !isASCII(whole) && utf8.ValidString(whole) {
				return whole
			}
			break
		}
	}
	out, err := charmap.Windows1252.NewDecoder().String(line)
	if err != nil {
		return strings.ToValidUTF8(line, "\uFFFD")
	}
	return out
}

func head(s string) string { return s[:min(len(s), maxText)] }
