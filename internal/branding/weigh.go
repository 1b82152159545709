package branding

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// What the tree of a mail takes at most, in bytes: sparse HTML takes a fifth of it.
const (
	TreeBase    = 1 << 20
	TreePerByte = 64
)

// What a node takes with the HTML that is written of it, in bytes.
const (
	nodeWeight      = 160
	attributeWeight = 64
	textWeight      = 6 // a byte, and "&amp;" for it
)

// tooDense reports whether the tree of source may become larger than TreeBase and
// TreePerByte allow. A parser opens elements like b and font again wherever other
// tags have closed them (the HTML standard's list of active formatting elements):
// 400 of them in front of 100,000 paragraphs are 40 million nodes. It also reads all
// attributes of body again with every body.
//
// What is weighed is an upper bound, in a time that grows with the source.
func tooDense(source string) bool {
	s := &scale{limit: TreeBase + TreePerByte*len(source), levels: []level{{}}}
	z := html.NewTokenizer(strings.NewReader(source))
	for !s.wild && s.weight <= s.limit {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		s.token(z, kind)
	}
	if s.wild {
		return wildWeight(source, s.limit) > s.limit
	}
	return s.weight > s.limit
}

// A scale follows the tags as far as it must to know what a parser would open again.
type scale struct {
	limit, weight int
	levels        []level // the list's markers: each cell begins one
	page          int     // weight of the attributes of html and body
	svg           bool    // within one, of shapes alone
	wild          bool    // other rules hold within: weigh roughly
}

// A level is what stands between two markers.
type level struct {
	open    []element
	count   map[atom.Atom]int // of open
	alike   map[string]int    // formatting elements by their tags: the list keeps three of a kind
	closers int               // of open, those that another's start can end
	loose   int               // formatting elements within such
	again   int               // weight of all that may stand in the list
	astray  bool              // some of it has been closed by other tags, perhaps
}

type element struct {
	name   atom.Atom
	tag    string // of a formatting element
	weight int    // of one in the list
	loose  bool
}

func (s *scale) token(z *html.Tokenizer, kind html.TokenType) {
	switch raw := len(z.Raw()); kind {
	case html.TextToken:
		s.add(nodeWeight + textWeight*raw)
	case html.StartTagToken, html.SelfClosingTagToken:
		s.start(z, raw)
	case html.EndTagToken:
		name, _ := z.TagName()
		s.end(atom.Lookup(name))
	default:
		s.weight += nodeWeight + textWeight*raw
	}
}

// add weighs a node, and what is opened again in front of it.
func (s *scale) add(weight int) {
	s.weight += weight
	if l := s.top(); l.astray {
		s.weight += l.again
	}
}

func (s *scale) top() *level { return &s.levels[len(s.levels)-1] }

func (s *scale) start(z *html.Tokenizer, raw int) {
	tag := string(z.Raw())
	text, more := z.TagName()
	name := atom.Lookup(text)
	weight := nodeWeight + textWeight*raw
	if s.svg {
		s.wild = !shape(string(text))
	}
	for more {
		_, _, more = z.TagAttr()
		weight += attributeWeight
	}
	l := s.top()
	switch name {
	case atom.Html, atom.Body:
		s.page += weight
		s.weight += s.page
		return
	case atom.Svg:
		s.svg = true
	case atom.Select, atom.Template, atom.Math, atom.Object, atom.Applet, atom.Marquee, atom.Frameset:
		s.wild = true
		return
	case atom.Noscript:
		z.NextIsNotRawText()
	case atom.Td, atom.Th, atom.Caption:
		s.leaveCell()
		if l = s.top(); l.in(atom.Table) {
			s.levels = append(s.levels, level{})
		}
		s.add(weight + 2*nodeWeight) // tbody and tr may be missing
		return
	case atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot, atom.Col, atom.Colgroup:
		s.leaveCell()
		s.add(weight + nodeWeight)
		return
	}
	s.add(weight)
	switch {
	case s.svg, void(name):
	case formatting(name):
		l.astray = l.astray || name == atom.A || name == atom.Nobr || l.in(atom.Table) // the first two close the one before
		l.pushFormatting(tag, name, weight)
	default:
		l.astray = l.astray || l.loose > 0 && name != atom.Span
		l.push(element{name: name})
	}
}

func (s *scale) end(name atom.Atom) {
	l := s.top()
	switch name {
	case atom.Svg:
		s.svg = false
		return
	case atom.Td, atom.Th, atom.Caption, atom.Tr, atom.Tbody, atom.Thead, atom.Tfoot:
		s.leaveCell()
		return
	case atom.Table:
		s.leaveCell()
		l = s.top()
	case atom.P, atom.Br: // without a start they are one
		s.add(nodeWeight)
	}
	exact := l.pop(name)
	if exact {
		return
	}
	l.astray = l.astray || l.again > 0
	if formatting(name) {
		const clones = 8 * 4 // of the adoption agency: so many turns, so many elements in each
		s.weight += clones * nodeWeight
		s.add(l.again)
	}
}

// leaveCell forgets what a cell holds: nothing of it is opened again behind it.
func (s *scale) leaveCell() {
	if len(s.levels) > 1 {
		s.levels = s.levels[:len(s.levels)-1]
	}
}

func (l *level) in(name atom.Atom) bool { return l.count[name] > 0 }

func (l *level) push(e element) {
	if l.count == nil {
		l.count, l.alike = map[atom.Atom]int{}, map[string]int{}
	}
	l.count[e.name]++
	l.open = append(l.open, e)
	if closer(e.name) {
		l.closers++
	}
}

func (l *level) pushFormatting(tag string, name atom.Atom, weight int) {
	const most = 3
	if l.alike[tag] == most {
		weight = 0
	}
	e := element{name: name, tag: tag, weight: weight, loose: l.closers > 0}
	l.push(e)
	l.again += weight
	if e.loose {
		l.loose++
	}
	if weight > 0 {
		l.alike[tag]++
	}
}

// pop closes the last element of this name, and is true if it was the last of all.
// A formatting element that is closed by another's end stays in the parser's list.
func (l *level) pop(name atom.Atom) bool {
	if !l.in(name) {
		return false
	}
	for exact := true; ; exact = false {
		e := l.open[len(l.open)-1]
		l.open = l.open[:len(l.open)-1]
		l.count[e.name]--
		if closer(e.name) {
			l.closers--
		}
		if e.loose {
			l.loose--
		}
		if e.name != name {
			continue
		}
		if exact && e.weight > 0 {
			l.again -= e.weight
			l.alike[e.tag]--
			l.astray = l.astray && l.again > 0
		}
		return exact
	}
}

// wildWeight takes all that looks like a tag for one, which has every formatting
// element of the source opened again. Above the limit it does not look further.
func wildWeight(source string, limit int) int {
	weight, tags, again := (textWeight+attributeWeight/2)*len(source), 0, 0
	for rest := source; weight+2*tags*(nodeWeight+again) <= limit; {
		at := strings.IndexByte(rest, '<')
		if at < 0 {
			break
		}
		rest = rest[at:]
		tags++
		if startsFormatting(rest) {
			z := html.NewTokenizer(strings.NewReader(rest))
			z.Next()
			again += nodeWeight + textWeight*len(z.Raw())
			for _, more := z.TagName(); more; {
				_, _, more = z.TagAttr()
				again += attributeWeight
			}
		}
		rest = rest[1:]
	}
	return weight + 2*tags*(nodeWeight+again)
}

// startsFormatting reports whether a tag of such an element begins here.
func startsFormatting(tag string) bool {
	n := 1
	for n < len(tag) && n <= len("strong") && ('a' <= tag[n]|0x20 && tag[n]|0x20 <= 'z') {
		n++
	}
	return formatting(atom.Lookup([]byte(strings.ToLower(tag[1:n]))))
}

func formatting(name atom.Atom) bool {
	switch name {
	case atom.A, atom.B, atom.Big, atom.Code, atom.Em, atom.Font, atom.I, atom.Nobr, atom.S, atom.Small,
		atom.Strike, atom.Strong, atom.Tt, atom.U:
		return true
	}
	return false
}

// closer reports whether the start of another element can end this one.
func closer(name atom.Atom) bool {
	switch name {
	case atom.P, atom.Li, atom.Dd, atom.Dt, atom.Option, atom.Optgroup, atom.Button, atom.Rb, atom.Rp, atom.Rt, atom.Rtc,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}

// shape reports whether a name is one of SVG's that holds nothing of HTML.
func shape(name string) bool {
	switch name {
	case "circle", "defs", "ellipse", "g", "line", "lineargradient", "path", "polygon", "polyline", "radialgradient", "rect", "stop", "use":
		return true
	}
	return false
}

func void(name atom.Atom) bool {
	switch name {
	case atom.Area, atom.Base, atom.Basefont, atom.Bgsound, atom.Br, atom.Embed, atom.Hr, atom.Image, atom.Img, atom.Input,
		atom.Keygen, atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr:
		return true
	}
	return false
}
