package failure

import (
	"errors"
	"regexp"
	"regexp/syntax"
)

// A pattern is an expression that is only tried where one of its literals was found.
type pattern struct {
	re       *regexp.Regexp
	literals set // of the scanner
	width    int // of a match, in bytes
}

// pattern compiles an expression whose every match has a literal and a longest length:
// without them each reply would cost as much as there are rules.
func (s *scanner) pattern(expression string) (*pattern, error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	p := &pattern{re: re}
	most, bounded := width(tree)
	if !bounded {
		return nil, errors.New("a match has no longest length: write {0,40} for *")
	}
	needed := literals(tree.Simplify())
	if needed == nil {
		return nil, errors.New("no word of three letters is in every match")
	}
	p.width = most
	for _, literal := range needed {
		p.literals.add(s.add(literal[:min(len(literal), maxLiteral)]))
	}
	return p, nil
}

// in reports whether the expression matches in the text.
func (p *pattern) in(t *text) bool { return p.find(t) != nil }

// find is the first match with its groups, nil if there is none.
func (p *pattern) find(t *text) []string {
	if !p.literals.meets(t.found) {
		return nil
	}
	from, to := -1, -1
	for _, h := range t.hits {
		if !p.literals.has(h.literal) {
			continue
		}
		// A byte more on both sides, for what asks whether a word ends there.
		start, end := max(0, h.end-p.width-1), min(len(t.s), h.at+p.width+1)
		if from >= 0 && start > to {
			if found := p.re.FindStringSubmatch(t.s[from:to]); found != nil {
				return found
			}
			from = -1
		}
		if from < 0 {
			from = start
		}
		to = max(to, end)
	}
	return p.re.FindStringSubmatch(t.s[from:to])
}

// A set of small numbers.
type set []uint64

func (s *set) add(n int32) {
	for int(n>>6) >= len(*s) {
		*s = append(*s, 0)
	}
	(*s)[n>>6] |= 1 << (n & 63)
}

func (s set) has(n int32) bool { return int(n>>6) < len(s) && s[n>>6]&(1<<(n&63)) != 0 }

// meets reports whether the sets have a number in common.
func (s set) meets(other set) bool {
	for i := range min(len(s), len(other)) {
		if s[i]&other[i] != 0 {
			return true
		}
	}
	return false
}
