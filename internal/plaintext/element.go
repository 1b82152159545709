package plaintext

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attributes are those of a tag that matter.
type attributes struct {
	href, alt, style   string
	hidden, linked     bool
	speck              bool // a picture of at most a pixel
	sized              bool // font has a size
	start, value       int
	hasStart, hasValue bool
}

func (r *reader) attributes(z *html.Tokenizer) (a attributes, err error) {
	for n := 1; ; n++ {
		key, value, more := z.TagAttr()
		switch string(key) {
		case "href":
			a.href, a.linked = string(value), true
		case "alt":
			a.alt = string(value)
		case "style":
			a.style = string(value[:min(len(value), maxStyle)])
		case "hidden":
			a.hidden = true
		case "size":
			a.sized = true
		case "width", "height":
			a.speck = a.speck || string(value) == "0" || string(value) == "1"
		case "start":
			a.start, a.hasStart = number(string(value))
		case "value":
			a.value, a.hasValue = number(string(value))
		}
		if n%tokensPerLook == 0 {
			err = r.ctx()
		}
		if !more || err != nil {
			return a, err
		}
	}
}

func number(text string) (int, bool) {
	const most = 1 << 30
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && -most < n && n < most
}

func (r *reader) start(z *html.Tokenizer) error {
	text, more := z.TagName()
	name := atom.Lookup(text)
	var a attributes
	if more {
		var err error
		if a, err = r.attributes(z); err != nil {
			return err
		}
	}
	if name == atom.Noscript {
		z.NextIsNotRawText() // mail programs run no scripts
	}
	switch {
	case wholePage(name):
	case empty(name):
		r.empty(name, a)
	default:
		r.closeImplied(name)
		if (name == atom.Td || name == atom.Th) && r.open.find(atom.Table) > r.open.find(atom.Tr) {
			r.push(atom.Tr, attributes{}) // it may be left out
		}
		r.push(name, a)
	}
	return nil
}

// closeImplied ends what has no end tag of its own (HTML §13.1.2.4).
func (r *reader) closeImplied(name atom.Atom) {
	switch name {
	case atom.A:
		r.open.closeInside(atom.A)
	case atom.Li:
		r.open.closeInside(atom.Li, atom.Ul, atom.Ol, atom.Menu, atom.Dir)
	case atom.Dt, atom.Dd:
		r.open.closeInside(atom.Dt, atom.Dl)
		r.open.closeInside(atom.Dd, atom.Dl)
	case atom.Td, atom.Th:
		r.open.closeInside(atom.Td, atom.Table, atom.Tr)
		r.open.closeInside(atom.Th, atom.Table, atom.Tr)
		r.open.closeInside(atom.Caption, atom.Table)
	case atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Caption:
		for _, part := range [...]atom.Atom{atom.Caption, atom.Tr, atom.Td, atom.Th} {
			r.open.closeInside(part, atom.Table)
		}
		if name != atom.Tr {
			for _, part := range [...]atom.Atom{atom.Tbody, atom.Thead, atom.Tfoot} {
				r.open.closeInside(part, atom.Table)
			}
		}
	case atom.Option, atom.Optgroup:
		r.open.closeInside(atom.Option)
	}
	if closesParagraph(name) {
		r.open.closeInside(atom.P)
	}
}

// push opens an element, and begins what it needs on the page.
func (r *reader) push(name atom.Atom, a attributes) {
	around, s := r.open.top(), parseStyle(a.style)
	e := element{
		name: name, skipped: unseen(name), hidden: s.hidden || a.hidden,
		tiny: around.tiny && s.size == inherited && !a.sized || s.size == zero,
		pre:  around.pre || keepsSpace(name) || s.pre, prefix: len(r.page.prefix), lines: linesOf(name), number: 1,
	}
	if s.block && e.lines == 0 && name != atom.Td && name != atom.Th {
		e.lines = 1
	}
	if a.hasStart {
		e.number = a.start
	}
	e.shown = r.visible() && !e.skipped && (r.all || !e.hidden)
	if isList(name) && max(r.open.find(atom.Li), r.open.find(atom.Ul), r.open.find(atom.Ol)) > r.open.scope {
		e.lines = 1 // a list in a list
	}
	if e.shown {
		r.begin(&e, a)
	}
	if e.hidden || e.tiny {
		r.omitted = true
	}
	if !r.open.push(e) {
		r.page.prefix = r.page.prefix[:e.prefix]
		return
	}
	if e.skipped {
		r.skipped++
	}
	if e.hidden {
		r.hidden++
	}
}

// begin is what the start of an element that is shown does to the page.
func (r *reader) begin(e *element, a attributes) {
	if e.lines > 0 {
		r.page.block(e.lines)
	}
	switch e.name {
	case atom.A:
		if a.linked {
			e.link = true
			r.link = link{target: targetOf(a.href)}
			r.page.mark = unmarked
		}
	case atom.Blockquote:
		r.page.indent("> ")
	case atom.Dd:
		r.page.indent("  ")
	case atom.Ul, atom.Ol:
		if isList(r.open.top().name) {
			r.page.indent("  ") // Outlook leaves out the item around it
		}
	case atom.Li:
		r.item(a)
	case atom.Tr:
		if len(r.open.list) < maxDepth {
			e.row = true
			r.page.openRow()
		}
	case atom.Td, atom.Th:
		r.page.cell()
	}
}

// item begins an item of the list around it.
func (r *reader) item(a attributes) {
	marker := "- "
	ordered, bulleted := r.open.find(atom.Ol), max(r.open.find(atom.Ul), r.open.find(atom.Menu), r.open.find(atom.Dir))
	if ordered > bulleted {
		list := &r.open.list[ordered]
		if a.hasValue {
			list.number = a.value
		}
		marker = strconv.Itoa(list.number) + ". "
		list.number++
	}
	r.page.item(marker)
}

func (r *reader) end(name atom.Atom) {
	switch {
	case wholePage(name):
	case name == atom.Br:
		r.empty(name, attributes{})
	case !r.open.end(name) && name == atom.P:
		r.block(2) // it is an empty one
	}
}

// closed ends on the page what an element has begun there.
func (r *reader) closed(e *element) {
	if e.shown {
		if e.link {
			r.endLink()
		}
		if e.row {
			r.page.closeRow()
		}
		r.page.prefix = r.page.prefix[:e.prefix]
		if e.name == atom.Li {
			r.page.marker = ""
		}
		if e.lines > 0 {
			r.page.block(e.lines)
		}
	}
	if e.skipped {
		r.skipped--
	}
	if e.hidden {
		r.hidden--
	}
}

// endLink writes where the link leads, unless its text says so.
func (r *reader) endLink() {
	target, text, written := r.link.target, r.page.marked(), r.page.mark != unmarked
	picture := r.link.picture
	r.link = link{}
	r.page.mark = unmarked
	switch {
	case target == "":
	case written && !says(text, target):
		r.page.address(target)
	case !written && picture:
		r.page.text(target, false)
	}
}

// empty is an element without content.
func (r *reader) empty(name atom.Atom, a attributes) {
	s := parseStyle(a.style)
	if !r.visible() || !r.all && (s.hidden || a.hidden) {
		r.omitted = r.omitted || a.alt != ""
		return
	}
	switch name {
	case atom.Br:
		r.page.br()
	case atom.Hr:
		r.open.closeInside(atom.P)
		r.page.block(2)
		r.page.text("---", false)
		r.page.block(2)
	case atom.Img, atom.Image:
		if !a.speck {
			r.link.picture = true
			r.page.text(a.alt, false)
		}
	}
}
