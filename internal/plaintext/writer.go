package plaintext

import (
	"strings"
	"unicode"

	"golang.org/x/net/html/atom"
)

// A writer puts words on lines. What separates them is written with the next word, so
// that no line ends with a blank and no two empty lines follow each other.
type writer struct {
	b      strings.Builder
	gap    gap
	indent int    // levels of lists around
	quotes int    // quotations around
	quoted int    // those around the last word
	mark   string // of the list item that was begun; it is written with its first word
	before gap    // what stands before the mark
}

// A gap is what stands before the next word.
type gap int

const (
	none gap = iota
	blank
	wide // between the cells of a row
	newLine
	emptyLine
)

func (w *writer) need(g gap) { w.gap = max(w.gap, g) }

func (w *writer) newline()   { w.need(newLine) }
func (w *writer) paragraph() { w.need(emptyLine) }

// begin takes the begin or the end of an element that makes a block.
func (w *writer) begin(tag atom.Atom) {
	switch tag {
	case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Dl, atom.Figure, atom.Fieldset:
		w.paragraph()
	case atom.Div, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Main, atom.Nav, atom.Aside, atom.Center, atom.Address,
		atom.Form, atom.Dt, atom.Dd, atom.Figcaption, atom.Caption, atom.Thead, atom.Tbody, atom.Tfoot, atom.Body, atom.Legend, atom.Option:
		w.newline()
	}
}

// quote begins a quotation, or ends one.
func (w *writer) quote(n int) {
	const deepest = 10
	w.quotes = max(0, min(w.quotes+n, deepest))
}

// item begins one of a list.
func (w *writer) item(mark string) {
	w.newline()
	w.mark, w.before = mark, w.gap
}

// words writes text whose white space means one blank.
func (w *writer) words(s string) {
	s = visible(s)
	if s == "" {
		return
	}
	if isSpace(rune(s[0])) {
		w.need(blank)
	}
	for word := range strings.FieldsFuncSeq(s, isSpace) {
		w.put(word)
		w.gap = blank
	}
	if last := s[len(s)-1]; !isSpace(rune(last)) {
		w.gap = none
	}
}

// verbatim writes text whose white space stays.
func (w *writer) verbatim(s string) {
	for i, line := range strings.Split(strings.ReplaceAll(visible(s), "\r\n", "\n"), "\n") {
		line = strings.TrimRight(line, " \t")
		switch {
		case line == "" && i > 0:
			w.paragraph()
			continue
		case i > 0:
			w.newline()
		}
		if line != "" {
			w.put(line)
		}
	}
}

// put writes a word behind what must stand before it.
func (w *writer) put(word string) {
	g := w.gap
	if w.mark != "" {
		g = w.before
	}
	w.gap = none
	switch {
	case w.b.Len() == 0:
		w.line()
	case g == blank:
		w.b.WriteByte(' ')
	case g == wide:
		w.b.WriteString("  ")
	case g == emptyLine:
		w.b.WriteByte('\n')
		w.b.WriteString(strings.Repeat(">", min(w.quotes, w.quoted)))
		fallthrough
	case g == newLine:
		w.b.WriteByte('\n')
		w.line()
	}
	w.b.WriteString(w.mark)
	w.b.WriteString(word)
	w.mark, w.quoted = "", w.quotes
}

// line begins one.
func (w *writer) line() {
	if w.quotes > 0 {
		w.b.WriteString(strings.Repeat(">", w.quotes) + " ")
	}
	w.b.WriteString(strings.Repeat("  ", w.indent))
}

func (w *writer) position() int { return w.b.Len() }

// since is what was written since a position.
func (w *writer) since(at int) string { return w.b.String()[min(at, w.b.Len()):] }

func (w *writer) finish() string { return strings.TrimRight(w.b.String(), " \n") }

// visible is text without what is not shown or is no text: soft hyphens, characters
// without width, control characters.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0xad, r >= 0x200b && r <= 0x200f, r == 0x2060, r == 0xfeff, r == 0x34f:
			return -1
		case r == 0xa0:
			return ' '
		case unicode.IsControl(r) && !strings.ContainsRune("\n\t\r", r):
			return -1
		case r == 0x2028 || r == 0x2029 || r == 0x85:
			return '\n'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func isSpace(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' }
