package plaintext

import "bytes"

const cellBar = " | " // no longer than what stands for it: two of page.go's characters, and a line end

// openRow begins a row of a table, perhaps in a cell that has no text yet.
func (p *page) openRow() { p.rows = append(p.rows, row{}) }

// cell begins a cell of the innermost row. Its first one begins with the row.
func (p *page) cell() {
	switch {
	case len(p.rows) == 0:
		p.block(1)
	case p.started == len(p.rows):
		p.separated = true
		p.space, p.joiner = p.space[:0], ""
	}
}

// closeRow decides how the cells of the innermost row are kept apart: each in lines of
// its own, if one of them has several or is long.
func (p *page) closeRow() {
	r := p.rows[len(p.rows)-1]
	p.rows = p.rows[:len(p.rows)-1]
	p.separated = false
	if p.started <= len(p.rows) {
		return // nothing of it was shown
	}
	p.started = len(p.rows)
	kind := byte(cellInline)
	cells := p.cells[r.cells:]
	if p.lines > r.lines || p.anyLong(r.begin, cells) {
		kind = cellBlock
		p.lines += len(cells)
	}
	for _, c := range cells {
		p.out[c.place] = kind
	}
	p.cells = p.cells[:r.cells]
}

// anyLong reports whether a cell of a row is too long for a line with others.
func (p *page) anyLong(first begin, others []begin) bool {
	for _, next := range others {
		if length(first, next) > maxCell {
			return true
		}
		first = next
	}
	return length(first, begin{len(p.out), p.addresses}) > maxCell
}

// length is how many octets of text, without addresses, are between two places.
func length(from, to begin) int { return to.place - from.place - (to.addresses - from.addresses) }

// finish writes the rows as it was decided, in place: nothing becomes longer.
func (p *page) finish(ctx func() error) (string, error) {
	for len(p.rows) > 0 {
		p.closeRow()
	}
	text, rest := p.out[:0], p.out
	for n := 1; ; n++ {
		if n%tokensPerLook == 0 {
			if err := ctx(); err != nil {
				return "", err
			}
		}
		at := bytes.IndexByte(rest, cellEnd)
		if at < 0 {
			return string(append(text, rest...)), ctx()
		}
		begin := bytes.LastIndexAny(rest[:at], string([]byte{cellInline, cellBlock}))
		kind := rest[begin]
		text = append(text, rest[:begin]...)
		switch {
		case kind == cellBlock:
			text = append(text, rest[begin+1:at]...)
		case text[len(text)-1] == ':':
			text = append(text, ' ')
		default:
			text = append(text, cellBar...)
		}
		rest = rest[at+1:]
	}
}
