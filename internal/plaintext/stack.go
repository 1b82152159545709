package plaintext

import "golang.org/x/net/html/atom"

// maxDepth is where browsers, too, stop nesting.
const maxDepth = 512

// An element is open.
type element struct {
	name    atom.Atom // 0: a name that HTML does not have
	before  int       // the place of the element of this name that was open before; -1: none
	scope   int       // the place of the table or cell around it: most end tags mean nothing beyond; -1: none
	shown   bool      // and what it holds, if that is not hidden
	skipped bool      // never shown
	hidden  bool      // by a style or an attribute
	tiny    bool      // a font size of 0, until an element inside has one of its own: layouts do that, and preheaders
	pre     bool      // white space is kept
	row     bool      // the page has a row for it
	link    bool      // it is the link that is open
	prefix  int       // length of the page's prefix around it
	lines   int       // 1: it ends a line, 2: an empty line follows
	number  int       // ol: of the next item
}

// A stack knows what is open, and finds the innermost of a name at once.
type stack struct {
	list   []element
	last   map[atom.Atom]int // places, counted from 1
	over   map[atom.Atom]int // elements that are open beyond maxDepth
	scope  int
	bottom element // of an empty stack
	closed func(*element)
}

func newStack(closed func(*element)) *stack {
	return &stack{last: map[atom.Atom]int{}, over: map[atom.Atom]int{}, scope: -1, closed: closed}
}

// push opens an element, unless too many are open.
func (s *stack) push(e element) bool {
	if len(s.list) == maxDepth {
		s.over[e.name]++
		return false
	}
	e.before, e.scope = s.find(e.name), s.scope
	s.last[e.name] = len(s.list) + 1
	if bounds(e.name) {
		s.scope = len(s.list)
	}
	s.list = append(s.list, e)
	return true
}

// find is the place of the innermost element of a name, or -1.
func (s *stack) find(name atom.Atom) int { return s.last[name] - 1 }

// popTo closes the elements from a place on, innermost first.
func (s *stack) popTo(place int) {
	for len(s.list) > max(place, 0) {
		e := &s.list[len(s.list)-1]
		s.last[e.name], s.scope = e.before+1, e.scope
		s.closed(e)
		s.list = s.list[:len(s.list)-1]
	}
}

// end closes the innermost element of a name, and reports whether there was one.
func (s *stack) end(name atom.Atom) bool {
	if s.over[name] > 0 {
		s.over[name]--
		return true
	}
	place := s.find(name)
	if place < 0 || place < s.scope && !ofTable(name) {
		return false
	}
	s.popTo(place)
	return true
}

// closeInside closes the innermost element of a name if it stands inside all of
// the others, and in this cell.
func (s *stack) closeInside(name atom.Atom, others ...atom.Atom) {
	place := s.find(name)
	if place < 0 || place < s.scope && !ofTable(name) {
		return
	}
	for _, o := range others {
		if s.find(o) > place {
			return
		}
	}
	s.popTo(place)
}

func (s *stack) top() *element {
	if len(s.list) == 0 {
		return &s.bottom
	}
	return &s.list[len(s.list)-1]
}

func (s *stack) tiny() bool { return s.top().tiny }
func (s *stack) pre() bool  { return s.top().pre }

// literal reports whether text has no character references here.
func (s *stack) literal() bool {
	name := s.top().name
	return name == atom.Xmp || name == atom.Plaintext
}
