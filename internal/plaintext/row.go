package plaintext

import "bytes"

// openRow begins a row of a table.
func (p *page) openRow() {
	p.rows = append(p.rows, row{})
	p.separated = false
}

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
// its own, if one of them has several or all together are long.
func (p *page) closeRow() {
	r := p.rows[len(p.rows)-1]
	p.rows = p.rows[:len(p.rows)-1]
	p.separated = false
	if p.started <= len(p.rows) {
		return // nothing of it was shown
	}
	p.started = len(p.rows)
	kind := byte(cellInline)
	if p.lines > r.lines || len(p.out)-r.begin-(p.addresses-r.addresses) > maxRow {
		kind = cellBlock
		p.lines += len(p.cells) - r.cells
	}
	for _, place := range p.cells[r.cells:] {
		p.out[place] = kind
	}
	p.cells = p.cells[:r.cells]
}

// finish writes the rows as it was decided.
func (p *page) finish(ctx func() error) (string, error) {
	for len(p.rows) > 0 {
		p.closeRow()
	}
	text, rest := make([]byte, 0, len(p.out)), p.out
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
		text = append(text, rest[:begin]...)
		switch {
		case rest[begin] == cellBlock:
			text = append(text, rest[begin+1:at]...)
		case bytes.HasSuffix(text, []byte{':'}):
			text = append(text, ' ')
		default:
			text = append(text, " | "...)
		}
		rest = rest[at+1:]
	}
}
