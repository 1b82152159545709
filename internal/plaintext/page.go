package plaintext

import (
	"bytes"
	"unicode/utf8"
)

// What stands on a page until it is finished. Text has no control characters, so that
// these are none of it. Between two cells of a row stands one of the first three, then
// the line break that is written if each cell is a block of its own, then cellEnd.
const (
	cellOpen   = '\x1c' // nobody knows yet
	cellInline = '\x1d' // the row is one line
	cellBlock  = '\x1e'
	cellEnd    = '\x1f'
)

const (
	maxPrefix = 16 // octets in front of a line: deeper quotes and lists look alike
	maxCell   = 80 // octets of a cell in a row that is one line, without addresses of links
	unmarked  = -1
)

// A page is the text as it grows.
type page struct {
	out    []byte
	prefix []byte // of a line: quotes and indentation
	marker string // of the item whose first line is to come

	last      []byte // the prefix of the line that is written
	breaks    int    // line ends to come before the next text: 1, or 2 for an empty line
	space     []byte // white space to come, unless the line ends
	joiner    string // to come, if a character follows that it can join
	mark      int    // where the text of the open link begins, or unmarked
	addresses int    // octets of addresses of links
	lines     int    // line ends that were written

	rows      []row
	started   int     // of rows
	cells     []begin // of the cells of these rows but the first
	separated bool    // the next text begins a cell in a row that has one
}

// A begin is where something begins in out, and how many octets of it were addresses.
type begin struct{ place, addresses int }

// A row of a table.
type row struct {
	begin begin
	lines int // that were written before it
	cells int // of the page's, those of rows around it
}

// block ends a line, and has an empty one follow if lines is 2.
func (p *page) block(lines int) { p.breaks = max(p.breaks, lines); p.space, p.joiner = p.space[:0], "" }

// br ends a line; the second one leaves an empty line.
func (p *page) br() { p.block(min(2, p.breaks+1)) }

// indent lengthens the prefix of the lines to come.
func (p *page) indent(by string) {
	if len(p.prefix)+len(by) <= maxPrefix {
		p.prefix = append(p.prefix, by...)
	}
}

// item has the next line begin with a marker, and those after it be indented as much.
func (p *page) item(marker string) {
	p.marker = ""
	const most = 12
	if len(marker) <= most && len(p.prefix)+len(marker) <= maxPrefix {
		p.indent("            "[:len(marker)])
	}
	p.marker = marker
}

// visible writes what comes before a character that is shown.
func (p *page) visible() {
	switch {
	case p.separated && len(p.out) > 0:
		p.cells = append(p.cells, begin{len(p.out), p.addresses})
		p.out = append(p.out, cellOpen)
		p.newLine()
		p.lines--
		p.out = append(p.out, cellEnd)
	case len(p.out) == 0, p.breaks > 0:
		p.newLine()
		p.out = append(p.out, p.space...) // of pre
	default:
		p.out = append(p.out, p.space...)
	}
	p.separated, p.breaks, p.space = false, 0, p.space[:0]
	for ; p.started < len(p.rows); p.started++ {
		p.rows[p.started] = row{begin{len(p.out), p.addresses}, p.lines, len(p.cells)}
	}
	if p.mark == unmarked {
		p.mark = len(p.out)
	}
}

// newLine begins a line. An empty one before it has what both of its neighbors begin with.
func (p *page) newLine() {
	if len(p.out) > 0 {
		p.lines++
		if p.breaks > 1 {
			p.out = append(p.out, '\n')
			p.out = append(p.out, bytes.TrimRight(common(p.last, p.prefix), " ")...)
		}
		p.out = append(p.out, '\n')
	}
	p.last = append(p.last[:0], p.prefix...)
	line := p.prefix
	if p.marker != "" && len(line) >= len(p.marker) && len(bytes.TrimLeft(line[len(line)-len(p.marker):], " ")) == 0 {
		line = line[:len(line)-len(p.marker)]
	}
	p.out = append(p.out, line...)
	p.out = append(p.out, p.marker...)
	p.marker = ""
}

func common(a, b []byte) []byte {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

// text writes text; pre keeps its white space.
func (p *page) text(s string, pre bool) {
	for len(s) > 0 {
		if n := plain(s); n > 0 {
			p.visible()
			p.joiner = ""
			p.out = append(p.out, s[:n]...)
			s = s[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		char := s[:n]
		s = s[n:]
		switch kindOf(r) {
		case blank:
			p.blank(r, pre)
		case joins:
			if len(p.space) == 0 && p.breaks == 0 && p.joiner == "" && len(p.out) > 0 && p.out[len(p.out)-1] >= utf8.RuneSelf {
				p.joiner = char
			}
		case shown:
			p.visible()
			p.out = append(p.out, p.joiner...)
			p.joiner = ""
			p.out = utf8.AppendRune(p.out, r) // an octet that is no character becomes one
		}
	}
}

// plain is the number of leading octets that are printable ASCII.
func plain(s string) int {
	n := 0
	for n < len(s) && ' ' < s[n] && s[n] <= '~' {
		n++
	}
	return n
}

// blank is white space: it is collapsed, or it is kept.
func (p *page) blank(r rune, pre bool) {
	p.joiner = ""
	switch {
	case pre && r == '\n':
		p.br()
	case pre && r == '\t':
		p.space = append(p.space, '\t')
	case pre && r != '\r':
		p.space = append(p.space, ' ')
	case !pre && len(p.space) == 0 && p.breaks == 0 && !p.separated && len(p.out) > 0:
		p.space = append(p.space, ' ')
	}
}

// marked is the text since the mark.
func (p *page) marked() []byte {
	if p.mark == unmarked {
		return nil
	}
	return p.out[p.mark:]
}

// address writes where a link leads, behind its text.
func (p *page) address(target string) {
	before := len(p.out)
	p.out = append(p.out, " <"...)
	p.out = append(p.out, target...)
	p.out = append(p.out, '>')
	p.addresses += len(p.out) - before
}
